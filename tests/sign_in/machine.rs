//! `--auth managed-identity`, `workload-identity` and `cli`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Bench, CLIENT, Entra, Fake, Reply, refusal};

fn in_a_day() -> i64 {
    jiff::Timestamp::now().as_second() + 86_400
}

fn machine_token() -> Reply {
    let ends = in_a_day().to_string();
    Reply::Json(
        200,
        json!({"access_token": "good-token", "expires_on": ends, "resource": "r", "token_type": "Bearer"}),
    )
}

#[test]
fn app_service_is_asked_at_its_endpoint() {
    let entra = Entra::generous();
    let platform = Fake::new(|line, request| {
        assert!(
            line.starts_with("GET /msi/token?api-version=2019-08-01&resource=https"),
            "{line}"
        );
        assert_eq!(request.header("x-identity-header"), Some("the-header"));
        machine_token()
    });
    let bench = entra
        .bench()
        .variable("AZURE_CLIENT_ID", "")
        .variable("IDENTITY_ENDPOINT", &format!("{}/msi/token", platform.url))
        .variable("IDENTITY_HEADER", "the-header");
    let done = bench.run().expect(0);
    assert_eq!(done.stdout, "2\n", "{done}");
    let by_name = bench.flags(&["--auth", "managed-identity", "--client-id", "user-assigned"]);
    by_name.run().expect(0);
    let requests = platform.requests();
    assert_eq!(requests.len(), 2);
    assert!(!requests[0].contains("client_id"), "{requests:?}");
    assert!(
        requests[1].contains("client_id=user-assigned"),
        "{requests:?}"
    );
}

#[test]
fn a_virtual_machine_is_asked_at_its_metadata_address() {
    let entra = Entra::generous();
    let metadata = Fake::new(|_, request| {
        assert_eq!(request.header("metadata"), Some("true"));
        machine_token()
    });
    let bench = entra
        .bench()
        .variable("AZURE_POD_IDENTITY_AUTHORITY_HOST", &metadata.url)
        .flags(&["--auth", "managed-identity"]);
    bench.run().expect(0);
    let requests = metadata.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("GET /metadata/identity/oauth2/token?"),
        "{requests:?}"
    );
    assert!(
        requests[0].ends_with(&format!("client_id={CLIENT}")),
        "{requests:?}"
    );
}

#[test]
fn a_machine_without_an_identity_is_told_soon() {
    let entra = Entra::generous();
    let begun = Instant::now();
    let done = entra
        .bench()
        .flags(&["--auth", "managed-identity"])
        .run()
        .expect(6);
    assert!(
        done.stderr
            .contains("no metadata service at `http://127.0.0.1:1`: connection refused"),
        "{done}"
    );
    assert!(done.stderr.contains("--auth secret"), "{done}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{done}");
    let arc = entra
        .bench()
        .variable("IDENTITY_ENDPOINT", "http://127.0.0.1:1")
        .variable("IMDS_ENDPOINT", "http://127.0.0.1:1")
        .flags(&["--auth", "managed-identity"]);
    let done = arc.run().expect(6);
    assert!(
        done.stderr
            .contains("the managed identity of Azure Arc cannot be used"),
        "{done}"
    );
}

#[test]
fn a_pods_token_is_exchanged() {
    let entra = Entra::generous();
    let bench = entra
        .bench()
        .variable("AZURE_FEDERATED_TOKEN_FILE", "pod.jwt")
        .file("pod.jwt", "what-the-cluster-says");
    bench.run().expect(0);
    let asked = entra.asked();
    assert_eq!(asked[0].of("client_assertion"), "what-the-cluster-says");
    assert_eq!(
        asked[0].of("client_assertion_type"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );

    let missing = entra
        .bench()
        .variable("AZURE_FEDERATED_TOKEN_FILE", "none.jwt");
    let done = missing.run().expect(2);
    assert!(
        done.stderr
            .contains("the federated token file `none.jwt` cannot be used: No such file"),
        "{done}"
    );

    let entra = Entra::new(|_| {
        refusal(
            "invalid_client",
            "AADSTS700213: No matching federated identity record found for presented assertion subject 'x'.",
        )
    });
    let refused = entra
        .bench()
        .variable("AZURE_FEDERATED_TOKEN_FILE", "pod.jwt")
        .file("pod.jwt", "what-the-cluster-says");
    let done = refused.run().expect(6);
    assert!(done.stderr.contains("Federated credentials"), "{done}");
}

/// A bench whose `az` is this shell script.
pub(super) fn with_az(bench: Bench, script: &str) -> Bench {
    let bench = bench.file("bin/az", format!("#!/bin/sh\n{script}\n"));
    let az = bench.path("bin/az");
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bench.path("bin").display());
    bench.variable("PATH", &path)
}

pub(super) fn az_token() -> String {
    let answer = json!({"accessToken": "good-token", "expiresOn": "2030-01-02 03:04:05.000000", "expires_on": in_a_day(), "tenant": "t", "tokenType": "Bearer"});
    format!("echo \"$@\" >> \"$HOME/asked\"; echo '{answer}'")
}

#[test]
fn the_azure_cli_lends_its_sign_in() {
    let entra = Entra::generous();
    let bench = with_az(entra.bench(), &az_token()).flags(&["--auth", "cli"]);
    let done = bench.run().expect(0);
    assert_eq!(done.stdout, "2\n", "{done}");
    assert_eq!(
        bench.read("asked"),
        format!(
            "account get-access-token -o json --scope {}/.default --tenant contoso.example\n",
            entra.url
        )
    );
    assert_eq!(entra.asked().len(), 0);
}

#[test]
fn what_is_wrong_with_the_azure_cli_is_told() {
    let entra = Entra::generous();
    let rows = [
        (
            "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
            "nobody is signed in to `az`",
            "run `az login`",
        ),
        (
            "echo 'ERROR: AADSTS50076: Due to a configuration change you must use multi-factor authentication.' >&2; exit 1",
            "`az` gave no token: AADSTS50076",
            "`az login`",
        ),
        (
            "echo '{\"accessToken\":\"x\",\"tokenType\":\"Bearer\"}'",
            "expires_on",
            "2.54.0",
        ),
        ("echo nonsense", "`az` gave no token", "`az login`"),
    ];
    for (script, said, hint) in rows {
        let done = with_az(entra.bench(), script)
            .flags(&["--auth", "cli"])
            .run()
            .expect(6);
        assert!(done.stderr.contains(said), "{done}");
        assert!(done.stderr.contains(hint), "{done}");
    }
    let bench = entra
        .bench()
        .variable("PATH", "/nowhere")
        .flags(&["--auth", "cli"]);
    let done = bench.run().expect(6);
    assert!(done.stderr.contains("`az` was not found"), "{done}");
    assert!(done.stderr.contains("install the Azure CLI"), "{done}");
}
