//! `graph::`: any Graph call with the same sign-in, pacing, retry and door as everything else.

pub(crate) mod path;

pub(crate) use path::decoded;

use async_trait::async_trait;
use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::tenant::{change_failure, plain, stream};
use crate::backup::{ROOT, WORKLOADS, Workload, session_of_path};
use crate::changes::{Change, Class, Covered, Key, Look, Lost, Verdict, origin};
use crate::graph::{Call, GraphError, Method};
use crate::policy::{Act, Deed, Matter};
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::object::untyped;
use crate::script::values::{Kind, Stream};
use crate::text;

pub(crate) fn register(library: &mut Library) {
    reading(library);
    changing(library);
}

fn reading(library: &mut Library) {
    library.function(
        "graph",
        "get",
        &["path: text", "-> object"],
        "GETs anything of Graph. The path is relative to the version: `/users/rania.shah@contoso.example`. Any property of the answer may be asked for; absent ones are `()`, times are texts.\n\n- Options: `version` (`\"v1.0\"`, `\"beta\"`), `headers`.\n- Throws what Graph says, `BadPath` for a path that leads elsewhere.\n- Policy class: read. Graph: GET (any path). Permission: what the path needs.\n\n```rhai\nprint(graph::get(\"/solutions/backupRestore\").serviceStatus.status);\n```",
        |ctx: NativeCallContext, path: ImmutableString| get(&ctx, &path, OptionMap::none()),
    );
    library.function(
        "graph",
        "get",
        &["path: text", "options: map", "-> object"],
        "",
        |ctx: NativeCallContext, path: ImmutableString, options: Map| {
            let options = OptionMap::read(options, &["version", "headers"]).raise(&ctx)?;
            get(&ctx, &path, options)
        },
    );
    library.function(
        "graph",
        "pages",
        &["path: text", "-> stream of object"],
        "All objects of a list, page by page: follows `@odata.nextLink` to the end.\n\n- Options: `version`, `headers`.\n- Throws as `graph::get`; on the line of the `for` that reads it.\n- Policy class: read. Graph: GET (any path). Permission: what the path needs.\n\n```rhai\nfor policy in graph::pages(\"/solutions/backupRestore/protectionPolicies\") { print(policy.displayName); }\n```",
        |ctx: NativeCallContext, path: ImmutableString| pages(&ctx, &path, OptionMap::none()),
    );
    library.function(
        "graph",
        "pages",
        &["path: text", "options: map", "-> stream of object"],
        "",
        |ctx: NativeCallContext, path: ImmutableString, options: Map| {
            let options = OptionMap::read(options, &["version", "headers"]).raise(&ctx)?;
            pages(&ctx, &path, options)
        },
    );
}

fn changing(library: &mut Library) {
    library.function(
        "graph",
        "post",
        &["path: text", "body: map", "-> object"],
        "POSTs a body. What runback knows of the path decides its class; an unknown one always asks for consent.\n\n- Options: `version`, `headers`, `retry_unknown: true` (send it again when the answer was lost: only where twice does no harm).\n- Throws what Graph says; `OutcomeUnknown` where the answer was lost; `BadPath`.\n- Policy class: change. Graph: POST (any path). Permission: what the path needs.\n\n```rhai\nlet draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{});\nprint(draft.id);\n```",
        |ctx: NativeCallContext, path: ImmutableString, body: Dynamic| change(&ctx, Method::POST, &path, Some(body), OptionMap::none()),
    );
    library.function(
        "graph",
        "post",
        &["path: text", "-> object"],
        "",
        |ctx: NativeCallContext, path: ImmutableString| {
            change(&ctx, Method::POST, &path, None, OptionMap::none())
        },
    );
    library.function(
        "graph",
        "patch",
        &["path: text", "body: map", "-> object"],
        "PATCHes with a body. As `graph::post`.\n\n- Options: `version`, `headers`, `retry_unknown: true`.\n- Throws as `graph::post`.\n- Policy class: change. Graph: PATCH (any path). Permission: what the path needs.\n\n```rhai\nlet draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{});\nlet point = exchange::latest_point(\"rania.shah@contoso.example\");\ngraph::patch(`/solutions/backupRestore/exchangeRestoreSessions/${draft.id}`, #{\n    \"mailboxRestoreArtifacts@delta\": [#{restorePoint: #{id: point.id}, destinationType: \"new\"}],\n});\n```",
        |ctx: NativeCallContext, path: ImmutableString, body: Dynamic| change(&ctx, Method::PATCH, &path, Some(body), OptionMap::none()),
    );
    library.function(
        "graph",
        "delete",
        &["path: text", "-> object"],
        "DELETEs. As `graph::post`.\n\n- Options: `version`, `headers`, `retry_unknown: true`.\n- Throws as `graph::post`.\n- Policy class: delete. Graph: DELETE (any path). Permission: what the path needs.\n\n```rhai\nlet draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{});\ngraph::delete(`/solutions/backupRestore/restoreSessions/${draft.id}`);\n```",
        |ctx: NativeCallContext, path: ImmutableString| change(&ctx, Method::DELETE, &path, None, OptionMap::none()),
    );
    library.function(
        "graph",
        "delete",
        &["path: text", "body: map", "-> object"],
        "",
        |ctx: NativeCallContext, path: ImmutableString, body: Dynamic| {
            change(&ctx, Method::DELETE, &path, Some(body), OptionMap::none())
        },
    );
    for (name, method) in [
        ("post", Method::POST),
        ("patch", Method::PATCH),
        ("delete", Method::DELETE),
    ] {
        library.function(
            "graph",
            name,
            &["path: text", "body: map", "options: map", "-> object"],
            "",
            move |ctx: NativeCallContext, path: ImmutableString, body: Dynamic, options: Map| {
                let options = OptionMap::read(options, &["version", "headers", "retry_unknown"])
                    .raise(&ctx)?;
                change(&ctx, method.clone(), &path, Some(body), options)
            },
        );
    }
}

