//! `$batch`: up to twenty requests in one, each with a status of its own.
//!
//! Permissions, faults and counts are those of each request. A connection carries them all, so a fault of the connection
//! turns into the answer a gateway gives.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::sandbox::answer::{Answer, Content, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::faults::Fault;
use crate::sandbox::id::mix;
use crate::sandbox::job::{Inbound, Job};
use crate::sandbox::response::{About, retry_after, settle};
use crate::sandbox::{Sandbox, lock, refusals};

const MAX_REQUESTS: usize = 20;
const TEMPLATE: &str = "POST /$batch";

/// One request of a batch, read.
struct Item {
    id: String,
    depends_on: Vec<String>,
    /// What is wrong with this request alone stands in its own answer.
    inbound: Result<Inbound, Refusal>,
}

pub(super) fn batch(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let malformed = Refusal::bad_request("Invalid batch payload format.");
    let body = call.object(&malformed)?;
    let requests = body.get("requests").and_then(Value::as_array);
    let requests = requests
        .filter(|requests| !requests.is_empty())
        .ok_or_else(|| malformed.because("requests is missing or empty"))?;
    if requests.len() > MAX_REQUESTS {
        sandbox.violation(format!(
            "BatchRequests: a batch of {} requests, where {MAX_REQUESTS} are the most",
            requests.len()
        ));
        let message =
            format!("Number of batch requests exceeds the maximum of {MAX_REQUESTS} allowed.");
        return Err(Refusal::bad_request(message));
    }
    let items: Vec<Item> = requests
        .iter()
        .map(|request| read(call, request))
        .collect::<Result<_, _>>()?;
    check_ids(&items)?;
    let mut replies = run(sandbox, call, items)?;
    // Nothing promises an order, and the service does not keep one.
    let dice = sandbox.requests.load(std::sync::atomic::Ordering::Relaxed);
    replies.sort_by_cached_key(|(id, _)| {
        let text = id.bytes().fold(0, |key, byte| mix(key, u64::from(byte)));
        mix(u64::from(dice), text)
    });
    let replies: Vec<Value> = replies.into_iter().map(|(_, reply)| reply).collect();
    Ok(Answer::json(
        200,
        json!({ "responses": replies }).to_string().into_bytes(),
    ))
}

fn read(call: &Call, request: &Value) -> Result<Item, Refusal> {
    let malformed = |why: &str| Refusal::bad_request("Invalid batch payload format.").because(why);
    let request = request
        .as_object()
        .ok_or_else(|| malformed("a request is not an object"))?;
    let text = |name: &str| {
        let text = request.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let id = text("id").ok_or_else(|| malformed("a request has no id"))?;
    let method = text("method").ok_or_else(|| malformed("a request has no method"))?;
    let url = text("url").ok_or_else(|| malformed("a request has no url"))?;
    let method: Method = method
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| malformed("a method cannot be read"))?;
    let depends_on = match request.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => serde_json::from_value(list.clone())
            .map_err(|_| malformed("dependsOn is not a list of ids"))?,
    };
    Ok(Item {
        id: id.to_owned(),
        depends_on,
        inbound: inbound(call, request, method, url),
    })
}

fn inbound(
    call: &Call,
    request: &Map<String, Value>,
    method: Method,
    url: &str,
) -> Result<Inbound, Refusal> {
    if url.contains("://") {
        return Err(Refusal::bad_request(format!(
            "The url '{url}' is not relative to the version."
        )));
    }
    let url = url.strip_prefix('/').unwrap_or(url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in request
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let name = name.parse::<HeaderName>().ok();
        let value = value
            .as_str()
            .and_then(|value| HeaderValue::from_str(value).ok());
        let pair = name.zip(value);
        let (name, value) =
            pair.ok_or_else(|| Refusal::bad_request("A header of the request cannot be read."))?;
        headers.insert(name, value);
    }
    let body = match request.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(_) if !headers.contains_key("content-type") => {
            return Err(Refusal::bad_request(
                "A request with a body needs the header Content-Type.",
            ));
        }
        Some(body) => Bytes::from(body.to_string()),
    };
    Ok(Inbound {
        method,
        root: call.root.clone(),
        beta: call.beta,
        path: format!("/{path}"),
        query: query.to_owned(),
        headers,
        body,
    })
}

