//! A service that costs next to nothing: one unit, many restore points, every page ready before it is asked for.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use tokio::net::TcpListener;

const PAGE: usize = 1_000;

/// The service in a process of its own: a child starts with its parent's memory on its account, so the parent stays small.
pub struct Service {
    child: Child,
    url: String,
}

impl Service {
    pub fn start(points: usize) -> Self {
        let own = std::env::current_exe().expect("the bench runs from a file");
        let mut child = Command::new(own)
            .args([SERVE, &points.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bench can start itself");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("it prints its address");
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The word that makes the bench's own binary serve.
pub const SERVE: &str = "serve-points";

/// Serves until the process is killed.
pub fn serve(points: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a thread can be started");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let pages = Arc::new(pages(&format!("http://{address}"), points));
        let units = "/v1.0/solutions/backupRestore/protectionUnits/microsoft.graph.mailboxProtectionUnit";
        let organization = r#"{"value":[{"id":"1","displayName":"Contoso"}]}"#;
        let unit = r#"{"value":[{"id":"unit-1","directoryObjectId":"u","status":"protected","policyId":"p","displayName":"One"}]}"#;
        let app = Router::new()
            .route("/v1.0/organization", get(move || async move { json(organization) }))
            .route(units, get(move || async move { json(unit) }))
            .route("/v1.0/solutions/backupRestore/restorePoints", get(page))
            .with_state(pages);
        println!("http://{address}");
        axum::serve(listener, app).await.expect("the listener is bound");
    });
}

#[derive(serde::Deserialize)]
struct At {
    #[serde(default, rename = "$skiptoken")]
    page: usize,
    #[serde(default, rename = "$filter")]
    filter: String,
}

async fn page(State(pages): State<Arc<Vec<Bytes>>>, Query(at): Query<At>) -> impl IntoResponse {
    // Behind the last point there is nothing: who asks again before the oldest one is told so.
    let behind = at.filter.contains("lt 2020-");
    let page = pages.get(at.page).filter(|_| !behind).cloned();
    json(page.unwrap_or_else(|| Bytes::from_static(b"{\"value\":[]}")))
}

fn json(body: impl Into<Bytes>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body.into())
}

fn pages(url: &str, points: usize) -> Vec<Bytes> {
    let mut pages = Vec::new();
    // Every ten minutes back from here, and the very last one years before.
    let newest: jiff::Timestamp = "2026-11-24T00:00:00Z".parse().expect("an instant");
    for from in (0..points).step_by(PAGE) {
        let mut text = String::from("{\"value\":[");
        for number in from..points.min(from + PAGE) {
            let minutes = i64::try_from(number).expect("a small number") * 10;
            let taken = if number + 1 == points {
                "2020-01-01T00:00:00Z".parse().expect("an instant")
            } else {
                newest - jiff::SignedDuration::from_mins(minutes)
            };
            if number > from {
                text.push(',');
            }
            let _ = write!(
                text,
                "{{\"@odata.type\":\"#microsoft.graph.restorePoint\",\"id\":\"1f1fccc3-a642-4f61-bf49-{number:012}\",\"protectionDateTime\":\"{taken}\",\"expirationDateTime\":\"2027-11-24T00:00:00Z\",\"protectionUnit\":{{\"@odata.type\":\"#microsoft.graph.mailboxProtectionUnit\",\"id\":\"unit-1\",\"policyId\":\"9fec8e78-bce4-4aaf-ab1b-5451cc387264\"}},\"tags\":\"fastRestore\"}}"
            );
        }
        text.push(']');
        if from + PAGE < points {
            let next = from / PAGE + 1;
            let _ = write!(
                text,
                ",\"@odata.nextLink\":\"{url}/v1.0/solutions/backupRestore/restorePoints?$skiptoken={next}\""
            );
        }
        text.push('}');
        pages.push(text.into());
    }
    pages
}
