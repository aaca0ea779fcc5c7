//! Files as OpenSSL 3 writes them; `tests/certificates/make.sh` made them.

use std::path::PathBuf;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use x509_parser::pem::parse_x509_pem;

use super::*;

const PASSWORD: &str = "open sesame";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/certificates")
        .join(name)
}

fn load(name: &str, password: Option<&str>) -> Result<Credential, Trouble> {
    let file = path(name);
    parse(&read(&file)?, &file, password)
}

/// The thumbprint of `cert.pem`, as OpenSSL says it.
fn thumbprint() -> String {
    let text = std::fs::read(path("cert.pem")).unwrap();
    let (_, pem) = parse_x509_pem(&text).unwrap();
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&pem.contents);
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash)
}

#[test]
fn every_usual_form_of_one_certificate_is_read() {
    let rows = [
        ("pkcs8.pem", None),
        ("pkcs8.pem", Some("not needed")),
        ("pkcs1.pem", None),
        ("encrypted.pem", Some(PASSWORD)),
        ("encrypted-3des.pem", Some(PASSWORD)),
        ("encrypted-sha1.pem", Some(PASSWORD)),
        ("encrypted-scrypt.pem", Some(PASSWORD)),
        ("modern.pfx", Some(PASSWORD)),
        ("legacy.pfx", Some(PASSWORD)),
        ("no-mac.pfx", Some(PASSWORD)),
        ("open.pfx", None),
    ];
    for (name, password) in rows {
        let credential =
            load(name, password).unwrap_or_else(|trouble| panic!("{name}: {trouble:?}"));
        assert_eq!(credential.thumbprint, thumbprint(), "{name}");
        assert!(credential.not_before < credential.not_after);
        // A year that PKIX writes with four digits.
        assert!(credential.not_after.to_string().starts_with("21"), "{name}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn each_file_that_cannot_be_used_has_its_own_words() {
    let rows = [
        (
            "missing.pem",
            None,
            false,
            "No such file",
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        (
            ".",
            None,
            false,
            "it is a folder",
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        (
            "make.sh",
            None,
            false,
            "neither PEM nor PKCS#12",
            "private key",
        ),
        ("key.pem", None, false, "no certificate in it", "cat "),
        (
            "cert.pem",
            None,
            false,
            "no private key in it",
            "cat key.pem",
        ),
        (
            "cert.der",
            None,
            false,
            "without its private key",
            "export it",
        ),
        ("mismatch.pem", None, true, "does not belong", "one file"),
        ("ec.pem", None, true, "an EC key", "openssl req"),
        ("small.pem", None, true, "cannot sign", "2048"),
        (
            "encrypted.pem",
            None,
            false,
            "key is encrypted",
            "CERTIFICATE_PASSWORD",
        ),
        (
            "encrypted.pem",
            Some("x"),
            true,
            "not its password",
            "openssl pkey",
        ),
        (
            "encrypted-scrypt.pem",
            Some("x"),
            true,
            "not its password",
            "openssl pkey",
        ),
        (
            "encrypted-md5.pem",
            Some(PASSWORD),
            false,
            "cannot be decrypted",
            "openssl pkey",
        ),
        (
            "sealed.pem",
            Some(PASSWORD),
            false,
            "OpenSSL's old way",
            "openssl pkey",
        ),
        (
            "modern.pfx",
            None,
            false,
            "needs a password",
            "CERTIFICATE_PASSWORD",
        ),
        (
            "modern.pfx",
            Some("x"),
            true,
            "not its password",
            "openssl pkcs12",
        ),
        (
            "legacy.pfx",
            Some("x"),
            true,
            "not its password",
            "openssl pkcs12",
        ),
        (
            "no-mac.pfx",
            Some("x"),
            true,
            "not its password",
            "openssl pkcs12",
        ),
        (
            "rc2-128.pfx",
            Some(PASSWORD),
            false,
            "not known here",
            "-legacy",
        ),
        (
            "no-key.pfx",
            Some(PASSWORD),
            false,
            "no private key",
            "export",
        ),
        (
            "no-cert.pfx",
            Some(PASSWORD),
            false,
            "no certificate",
            "export",
        ),
    ];
    for (name, password, is_read, cause, hint) in rows {
        let Err(trouble) = load(name, password) else {
            panic!("{name}")
        };
        assert!(trouble.cause.contains(cause), "{name}: {trouble:?}");
        assert!(trouble.hint.contains(hint), "{name}: {trouble:?}");
        assert_eq!(trouble.is_read, is_read, "{name}: {trouble:?}");
        assert!(!format!("{trouble:?}").contains(PASSWORD));
    }
}

#[test]
fn content_that_is_nothing_is_told_as_what_it_is() {
    let rows: [(&[u8], &str, &str); 4] = [
        (b"MIIKcQIBAzCC\nAbc=", "neither PEM nor PKCS#12", "base64 -d"),
        (b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n", "damaged PEM", "export"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "private key is damaged", "export"),
        (&[0x30, 0x82, 0xff, 0xff, 1], "no PKCS#12", "openssl pkcs12"),
    ];
    for (bytes, cause, hint) in rows {
        let trouble = parse(bytes, &path("x"), Some("x")).err().unwrap();
        assert!(trouble.cause.contains(cause), "{trouble:?}");
        assert!(trouble.hint.contains(hint), "{trouble:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.pem");
    std::fs::write(&file, "").unwrap();
    assert_eq!(read(&file).unwrap_err().cause, "it is empty");
    std::fs::write(&file, vec![b'x'; 2 << 20]).unwrap();
    assert_eq!(read(&file).unwrap_err().cause, "it is larger than 1 MiB");
}

/// Damaged anywhere, a file is refused or read, and nothing panics or takes long.
#[test]
fn a_damaged_file_is_no_danger() {
    for name in ["open.pfx", "legacy.pfx", "pkcs8.pem"] {
        let whole = read(&path(name)).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..=random.usize(0..3) {
                let at = random.usize(0..bytes.len().min(400));
                bytes[at] = random.u8(..);
            }
            let _ = parse(&bytes, &path(name), Some("wrong"));
            let _ = parse(&whole[..random.usize(0..whole.len())], &path(name), None);
        }
    }
}

#[test]
fn an_assertion_says_who_for_whom_and_how_long() {
    let credential = load("modern.pfx", Some(PASSWORD)).unwrap();
    let now: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
    let audience = "https://login.example/t/oauth2/v2.0/token";
    let sign = || assertion::sign(&credential, "client-1", audience, now).unwrap();
    let text = sign();
    let header = jsonwebtoken::decode_header(&text).unwrap();
    assert_eq!(header.alg, Algorithm::PS256);
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(header.x5t_s256, Some(thumbprint()));
    assert_eq!((header.x5t, header.kid), (None, None));

    let pem = std::fs::read(path("cert.pem")).unwrap();
    let (_, pem) = parse_x509_pem(&pem).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let key = DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data);
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    let claims = |text: &str| {
        jsonwebtoken::decode::<serde_json::Value>(text, &key, &validation)
            .unwrap()
            .claims
    };
    let first = claims(&text);
    assert_eq!(
        (&first["iss"], &first["sub"]),
        (&"client-1".into(), &"client-1".into())
    );
    assert_eq!(first["nbf"], now.as_second());
    assert_eq!(first["exp"], now.as_second() + 600);
    assert_ne!(first["jti"], claims(&sign())["jti"]);
}
