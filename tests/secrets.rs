//! No secret in any output at any level, whatever goes wrong. (Every other test is a test of that too: `support/secrets.rs`.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::secrets::{CLIENT_SECRET, MARK, TOKEN};
use crate::support::{Bench, Done, Entra, Fake, Reply};

const REPORTS: &[&str] = &[
    "--report", "r.json", "--report", "r.csv", "--report", "r.xml", "--report", "r.html",
];

/// The ways of speaking that say most.
const MANNERS: &[&[&str]] = &[&["-vvv"], &["-vvv", "--log-format", "json"]];

/// Runs a script in every manner, each time against a server of its own, with the token. A secret anywhere fails the test by
/// itself.
#[track_caller]
fn in_every_manner(server: impl Fn() -> Fake, script: &str) -> Vec<Done> {
    let run = |manner: &&[&str]| {
        let fake = server();
        let bench = Bench::new()
            .variable("RUNBACK_GRAPH_URL", &fake.url)
            .variable("RUNBACK_AUTH", "token")
            .variable("RUNBACK_ACCESS_TOKEN", TOKEN)
            .script(script)
            .flags(manner)
            .flags(REPORTS);
        let done = bench.run();
        assert_ne!(done.code, 0, "{done}");
        assert!(!fake.requests().is_empty(), "{done}");
        done
    };
    MANNERS.iter().map(run).collect()
}

/// A refusal that repeats the token, and is final.
fn refusal() -> Reply {
    let message = format!("what is {TOKEN}?");
    Reply::Json(400, json!({"error": {"code": "Bad", "message": message}}))
}

#[test]
fn a_service_that_repeats_the_token_is_not_repeated() {
    let header = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    let answers: Vec<Arc<dyn Fn() -> Reply + Send + Sync>> = vec![
        // In its words: the whole of it, the end of it cut off, in a code, in an id.
        Arc::new(|| {
            Reply::Json(
                400,
                json!({"error": {"code": "Bad", "message": format!("what is {TOKEN}?")}}),
            )
        }),
        Arc::new(|| {
            Reply::Json(
                400,
                json!({"error": {"code": "Bad", "message": format!("Authorization: Bearer {TOKEN}{TOKEN}")}}),
            )
        }),
        Arc::new(|| {
            Reply::Json(
                403,
                json!({"error": {"code": TOKEN, "message": "no", "innerError": {"request-id": TOKEN}}}),
            )
        }),
        // As a gateway does: a page, plain text, a broken document, another place.
        Arc::new(move || {
            Reply::Full(
                502,
                header("content-type", "text/html"),
                format!("<title>no way for {TOKEN}</title>"),
            )
        }),
        Arc::new(move || {
            Reply::Full(
                200,
                header("content-type", "text/html"),
                format!("<title>hello {TOKEN}</title>"),
            )
        }),
        Arc::new(move || {
            Reply::Full(
                500,
                header("content-type", "text/plain"),
                format!("unexpected: bearer {TOKEN}"),
            )
        }),
        Arc::new(move || {
            Reply::Full(
                200,
                header("content-type", "application/json"),
                format!("{{\"value\": \"{TOKEN}"),
            )
        }),
        Arc::new(move || {
            Reply::Full(
                302,
                header(
                    "location",
                    &format!("https://login.example/{TOKEN}?token={TOKEN}"),
                ),
                String::new(),
            )
        }),
        Arc::new(|| {
            Reply::Json(
                200,
                json!({"value": [], "@odata.nextLink": format!("https://other.example/?$skiptoken={TOKEN}")}),
            )
        }),
        Arc::new(|| {
            Reply::Json(
                401,
                json!({"error": {"code": "InvalidAuthenticationToken", "message": format!("{TOKEN} is old")}}),
            )
        }),
    ];
    for answer in answers {
        let server = || {
            let (answer, is_first) = (answer.clone(), AtomicBool::new(true));
            // What is tried again is refused then: the test need not wait for the last try.
            Fake::new(move |_, _| {
                if is_first.swap(false, Ordering::SeqCst) {
                    answer()
                } else {
                    refusal()
                }
            })
        };
        let done = in_every_manner(server, "for user in users::list() { print(user.id); }");
        assert!(done[0].stderr.contains("graph call"), "{}", done[0]);
    }
    // Changes are logged too, with their outcome.
    for script in ["users::list().count()", "exchange::create_session()"] {
        let done = in_every_manner(|| Fake::new(|_, _| refusal()), script);
        assert!(done[0].stderr.contains("what is [token]"), "{}", done[0]);
    }
}

