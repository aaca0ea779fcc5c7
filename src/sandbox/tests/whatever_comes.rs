//! What callers send, bent: fault specifications, filters, whole requests.

use reqwest::Method;

use super::{Bench, artifacts};
use crate::fuzz::Target;
use crate::sandbox::Faults;
use crate::sandbox::faults::FaultPlan;
use crate::sandbox::filter::{Filter, Literal};

#[test]
fn a_fault_specification_is_read_whatever_comes() {
    let seeds = [
        "429=5%:retry-after=1,503=1%,reset=0.5%,cut=0.5%,slow=1%:2s,lost-answer=0.5%,late=0.5%",
        "429=1x:retry-date=30@GET /users,503=1x:retry-raw=-5,504=1x:done@POST …/activate",
        "cut=1x:head,cut=1x:bare,trickle=1x:10ms,page=3x:empty@* /users/{id},date=1x:-10m,redirect=1x:host",
    ];
    let words = &[
        "429=",
        "500=",
        "late=",
        "page=",
        "date=",
        "slow=",
        "%",
        "x",
        ":",
        "@",
        ",",
        "…",
        "...",
        "GET /",
        ":done",
        ":retry-after=",
        ":retry-raw=",
        "99999h",
        "100%",
    ];
    Target::new("faults", &seeds, words).attack(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        match text.parse::<Faults>() {
            Err(error) => {
                let said = error.to_string();
                said.split('`').step_by(2).collect()
            }
            Ok(faults) => {
                let mut plan = FaultPlan::new(faults, 1);
                for template in ["GET /users", "POST /x/activate", "nothing"] {
                    plan.roll(template, false);
                    plan.roll(template, true);
                }
                "fine".to_owned()
            }
        }
    });
}

fn property(path: &str) -> Option<Literal> {
    Some(match path {
        "displayName" => Literal::Text("Zoë O'Brien".into()),
        "accountEnabled" => Literal::Flag(true),
        "assignedLicenses/$count" => Literal::Number(1),
        "mail" => Literal::Null,
        "protectionDateTime" => Literal::Time("2026-11-24T14:00:00Z".parse().expect("a constant")),
        _ => return None,
    })
}

#[test]
fn a_filter_is_read_whatever_comes() {
    let seeds = [
        "startswith(displayName,'Zo') and accountEnabled eq true",
        "not(accountEnabled eq true) or mail eq null",
        "displayName in ('a', 'b''c') and assignedLicenses/$count ne 0",
        "protectionDateTime lt 2026-11-24T14:00:00Z and (mail ne null)",
    ];
    let words = &[
        " and ",
        " or ",
        "not ",
        "not(",
        " eq ",
        " in (",
        "startswith(",
        "endswith(",
        "''",
        "'",
        "mail",
        "displayName",
        "null",
        "true",
        ",",
        "mail eq 1 or ",
    ];
    Target::new("filter", &seeds, words).attack(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let filter = match Filter::parse(&text) {
            Ok(filter) => filter,
            Err(why) => return why.split('`').step_by(2).collect(),
        };
        let terms = filter.terms();
        assert!(filter.conjuncts().len() <= terms.max(1));
        filter.only_equal(&["mail"]);
        filter.texts("mail");
        filter.is_advanced();
        match filter.matches(&property) {
            Ok(matches) => format!("{matches} {}", "i".repeat(terms.min(5))),
            Err(_) => "unknown".to_owned(),
        }
    });
}

/// The first line is method and address, the rest the body. Whatever is asked, there is an answer, and it is no bug's.
#[test]
fn a_request_is_answered_whatever_comes() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (bench, body, session) = runtime.block_on(async {
        let bench = Bench::still().await;
        let body = artifacts(&bench.points(2).await, "new").to_string();
        let session = bench.draft(&bench.points(1).await).await;
        (bench, body, session)
    });
    let delta = body.replace("RestoreArtifacts\"", "RestoreArtifacts@delta\"");
    let root = "/v1.0/solutions/backupRestore";
    let seeds = [
        format!("POST {root}/exchangeRestoreSessions\n{body}"),
        format!("PATCH {root}/exchangeRestoreSessions/{session}\n{delta}"),
        format!("GET {root}/exchangeRestoreSessions/{session}/mailboxRestoreArtifacts?$top=1&$expand=restorePoint\n"),
        format!("POST {root}/restorePoints/search\n{{\"protectionUnitIds\":[\"{session}\"],\"protectionTimePeriod\":{{\"startDateTime\":\"2026-01-01T00:00:00Z\",\"endDateTime\":\"2026-11-01T00:00:00Z\"}},\"restorePointPreference\":\"latest\"}}"),
        format!("GET {root}/protectionUnits/microsoft.graph.mailboxProtectionUnit?$top=3\n"),
        format!("GET {root}/restorePoints?$filter=protectionUnit/id eq '{session}' and protectionDateTime lt 2026-11-01T00:00:00Z&$orderby=protectionDateTime desc\n"),
        "GET /beta/users?$filter=startswith(displayName,'A')&$count=true&$select=id,mail&$top=5\n".to_owned(),
        "GET /v1.0/groups?$filter=displayName eq 'Finance'\n".to_owned(),
        "POST /v1.0/$batch\n{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users\"}]}".to_owned(),
        "POST /_sandbox/break\n{\"chance\":\"never\"}".to_owned(),
        "POST /_sandbox/clock\n{\"advance\":\"1ms\"}".to_owned(),
        "POST /x/oauth2/v2.0/token\ngrant_type=client_credentials&client_id=x&client_secret=y&scope=z".to_owned(),
    ];
    let seeds = seeds.each_ref().map(String::as_str);
    let words = &[
        "GET ",
        "PATCH ",
        "DELETE ",
        "/v1.0",
        "/solutions/backupRestore/",
        "?$top=",
        "&$skiptoken=",
        "$filter=",
        "$select=",
        "$count=true",
        "@removed",
        "\"id\":",
        "\"restorePoint\":{\"id\":",
        "@delta",
        "\"destinationType\":",
        "%00",
        "\n",
    ];
    Target::new("request", &seeds, words).attack(move |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
        let (method, path) = head.split_once(' ').unwrap_or(("GET", head));
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            return "no method".to_owned();
        };
        // Faults of its own making are its business.
        if method == Method::HEAD || method == Method::CONNECT || path.contains("_sandbox/faults") {
            return "another method".to_owned();
        }
        let request = bench
            .client
            .request(
                method,
                format!("{}/{}", bench.url, path.trim_start_matches('/')),
            )
            .bearer_auth("sandbox-token")
            .header("content-type", "application/json")
            .header("consistencylevel", "eventual")
            .body(body.to_owned());
        let Ok(request) = request.build() else {
            return "no address".to_owned();
        };
        if request.url().as_str().len() > 60_000 {
            return "too long for HTTP".to_owned();
        }
        runtime.block_on(async {
            let response = bench.client.execute(request).await.expect("an answer");
            let status = response.status().as_u16();
            let body = response.bytes().await.expect("the whole answer");
            assert!(
                status < 500 || [500, 501, 503].contains(&status),
                "{status}"
            );
            if status < 300 && !body.is_empty() && body[0] == b'{' {
                serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
            }
            let code = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default();
            let marks = "i".repeat(usize::from(status / 100));
            format!("{marks} {}", code["error"]["code"])
        })
    });
}
