//! `--auth certificate`: the assertion as it arrives, and each file that cannot be used.

use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sha2::{Digest as _, Sha256};

use super::token_path;
use crate::support::{Bench, CLIENT, Entra, refusal, token};

const PASSWORD: &str = "open sesame";

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
    std::fs::read(path.join(name)).unwrap()
}

fn bench(entra: &Entra, name: &str) -> Bench {
    entra
        .bench()
        .variable("AZURE_CLIENT_CERTIFICATE_PATH", name)
        .flags(&["--auth", "certificate"])
        .file(name, file(name))
}

/// The public part of the certificate behind the files, and its thumbprint.
fn public() -> (DecodingKey, String) {
    let der = file("cert.der");
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let key = DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data);
    let hash = Sha256::digest(&der);
    let thumbprint =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash);
    (key, thumbprint)
}

#[test]
fn pem_and_pkcs12_sign_the_same_claim() {
    for (name, password) in [
        ("pkcs8.pem", None),
        ("encrypted.pem", Some(PASSWORD)),
        ("modern.pfx", Some(PASSWORD)),
        ("legacy.pfx", Some(PASSWORD)),
    ] {
        let entra = Entra::generous();
        let mut bench = bench(&entra, name);
        if let Some(password) = password {
            bench = bench.variable("AZURE_CLIENT_CERTIFICATE_PASSWORD", password);
        }
        let done = bench.run().expect(0);
        assert_eq!(
            (done.stdout.as_str(), done.stderr.as_str()),
            ("2\n", ""),
            "{name}"
        );

        let asked = entra.asked();
        assert_eq!(asked.len(), 1, "{name}");
        let asked = &asked[0];
        assert_eq!(asked.path, token_path());
        assert_eq!(
            asked.names(),
            [
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "grant_type",
                "scope"
            ]
        );
        assert_eq!(asked.of("grant_type"), "client_credentials");
        assert_eq!(
            asked.of("client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(asked.of("client_id"), CLIENT);
        assert_eq!(asked.of("scope"), format!("{}/.default", entra.url));

        let (key, thumbprint) = public();
        let header = jsonwebtoken::decode_header(asked.of("client_assertion")).unwrap();
        assert_eq!(header.alg, Algorithm::PS256);
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        assert_eq!(header.x5t_s256, Some(thumbprint));
        let mut rules = Validation::new(Algorithm::PS256);
        rules.set_audience(&[format!("{}{}", entra.url, token_path())]);
        rules.set_issuer(&[CLIENT]);
        rules.sub = Some(CLIENT.to_owned());
        rules.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        rules.validate_nbf = true;
        let claims =
            jsonwebtoken::decode::<serde_json::Value>(asked.of("client_assertion"), &key, &rules)
                .unwrap_or_else(|error| panic!("{name}: {error}"))
                .claims;
        assert_eq!(claims["jti"].as_str().map(str::len), Some(36));
        let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
        assert_eq!(life, 600);
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn each_file_that_cannot_be_used_is_told_before_anything_starts() {
    let rows = [
        (
            "key.pem",
            None,
            2,
            "there is no certificate in it",
            "cat key.pem",
        ),
        (
            "cert.pem",
            None,
            2,
            "there is no private key in it",
            "cat key.pem",
        ),
        (
            "cert.der",
            None,
            2,
            "it is a certificate without its private key",
            "export",
        ),
        (
            "encrypted.pem",
            None,
            2,
            "its private key is encrypted",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        ),
        (
            "modern.pfx",
            None,
            2,
            "it needs a password",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        ),
        (
            "encrypted.pem",
            Some("wrong"),
            6,
            "AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password",
            "openssl pkey",
        ),
        (
            "modern.pfx",
            Some("wrong"),
            6,
            "AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password",
            "openssl pkcs12",
        ),
        (
            "mismatch.pem",
            None,
            6,
            "its private key does not belong to its certificate",
            "one file",
        ),
        (
            "ec.pem",
            None,
            6,
            "its private key is an EC key",
            "openssl req",
        ),
    ];
    for (name, password, exit, cause, hint) in rows {
        let entra = Entra::generous();
        let mut bench = bench(&entra, name).script("print(\"started\"); users::list().count()");
        if let Some(password) = password {
            bench = bench.variable("AZURE_CLIENT_CERTIFICATE_PASSWORD", password);
        }
        let done = bench.run().expect(exit);
        assert!(
            done.stderr.contains(&format!(
                "the certificate file `{name}` cannot be used: {cause}"
            )),
            "{done}"
        );
        assert!(done.stderr.contains(hint), "{done}");
        assert_eq!(
            (done.stdout.as_str(), entra.asked().len()),
            ("", 0),
            "{done}"
        );
    }
    let entra = Entra::generous();
    for (name, content, cause) in [
        ("missing.pem", None, "No such file"),
        ("empty.pem", Some(""), "it is empty"),
        ("text.pem", Some("hello"), "it is neither PEM nor PKCS#12"),
    ] {
        let mut bench = entra
            .bench()
            .variable("AZURE_CLIENT_CERTIFICATE_PATH", name);
        if let Some(content) = content {
            bench = bench.file(name, content);
        }
        let done = bench.run().expect(2);
        assert!(done.stderr.contains(cause), "{done}");
    }
    let folder = entra.bench().variable("AZURE_CLIENT_CERTIFICATE_PATH", ".");
    assert!(folder.run().expect(2).stderr.contains("it is a folder"));
}

/// A file with a certificate that ends so many days from now.
fn ending(days: i64) -> String {
    let day = |days: i64| {
        let instant = Timestamp::now() + (days * 24).hours();
        let date = instant.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let number = |number: i8| u8::try_from(number).unwrap();
        date_time_ymd(date.year().into(), number(date.month()), number(date.day()))
    };
    let key = String::from_utf8(file("key.pem")).unwrap();
    let mut params = CertificateParams::default();
    params.not_before = day(-400);
    params.not_after = day(days);
    let certificate = params
        .self_signed(&KeyPair::from_pem(&key).unwrap())
        .unwrap();
    format!("{key}{}", certificate.pem())
}

#[test]
fn a_certificate_that_ends_soon_is_said_and_used() {
    let entra = Entra::generous();
    let run = |days| {
        let bench = entra
            .bench()
            .variable("AZURE_CLIENT_CERTIFICATE_PATH", "mine.pem")
            .file("mine.pem", ending(days));
        bench
            .script("users::list().count(); users::list().count()")
            .run()
    };
    let done = run(10).expect(0);
    let lines: Vec<&str> = done.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{done}");
    assert!(
        lines[0].starts_with("warning: the certificate `mine.pem` ends on "),
        "{done}"
    );
    assert!(lines[0].contains("Certificates & secrets"), "{done}");
    assert_eq!(run(60).expect(0).stderr, "");
}

#[test]
fn an_expired_certificate_is_told_with_its_day() {
    let entra = Entra::generous();
    let bench = entra
        .bench()
        .variable("AZURE_CLIENT_CERTIFICATE_PATH", "mine.pem")
        .file("mine.pem", ending(-1));
    let done = bench.run().expect(6);
    assert!(
        done.stderr
            .contains("the certificate `mine.pem` expired on "),
        "{done}"
    );
    assert!(
        done.stderr.contains("AZURE_CLIENT_CERTIFICATE_PATH"),
        "{done}"
    );
    assert_eq!(entra.asked().len(), 0);
}

#[test]
fn a_certificate_that_entra_does_not_know_is_told_with_what_to_do() {
    let entra = Entra::new(|_| {
        refusal(
            "invalid_client",
            "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.",
        )
    });
    let done = bench(&entra, "pkcs8.pem").run().expect(6);
    assert!(done.stderr.contains("AADSTS700027"), "{done}");
    assert!(done.stderr.contains("upload the certificate"), "{done}");
    // What the form said is repeated by nobody.
    let entra = Entra::new(|asked| match asked.of("client_assertion") {
        "" => token(),
        assertion => (403, format!("<html><title>blocked: {assertion}</title>")),
    });
    let done = bench(&entra, "pkcs8.pem").run().expect(6);
    assert!(done.stderr.contains("blocked: [secret]"), "{done}");
}