/// The property of a search that looks for single messages.
const ITEMS: &[u8] = b"artifactQuery";

fn get(ctx: &NativeCallContext, path: &str, options: OptionMap) -> Raised<Dynamic> {
    let host = Host::of(ctx);
    let call = call("graph::get", Method::GET, path, &options).raise(ctx)?;
    judge_reading(&host, &call).raise(ctx)?;
    judge_looking_into(&host, &call).raise(ctx)?;
    let answer = host.block(host.tenant.client.read(call)).raise(ctx)?;
    Ok(untyped(&answer.json()))
}

fn pages(ctx: &NativeCallContext, path: &str, options: OptionMap) -> Raised<Stream> {
    let call = call("graph::pages", Method::GET, path, &options).raise(ctx)?;
    let host = Host::of(ctx);
    judge_reading(&host, &call).raise(ctx)?;
    judge_looking_into(&host, &call).raise(ctx)?;
    let open = move |host: &Host| Ok(vec![host.tenant.client.pages(call.clone())]);
    Ok(stream(&host, "objects", open, plain(Kind::UNTYPED)).at(ctx.call_position()))
}

fn change(
    ctx: &NativeCallContext,
    method: Method,
    path: &str,
    body: Option<Dynamic>,
    options: OptionMap,
) -> Raised<Dynamic> {
    let host = Host::of(ctx);
    let operation = match method {
        Method::POST => "graph::post",
        Method::PATCH => "graph::patch",
        _ => "graph::delete",
    };
    let mut class = class(&method, path);
    let mut call = call(operation, method.clone(), path, &options).raise(ctx)?;
    if let Some(body) = body.filter(|body| !body.is_unit()) {
        let body = convert::to_json(&body).raise(ctx)?;
        if class == Some(Class::Draft) && takes_out(&body) {
            class = Some(Class::Delete);
        } else if class == Some(Class::Draft) && method == Method::PATCH && !only_edits(&body) {
            class = Some(Class::Unlisted);
        }
        call = call.json(&body);
    }
    let deed = deed(&call);
    let Some(class) = class else {
        judge_reading(&host, &call).raise(ctx)?;
        judge_looking_into(&host, &call).raise(ctx)?;
        let answer = host.block(host.tenant.client.read(call)).raise(ctx)?;
        return Ok(untyped(&answer.json()));
    };
    let covered = Covered {
        question: format!("{} {}", call.method, call.path),
        // By its hash: the query may hold what nobody should read in a record.
        keys: vec![text::hex(&Sha256::digest(format!(
            "{} {}",
            call.method, call.path
        )))],
        ..Covered::default()
    };
    let again = options.flag("retry_unknown").raise(ctx)?.unwrap_or(false);
    let look = LookAway { again };
    let key = Key::Once(format!("graph/{}", origin::current().mark()));
    let session = session_of_path(&decoded(&call.path)).map(str::to_owned);
    let sent = host.finish(async {
        // Nothing gets into a draft between the last look at it and its activation.
        let _hold = match &session {
            Some(id) => Some(host.tenant.backup.hold_session(id).await?),
            None => None,
        };
        let settled = host
            .tenant
            .door
            .send(
                Change {
                    class,
                    covered,
                    deed,
                    ..Change::draft(call, key)
                },
                &look,
            )
            .await;
        settled.map_err(|error| change_failure(&error))
    });
    Ok(untyped(&sent.raise(ctx)?.json))
}

/// What a policy is told of a call: its path as it is sent, and the workload where that names one.
fn deed(call: &Call) -> Deed {
    let path = decoded(&call.path);
    Deed {
        workload: workload(&path),
        matter: Matter::Call {
            method: call.method.to_string(),
            path,
        },
    }
}

