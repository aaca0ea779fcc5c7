//! Whole calls against a server that misbehaves on purpose.

mod lists;
mod lost;
mod matrix;
mod refused;
mod sent;
mod stopped;
mod throttled;
mod unsent;
mod unusable;

use crate::graph::Call;
use crate::graph::testing::{Reply, Server};

const FINE: &str = r#"{"id":"1"}"#;

fn get() -> Call {
    Call::get("list users", "/users?$top=1")
}

fn post() -> Call {
    Call::post(
        "activate session",
        "/solutions/backupRestore/restoreSessions/s1/activate",
    )
}

/// Bad answers first, then good ones.
async fn after(bad: usize, answer: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        if seen.number < bad {
            answer()
        } else {
            Reply::json(200, FINE)
        }
    })
    .await
}
