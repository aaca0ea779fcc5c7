//! A proxy in front of the sandbox that alters what it answers, or answers in its place.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::http::{Message, request};
use super::{Bench, Fake, Reply, Served};

/// What becomes of an answer: `METHOD /path`, status, body. `None`: it goes through as it is.
type Alter = dyn Fn(&str, u16, &Value) -> Option<Reply> + Send + Sync;
/// What is answered in the sandbox's place: `METHOD /path`, the whole request. `None`: the sandbox does.
type Instead = dyn Fn(&str, &Message) -> Option<Reply> + Send + Sync;

/// A bench whose program sees the sandbox's answers altered.
pub fn altered(
    tenant: &Served,
    alter: impl Fn(&str, u16, &Value) -> Option<Reply> + Send + Sync + 'static,
) -> Bench {
    proxied(tenant, Box::new(|_, _| None), Box::new(alter))
}

/// A bench some of whose program's requests never reach the sandbox.
pub fn kept_away(
    tenant: &Served,
    instead: impl Fn(&str, &Message) -> Option<Reply> + Send + Sync + 'static,
) -> Bench {
    proxied(tenant, Box::new(instead), Box::new(|_, _, _| None))
}

fn proxied(tenant: &Served, instead: Box<Instead>, alter: Box<Alter>) -> Bench {
    let target = tenant.url.clone();
    let address = target.trim_start_matches("http://").to_owned();
    let own: Arc<OnceLock<String>> = Arc::default();
    let known = own.clone();
    let proxy = Fake::new(move |what, message| {
        if let Some(reply) = instead(what, message) {
            return reply;
        }
        let (method, path) = what.split_once(' ').unwrap();
        let body = String::from_utf8_lossy(&message.body);
        let (status, text) = request(&address, method, path, &body);
        let text = text.replace(&target, known.get().unwrap());
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        match alter(what, status, &answer) {
            Some(reply) => reply,
            None => Reply::Full(
                status,
                vec![("content-type", "application/json".into())],
                text,
            ),
        }
    });
    own.set(proxy.url.clone()).unwrap();
    tenant.bench().variable("RUNBACK_GRAPH_URL", &proxy.url)
}

/// A list of artifacts as it is where nothing is expanded.
pub fn without_units(what: &str, status: u16, answer: &Value) -> Option<Reply> {
    let is_list = what.starts_with("GET ") && what.contains("RestoreArtifacts");
    if !is_list || what.contains("BulkAddition") {
        return None;
    }
    let mut answer = answer.clone();
    for artifact in answer["value"].as_array_mut()? {
        artifact["restorePoint"]
            .as_object_mut()?
            .remove("protectionUnit");
    }
    Some(Reply::Json(status, answer))
}