/// The workload whose sessions a path leads to.
pub(crate) fn workload(path: &str) -> Option<&'static str> {
    let path = path.to_lowercase();
    let of = |collection: String| {
        let rest = path.strip_prefix(&collection.to_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let browsing = |workload: &Workload| workload.browse.map(|(name, _)| format!("{ROOT}/{name}"));
    WORKLOADS
        .into_iter()
        .find(|workload| of(workload.sessions_path()) || browsing(workload).is_some_and(of))
        .map(|workload| workload.name)
}

fn judge_reading(host: &Host, call: &Call) -> Result<(), Failure> {
    host.tenant
        .door
        .judge(Act::Read, &deed(call))
        .map_err(|_| Failure::stopped())
}

/// A call that shows what is in somebody's drive or mailbox, and does not say whose.
fn judge_looking_into(host: &Host, call: &Call) -> Result<(), Failure> {
    let path = decoded(&call.path).to_ascii_lowercase();
    let body = call.body.as_deref().unwrap_or_default();
    let is_search = body
        .windows(ITEMS.len())
        .any(|part| part.eq_ignore_ascii_case(ITEMS));
    // `browse`, `browse(nextFetchToken='…')`, with a namespace too; the sessions themselves do not say what is in a drive.
    let is_browse = path.split('/').any(|part| {
        let name = part.split('(').next().unwrap_or_default();
        name.rsplit('.').next() == Some("browse")
    });
    if !is_browse && !is_search {
        return Ok(());
    }
    let why = format!(
        "it cannot be told whose data `{} {}` shows",
        call.method, call.path
    );
    let deed = Deed {
        workload: workload(&path),
        matter: Matter::Untold(why),
    };
    host.tenant
        .door
        .judge(Act::Look, &deed)
        .map_err(|_| Failure::stopped())
}

/// What a call does, by its path as a script writes it; `None`: it only reads.
pub(crate) fn class(method: &Method, path: &str) -> Option<Class> {
    Class::of_path(method, &decoded(path))
}

/// Whether a body takes something out of what is there: an entry of a delta that is `@removed`, or a `$deletedEntity`.
pub(crate) fn takes_out(body: &Value) -> bool {
    match body {
        Value::Array(entries) => entries.iter().any(takes_out),
        Value::Object(entries) => entries.iter().any(|(name, value)| {
            // A context that is not `$deletedEntity` adds.
            let is_addition = value
                .as_str()
                .is_some_and(|text| !text.to_ascii_lowercase().contains("deleted"));
            let is_removal = may_take_out(name) && !(is_context(name) && is_addition);
            is_removal || takes_out(value)
        }),
        _ => false,
    }
}

/// Whether a body says nothing but which artifacts a draft gets or loses. What the service makes of other properties, a whole list
/// in the place of a delta for one, runback does not know.
fn only_edits(body: &Value) -> bool {
    let entries = body.as_object();
    entries.is_some_and(|entries| entries.keys().all(|name| is_delta(name)))
}

/// `mailboxRestoreArtifacts@delta`, and those of the other workloads and of single items.
pub(crate) fn is_delta(name: &str) -> bool {
    name.ends_with("RestoreArtifacts@delta")
}

/// Whether a property of this name can say that its entry is taken out, whatever stands there.
pub(crate) fn may_take_out(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with("removed") || lower.contains("deleted") || is_context(name)
}

fn is_context(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("context")
}

/// Nothing is known of what such a call does, so nothing can be looked up: its author says whether twice does harm.
struct LookAway {
    again: bool,
}

#[async_trait]
impl Look for LookAway {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        Ok(if self.again {
            Verdict::Again(lost.call.clone())
        } else {
            Verdict::Unclear("runback cannot look whether it has happened".to_owned())
        })
    }
}

/// Headers that are the host's own business: who asks, how the answer looks, what the body is, how it travels.
const RESERVED: [&str; 13] = [
    "authorization",
    "host",
    "prefer",
    "content-length",
    "client-request-id",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "cookie",
    "expect",
];

/// With these a POST would be something else by the time that the service reads it.
fn changes_the_method(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    name.contains("methodoverride") || name.contains("httpmethod")
}

fn call(
    operation: &'static str,
    method: Method,
    path: &str,
    options: &OptionMap,
) -> Result<Call, Failure> {
    let mut call = Call::new(operation, method, path::checked(path)?);
    call.version = options.version()?;
    for (name, value) in options.map("headers")?.unwrap_or_default() {
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) || changes_the_method(&name) {
            return Err(Failure::new(
                "BadOption",
                format!("header `{name}` cannot be set: runback sets it"),
            ));
        }
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        let value = value.to_string();
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if name.is_empty() || !is_name || !plain(&value) {
            return Err(Failure::new(
                "BadOption",
                format!("header `{name}` cannot be sent: letters, digits and printable text only"),
            ));
        }
        call = call.header(name.to_string(), value);
    }
    Ok(call)
}
