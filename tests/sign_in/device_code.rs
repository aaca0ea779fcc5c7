//! `--auth device-code`, as a person lives through it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Asked, Bench, CLIENT, Entra, Person, TENANT, refusal, token};

/// A service whose answers to polls are these; the interval is zero, so that no test waits.
fn entra(poll: impl Fn(usize, &Asked) -> (u16, String) + Send + Sync + 'static) -> Entra {
    let polls = AtomicUsize::new(0);
    Entra::new(move |asked| {
        if asked.path.ends_with("/devicecode") {
            let code = json!({
                "user_code": "ABCD-1234",
                "device_code": "the-device-code",
                "verification_uri": "https://login.example/device",
                "expires_in": 900,
                "interval": 0,
                "message": "To sign in, use a web browser …",
            });
            return (200, code.to_string());
        }
        poll(polls.fetch_add(1, SeqCst), asked)
    })
}

fn bench(entra: &Entra) -> Bench {
    entra.bench().flags(&["--auth", "device-code"])
}

fn pending() -> (u16, String) {
    refusal(
        "authorization_pending",
        "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    )
}

const LINE: &str = "to sign in, open https://login.example/device and enter the code ABCD-1234 (good for 15 min)\n";

#[test]
fn the_page_and_the_code_are_shown_plainly_and_the_run_goes_on() {
    let entra = entra(|poll, _| if poll < 2 { pending() } else { token() });
    let done = bench(&entra).run().expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("2\n", LINE));
    let asked = entra.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].path, format!("/{TENANT}/oauth2/v2.0/devicecode"));
    assert_eq!(asked[0].names(), ["client_id", "scope"]);
    assert_eq!(asked[0].of("client_id"), CLIENT);
    let scopes: Vec<&str> = asked[0].of("scope").split(' ').collect();
    for scope in [
        "offline_access",
        "BackupRestore-Restore.ReadWrite.All",
        "BackupRestore-Search.Read.All",
    ] {
        assert!(scopes.contains(&scope), "{scopes:?}");
    }
    for poll in &asked[1..] {
        assert_eq!(poll.path, format!("/{TENANT}/oauth2/v2.0/token"));
        assert_eq!(poll.names(), ["client_id", "device_code", "grant_type"]);
        assert_eq!(
            poll.of("grant_type"),
            "urn:ietf:params:oauth:grant-type:device_code"
        );
    }
}

#[test]
fn the_code_is_shown_however_quiet_the_run_is() {
    let entra = entra(|_, _| token());
    let done = bench(&entra).flags(&["-q"]).run().expect(0);
    assert_eq!(done.stderr, LINE);
    let done = bench(&entra)
        .flags(&["--log-format", "json"])
        .run()
        .expect(0);
    let line: serde_json::Value =
        serde_json::from_str(done.stderr.lines().next().unwrap()).unwrap();
    assert!(
        line["message"].as_str().unwrap().contains("ABCD-1234"),
        "{done}"
    );
}

#[test]
fn a_conversation_signs_in_at_the_first_statement_that_needs_it() {
    let entra = entra(|poll, _| if poll < 2 { pending() } else { token() });
    let bench = entra.bench();
    let mut person = Person::new(&bench, &["--auth", "device-code"]);
    assert!(person.says("40 + 2").contains("42"));
    assert_eq!(entra.asked().len(), 0);
    let shown = person.says("users::list().count()");
    let code = "open https://login.example/device and enter the code ABCD-1234";
    // As wide as the terminal, so that a line may break.
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(code), "{shown}");
    let shown = person.says("users::list().count()");
    assert!(!shown.contains("ABCD"), "{shown}");
    assert_eq!(person.quits().1, 0);
    assert_eq!(entra.asked().len(), 4);
}

#[test]
fn without_a_tenant_any_work_account_may_sign_in() {
    let entra = entra(|_, _| token());
    bench(&entra)
        .variable("AZURE_TENANT_ID", "")
        .run()
        .expect(0);
    assert_eq!(
        entra.asked()[0].path,
        "/organizations/oauth2/v2.0/devicecode"
    );
}

#[test]
fn without_a_client_id_it_says_what_is_needed() {
    let entra = entra(|_, _| token());
    let done = bench(&entra)
        .variable("AZURE_CLIENT_ID", "")
        .run()
        .expect(2);
    assert!(
        done.stderr.contains("needs the id of an app registration"),
        "{done}"
    );
    assert!(done.stderr.contains("--client-id"), "{done}");
    assert_eq!(entra.asked().len(), 0);
}

#[test]
fn each_end_is_told() {
    let rows = [
        (
            "authorization_declined",
            "the sign-in was declined in the browser",
        ),
        ("expired_token", "the code was not entered within 15 min"),
        ("invalid_client", "AADSTS7000218: as Entra says."),
    ];
    for (error, said) in rows {
        let entra = entra(move |poll, _| {
            if poll == 0 {
                pending()
            } else {
                refusal(error, "AADSTS7000218: as Entra says.")
            }
        });
        let done = bench(&entra).run().expect(6);
        assert!(
            done.stderr
                .contains(&format!("error: sign-in failed: {said}\n")),
            "{done}"
        );
        assert!(done.stderr.contains("hint: "), "{done}");
        assert_eq!(entra.asked().len(), 3, "{done}");
    }
}

#[test]
fn ctrl_c_while_somebody_types_ends_it_at_once() {
    let entra = Entra::new(|asked| {
        assert!(asked.path.ends_with("/devicecode"), "the interval is a day");
        let code = json!({"user_code": "ABCD-1234", "device_code": "d", "verification_uri": "https://login.example/device", "expires_in": 90_000, "interval": 86_400});
        (200, code.to_string())
    });
    let bench = bench(&entra);
    let mut running = bench.start();
    running.hears("ABCD-1234");
    let begun = Instant::now();
    running.signal("INT");
    let done = running.finish().expect(130);
    assert!(begun.elapsed() < Duration::from_secs(5), "{done}");
}