#[test]
fn a_sign_in_service_that_repeats_the_form_is_not_repeated() {
    let in_form = "client_secret=hush-hush%7Eclient.secret_8Q%7Ex%2F%2B%3D&scope=x";
    let answers = [
        (400, json!({"error": "invalid_request", "error_description": format!("AADSTS900144: {in_form}")}).to_string()),
        (400, json!({"error": "invalid_request", "error_description": format!("AADSTS900144: {}{CLIENT_SECRET}", "x".repeat(375))}).to_string()),
        (400, format!("you sent {in_form}")),
        (400, format!("<title>{CLIENT_SECRET}</title>")),
        (200, format!("{{\"token_type\":\"Bearer\",\"client_secret\":\"{CLIENT_SECRET}\"}}")),
        (200, format!("{{\"token_type\":\"Bearer\",\"access_token\":\"{TOKEN}\"")),
    ];
    for (status, body) in answers {
        let entra = Entra::answering(status, &body);
        for manner in MANNERS {
            let bench = Bench::new()
                .variable("AZURE_TENANT_ID", "contoso.example")
                .variable("AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555")
                .variable("AZURE_CLIENT_SECRET", CLIENT_SECRET)
                .variable("AZURE_AUTHORITY_HOST", &entra.url)
                .file("ca.pem", &entra.authority)
                .script("users::list().count()")
                .flags(&[
                    "--graph-url",
                    &entra.url,
                    "--ca-file",
                    "ca.pem",
                    "--max-time",
                    "1s",
                ])
                .flags(manner)
                .flags(REPORTS);
            let done = bench.run();
            assert_ne!(done.code, 0, "{body}\n{done}");
        }
    }
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let signature = "\"hush\" + \"-hush-signature\"";
    for script in [
        format!("graph::get(\"https://store.example/blob?sig=\" + {signature})"),
        format!("graph::get(\"/a/../b?sig=\" + {signature})"),
        format!("graph::get(\"/users?sig=\" + {signature})"),
        format!("graph::post(\"/users?sig=\" + {signature}, #{{}})"),
        format!("graph::pages(\"/users?sig=\" + {signature}).count()"),
    ] {
        for manner in MANNERS {
            // Nobody listens at the proxy, which has a password.
            let bench = Bench::new()
                .variable("RUNBACK_AUTH", "token")
                .variable("RUNBACK_ACCESS_TOKEN", TOKEN)
                .variable(
                    "HTTPS_PROXY",
                    &format!("http://admin:{MARK}-proxy@127.0.0.1:9"),
                )
                .script(&script)
                .flags(&[
                    "--graph-url",
                    "https://graph.example",
                    "--max-time",
                    "1s",
                    "--yes",
                ])
                .flags(manner)
                .flags(REPORTS);
            let done = bench.run();
            assert_ne!(done.code, 0, "{script}\n{done}");
        }
    }
}

#[test]
fn a_program_that_dies_says_no_secret() {
    let server = || Fake::new(|_, _| Reply::Json(200, json!({"value": [{"id": "a"}]})));
    // What no guard within the process can catch: more memory than there is.
    for done in in_every_manner(server, "users::list().count(); blob(1000000000000);") {
        assert_eq!(done.code, 134, "{done}");
    }
    // And what comes from outside, while a call is on its way.
    let fake = Fake::new(|_, _| Reply::Trickle);
    for signal in ["KILL", "ABRT", "TERM"] {
        let bench = Bench::new()
            .variable("RUNBACK_GRAPH_URL", &fake.url)
            .variable("RUNBACK_AUTH", "token")
            .variable("RUNBACK_ACCESS_TOKEN", TOKEN)
            .script("debug(\"up\"); users::list().count();")
            .flags(&["-vvv"])
            .flags(REPORTS);
        let mut running = bench.start();
        running.hears("up").signal(signal);
        assert_ne!(running.finish().code, 0);
    }
}

#[test]
fn doctor_says_no_secret() {
    let fake = Fake::new(|_, _| refusal());
    for manner in MANNERS {
        let bench = Bench::new()
            .variable("RUNBACK_GRAPH_URL", &fake.url)
            .variable("RUNBACK_AUTH", "token")
            .variable("RUNBACK_ACCESS_TOKEN", TOKEN)
            .variable(
                "HTTPS_PROXY",
                &format!("http://admin:{MARK}-proxy@127.0.0.1:9"),
            )
            .flags(manner);
        assert_ne!(bench.runback(&["doctor"]).code, 0);
    }
}