/// Ids compare without case, occur once, and are known where another request depends on them.
fn check_ids(items: &[Item]) -> Result<(), Refusal> {
    for (position, item) in items.iter().enumerate() {
        let same = |other: &&Item| other.id.eq_ignore_ascii_case(&item.id);
        if items[..position].iter().any(|other| same(&other)) {
            let message = format!("Request Id {} is duplicated in the batch.", item.id);
            return Err(Refusal::bad_request(message));
        }
        let unknown = item
            .depends_on
            .iter()
            .find(|id| !items.iter().any(|other| other.id.eq_ignore_ascii_case(id)));
        if let Some(id) = unknown {
            let message = format!("Request {} depends on {id}, which is not there.", item.id);
            return Err(Refusal::bad_request(message));
        }
    }
    Ok(())
}

/// Carries the requests out, each after those it depends on.
fn run(
    sandbox: &Sandbox,
    call: &Call,
    mut items: Vec<Item>,
) -> Result<Vec<(String, Value)>, Refusal> {
    let mut done: HashMap<String, bool> = HashMap::new();
    let mut replies = Vec::new();
    while !items.is_empty() {
        let known = |id: &String| done.get(&id.to_lowercase()).copied();
        let ready = items
            .iter()
            .position(|item| item.depends_on.iter().all(|id| known(id).is_some()));
        let ready = ready.ok_or_else(|| {
            Refusal::bad_request("The requests of the batch depend on each other in a circle.")
        })?;
        let failed = items[ready]
            .depends_on
            .iter()
            .any(|id| known(id) == Some(false));
        let Item { id, inbound, .. } = items.remove(ready);
        let (status, reply) = if failed {
            reply(
                sandbox,
                &id,
                &HeaderMap::new(),
                Err(refusals::FAILED_DEPENDENCY),
            )
        } else {
            match inbound {
                Ok(inbound) => {
                    let headers = inbound.headers.clone();
                    reply(sandbox, &id, &headers, one(sandbox, call, inbound))
                }
                Err(refusal) => reply(sandbox, &id, &HeaderMap::new(), Err(refusal)),
            }
        };
        done.insert(id.to_lowercase(), (200..300).contains(&status));
        replies.push((id, reply));
    }
    Ok(replies)
}

fn one(sandbox: &Sandbox, call: &Call, inbound: Inbound) -> Result<Answer, Refusal> {
    let job = Job::new(inbound, Ok(call.caller.clone()));
    let template = job.template();
    if template == TEMPLATE {
        return Err(Refusal::bad_request("A batch cannot hold a batch."));
    }
    lock(&sandbox.log).request(template, Some(&call.caller));
    let fault = lock(&sandbox.faults).roll(template, false);
    match fault {
        Some(Fault::Throttle {
            retry_after: seconds,
        }) => {
            let time = std::time::Duration::from_secs(seconds);
            lock(&sandbox.log).throttled(&call.caller, time);
            Err(retry_after(refusals::THROTTLED, seconds))
        }
        Some(Fault::Unavailable {
            retry_after: Some(seconds),
        }) => Err(retry_after(refusals::UNAVAILABLE, seconds)),
        Some(Fault::Unavailable { .. } | Fault::Reset) => Err(refusals::UNAVAILABLE),
        Some(Fault::Late(_) | Fault::LostAnswer | Fault::Cut) => {
            // Done, and nobody hears of it.
            drop(job.run(sandbox));
            Err(refusals::TIMED_OUT)
        }
        _ => job.run(sandbox),
    }
}

/// One answer as a batch shows it, and its status.
fn reply(
    sandbox: &Sandbox,
    id: &str,
    headers: &HeaderMap,
    answer: Result<Answer, Refusal>,
) -> (u16, Value) {
    let about = About::new(sandbox, headers);
    let answer = settle(sandbox, &about, answer);
    let mut reply = json!({ "id": id, "status": answer.status });
    let mut shown = Map::new();
    for (name, value) in &answer.headers {
        let name = if *name == "retry-after" {
            "Retry-After"
        } else {
            name
        };
        shown.insert(name.to_owned(), json!(value));
    }
    match answer.content {
        Content::Nothing => {}
        Content::Json(body) => {
            shown.insert("Content-Type".into(), json!("application/json"));
            reply["body"] = serde_json::from_slice(&body).unwrap_or_default();
        }
        Content::Text(text) => {
            shown.insert("Content-Type".into(), json!("text/plain"));
            // A number is JSON as it stands.
            reply["body"] = serde_json::from_str(&text).unwrap_or(Value::String(text));
        }
    }
    reply["headers"] = Value::Object(shown);
    (answer.status, reply)
}
