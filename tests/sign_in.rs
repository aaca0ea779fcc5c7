//! Every way of signing in, through the real binary: what goes over the wire, what a person sees, how it ends.

mod auto;
mod certificate;
mod device_code;
mod machine;
mod network;

use crate::support::{Entra, TENANT, refusal};

/// `/contoso.example/oauth2/v2.0/token`
fn token_path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

#[test]
fn a_secret_is_sent_in_the_form_of_the_standard() {
    let entra = Entra::generous();
    let bench = entra.bench().variable("AZURE_CLIENT_SECRET", "s3cret+/= ä");
    let done = bench.run().expect(0);
    assert_eq!(done.stdout, "2\n", "{done}");
    let asked = entra.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, token_path());
    assert_eq!(
        asked[0].names(),
        ["client_id", "client_secret", "grant_type", "scope"]
    );
    assert_eq!(asked[0].of("grant_type"), "client_credentials");
    assert_eq!(asked[0].of("client_secret"), "s3cret+/= ä");
    assert_eq!(asked[0].of("scope"), format!("{}/.default", entra.url));
}

#[test]
fn what_entra_refuses_is_told_in_its_words_with_what_to_do() {
    let rows = [
        (
            "invalid_client",
            "AADSTS7000222: The provided client secret keys for app 'x' are expired.",
            "make a new one",
        ),
        (
            "unauthorized_client",
            "AADSTS700016: Application with identifier 'x' was not found in the directory 'y'.",
            "AZURE_CLIENT_ID",
        ),
        (
            "invalid_request",
            "AADSTS90002: Tenant 'contoso.example' not found.",
            "AZURE_TENANT_ID",
        ),
        (
            "invalid_client",
            "AADSTS7000112: Application 'x'(runback) is disabled.",
            "enable it",
        ),
        (
            "access_denied",
            "AADSTS53003: Access has been blocked by Conditional Access policies.",
            "conditional access",
        ),
    ];
    for (error, description, hint) in rows {
        let entra = Entra::new(move |_| refusal(error, description));
        let bench = entra
            .bench()
            .variable("AZURE_CLIENT_SECRET", "not-the-secret");
        let done = bench.run().expect(6);
        let line = format!("error: sign-in failed: {description}\n");
        assert!(done.stderr.starts_with(&line), "{done}");
        assert!(done.stderr.contains(hint), "{done}");
        assert!(!done.to_string().contains("not-the-secret"), "{done}");
        assert_eq!(entra.asked().len(), 1, "{error}: not tried again");
    }
}

#[test]
fn a_tenant_that_is_none_goes_into_no_address() {
    let entra = Entra::generous();
    for tenant in ["contoso/evil", "a b", "..", "x?y", "-x"] {
        let bench = entra
            .bench()
            .variable("AZURE_CLIENT_SECRET", "s")
            .variable("AZURE_TENANT_ID", tenant);
        let done = bench.run().expect(2);
        assert!(
            done.stderr.contains(&format!("`{tenant}` is no tenant")),
            "{done}"
        );
    }
    assert_eq!(entra.asked().len(), 0);
}
