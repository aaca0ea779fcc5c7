//! `--auth auto`: the order, the reasons under `-v`, and what is never passed over.

use rexpect::session::spawn_command;
use serde_json::json;

use super::machine::{az_token, with_az};
use crate::support::{Bench, Done, Entra, refusal, token};

/// What `-v` says of each method, in its order.
fn tried(done: &Done) -> Vec<&str> {
    let lines = done.stderr.lines();
    lines
        .filter_map(|line| line.split_once("sign-in: "))
        .map(|(_, said)| said)
        .collect()
}

fn without_az(bench: Bench) -> Bench {
    bench.variable("PATH", "/nowhere")
}

#[test]
fn each_method_is_looked_at_in_order_and_says_why_it_was_not_taken() {
    let entra = Entra::generous();
    let done = without_az(entra.bench()).flags(&["-v"]).run().expect(6);
    let expected = [
        "secret was not taken: AZURE_CLIENT_SECRET is not set",
        "certificate was not taken: AZURE_CLIENT_CERTIFICATE_PATH is not set",
        "token was not taken: RUNBACK_ACCESS_TOKEN is not set",
        "workload-identity was not taken: AZURE_FEDERATED_TOKEN_FILE is not set",
        "managed-identity was not taken: no metadata service at `http://127.0.0.1:1`: connection refused",
        "cli was not taken: `az` was not found",
        "device-code was not taken: there is no terminal to show a code on",
    ];
    assert_eq!(tried(&done), expected, "{done}");
    // The error says the same to whoever has not thought of `-v`.
    let done = without_az(entra.bench()).run().expect(6);
    for line in expected {
        assert!(done.stderr.contains(&format!("= {line}")), "{done}");
    }
    assert_eq!(entra.asked().len(), 0);
}

#[test]
fn the_first_that_is_there_is_taken_and_said() {
    let entra = Entra::generous();
    let all = || {
        with_az(entra.bench(), &az_token())
            .flags(&["-v"])
            .file("pod.jwt", "pod")
    };
    let secret = all()
        .variable("AZURE_CLIENT_SECRET", "s")
        .variable("AZURE_FEDERATED_TOKEN_FILE", "pod.jwt");
    assert_eq!(
        tried(&secret.run().expect(0)),
        ["secret was taken: AZURE_CLIENT_SECRET is set"]
    );
    let workload = all().variable("AZURE_FEDERATED_TOKEN_FILE", "pod.jwt");
    let done = workload.run().expect(0);
    assert_eq!(tried(&done).len(), 4, "{done}");
    assert_eq!(
        tried(&done)[3],
        "workload-identity was taken: AZURE_FEDERATED_TOKEN_FILE is set"
    );
    let done = all().run().expect(0);
    assert_eq!(tried(&done).len(), 6, "{done}");
    assert_eq!(
        tried(&done)[5],
        "cli was taken: somebody is signed in to `az`"
    );
    let by_name = all().flags(&["--auth", "cli"]);
    assert_eq!(
        tried(&by_name.run().expect(0)),
        ["cli was taken: it was asked for"]
    );
}

#[test]
fn a_refusal_is_never_passed_over() {
    let entra = Entra::new(|_| {
        refusal(
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided.",
        )
    });
    let bench = with_az(entra.bench(), &az_token()).variable("AZURE_CLIENT_SECRET", "wrong");
    let done = bench.run().expect(6);
    assert!(done.stderr.contains("AADSTS7000215"), "{done}");
    assert!(!bench.path("asked").exists(), "az was not asked");

    let expired = "echo 'ERROR: AADSTS700082: The refresh token has expired. Please run: az login' >&2; exit 1";
    let done = with_az(entra.bench(), expired).run().expect(6);
    assert!(done.stderr.contains("AADSTS700082"), "{done}");

    let half = Bench::new()
        .variable("AZURE_CLIENT_SECRET", "s")
        .variable("RUNBACK_ACCESS_TOKEN", "t")
        .script("1");
    let done = half.run().expect(2);
    assert!(
        done.stderr
            .contains("AZURE_CLIENT_SECRET is set, but not AZURE_TENANT_ID and AZURE_CLIENT_ID"),
        "{done}"
    );
}

#[test]
fn a_run_that_calls_nothing_looks_at_nothing() {
    let done = Bench::new().flags(&["-v"]).script("1 + 1").run().expect(0);
    assert_eq!(tried(&done), [""; 0]);
}

#[test]
fn on_a_terminal_the_last_resort_is_a_code() {
    let entra = Entra::new(|asked| {
        if asked.path.ends_with("/devicecode") {
            let code = json!({"user_code": "ABCD-1234", "device_code": "d", "verification_uri": "https://login.example/device", "expires_in": 900, "interval": 0});
            return (200, code.to_string());
        }
        token()
    });
    let bench = without_az(entra.bench());
    let mut command = bench.command();
    command.args(["run", "script.rhai"]);
    let mut terminal = spawn_command(command, Some(30_000)).unwrap();
    terminal
        .exp_string("to sign in, open https://login.example/device and enter the code ABCD-1234")
        .unwrap();
    let rest = terminal.exp_eof().unwrap();
    assert!(rest.contains('2'), "{rest}");
    assert_eq!(entra.asked().len(), 2);
}
