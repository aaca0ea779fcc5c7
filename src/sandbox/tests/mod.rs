//! The sandbox over HTTP, as a client sees it. Every answer to [`Bench`] is held against the published metadata.

// One file with the integration tests: the rooms' answers and the program's requests meet the same measure.
#[path = "../../../tests/support/metadata.rs"]
mod metadata;

mod batch;
mod browse;
mod bulk;
mod bulk_refused;
mod control;
mod fault_rules;
mod faults;
mod happy;
mod items;
mod mails;
mod pages;
mod policies;
mod refused;
mod requests;
mod search;
mod service;
mod sign_in;
mod sites;
mod tenant;
mod units;
mod whatever_comes;
mod workloads;

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Options, Running, start};

/// A sandbox and somebody who calls it.
struct Bench {
    running: Running,
    client: Client,
    url: String,
}

/// What came back.
struct Reply {
    status: u16,
    body: Value,
}

impl Reply {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// Entities of a list.
    fn values(&self) -> &[Value] {
        self.body["value"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_default().to_owned()
    }
}

const BACKUP: &str = "/v1.0/solutions/backupRestore";

impl Bench {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// A sandbox whose clock stands nearly still unless it is advanced.
    async fn still() -> Self {
        Self::with(Options {
            speed: 1.0,
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let running = start(options).await.expect("a free port on loopback");
        let url = running.url();
        let client = Client::builder()
            .no_proxy()
            .build()
            .expect("a plain client");
        let bench = Self {
            running,
            client,
            url,
        };
        // One restore of a hundred fails by chance, another one every day: tests say themselves which do.
        bench.control("break", json!({ "chance": "never" })).await;
        bench
    }

    /// A request with the static token; a path that begins with `~` is below the backup service.
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = path
            .strip_prefix('~')
            .map_or_else(|| path.to_owned(), |rest| format!("{BACKUP}{rest}"));
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth("sandbox-token")
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask(self.request("GET", path)).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.ask(self.request(method, path).json(&body)).await
    }

    /// A call without a body.
    async fn call(&self, method: &str, path: &str) -> Reply {
        self.ask(self.request(method, path)).await
    }

    /// Sends a request; its answer must hold nothing that the metadata of its version does not have.
    async fn ask(&self, request: RequestBuilder) -> Reply {
        let request = request.build().expect("a request");
        let (method, url) = (request.method().clone(), request.url().clone());
        let answer = reply(self.client.execute(request).await.expect("an answer")).await;
        let version = ["v1.0", "beta"]
            .into_iter()
            .find(|version| url.path().starts_with(&format!("/{version}/")));
        if let Some(version) = version.filter(|_| (200..300).contains(&answer.status)) {
            let path = url.path().trim_start_matches(&format!("/{version}"));
            let complaints = metadata::check_answer(version, method.as_str(), path, &answer.body);
            assert!(complaints.is_empty(), "{method} {url}: {complaints:#?}");
        }
        answer
    }

    /// Asks for a token in the app's own name.
    async fn app_token(&self) -> Reply {
        let tenant = self.running.tenant_id();
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.url);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.running.client_id()),
            ("client_secret", self.running.client_secret()),
            ("scope", "x/.default"),
        ];
        self.ask(self.client.post(&url).form(&form)).await
    }

    /// Activates a draft and waits for its end: its artifacts.
    async fn restored(&self, session: &str) -> Vec<Value> {
        let activate = format!("~/restoreSessions/{session}/activate");
        assert_eq!(self.call("POST", &activate).await.status, 200);
        self.advance("1h").await;
        let list = format!("~/exchangeRestoreSessions/{session}/mailboxRestoreArtifacts");
        self.all(&list).await
    }

    async fn control(&self, name: &str, body: Value) -> Reply {
        self.send("POST", &format!("/_sandbox/{name}"), body).await
    }

    async fn advance(&self, by: &str) {
        assert_eq!(
            self.control("clock", json!({ "advance": by })).await.status,
            200
        );
    }

    async fn state(&self) -> Value {
        self.get("/_sandbox/state").await.body
    }

    /// The service's own time.
    async fn now(&self) -> Timestamp {
        instant(&self.state().await["now"])
    }

    /// All entities of a list, page by page.
    async fn all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut page = self.get(path).await;
        loop {
            assert_eq!(page.status, 200, "{}", page.body);
            all.extend_from_slice(page.values());
            let Some(next) = page.body["@odata.nextLink"].as_str() else {
                return all;
            };
            page = self
                .ask(self.client.get(next).bearer_auth("sandbox-token"))
                .await;
        }
    }

    /// The newest restore point of each of the first `count` protected mailboxes that have one and are nothing special.
    async fn points(&self, count: usize) -> Vec<String> {
        self.points_in("mailboxProtectionUnits", count).await
    }

    /// The same in one of the lists of units.
    async fn points_in(&self, units: &str, count: usize) -> Vec<String> {
        let mut points = Vec::new();
        for unit in self.all(&format!("~/{units}")).await {
            if points.len() == count {
                break;
            }
            if unit["status"] == "protected" && unit["error"].is_null() {
                let id = unit["id"].as_str().expect("units have ids");
                points.extend(self.points_of(id).await.first().cloned());
            }
        }
        assert_eq!(points.len(), count);
        points
    }

    /// The newest five restore points of a unit.
    async fn points_of(&self, unit: &str) -> Vec<String> {
        let query = [
            ("$expand", format!("protectionUnit($filter=id eq '{unit}')")),
            (
                "$filter",
                "protectionDateTime lt 2999-01-01T00:00:00Z".to_owned(),
            ),
        ];
        let found = self
            .ask(self.request("GET", "~/restorePoints").query(&query))
            .await;
        assert_eq!(found.status, 200, "{}", found.body);
        found
            .values()
            .iter()
            .map(|point| point["id"].as_str().expect("points have ids").to_owned())
            .collect()
    }

    /// Creates a draft with these points.
    async fn draft(&self, points: &[String]) -> String {
        let created = self
            .send(
                "POST",
                "~/exchangeRestoreSessions",
                artifacts(points, "new"),
            )
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.id()
    }
}

async fn reply(response: Response) -> Reply {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a whole body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply { status, body }
}

fn artifact(point: &str, destination: &str) -> Value {
    json!({ "restorePoint": { "id": point }, "destinationType": destination })
}

fn artifacts(points: &[String], destination: &str) -> Value {
    let list: Vec<Value> = points
        .iter()
        .map(|point| artifact(point, destination))
        .collect();
    json!({ "mailboxRestoreArtifacts": list })
}

fn delta(items: Vec<Value>) -> Value {
    json!({ "mailboxRestoreArtifacts@delta": items })
}

fn instant(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an instant")
}
