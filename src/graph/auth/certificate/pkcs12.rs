//! Certificate and key from a PKCS#12 file (`.pfx`, `.p12`).

use std::path::Path;

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use secrecy::zeroize::Zeroizing;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Trouble;
use super::key::{Found, Key};

/// Takes the first private key and all certificates. An absent password is an empty one: many files have none.
pub(super) fn read(bytes: &[u8], file: &Path, password: Option<&str>) -> Result<Found, Trouble> {
    let name = file.display();
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default())
        .map_err(|error| trouble(&error, bytes, file, password))?;
    let Some(key) = archive.keys.into_iter().next() else {
        return Err(Trouble::unreadable(
            "there is no private key in it",
            "export the certificate with its private key",
        ));
    };
    if archive.certs.is_empty() {
        return Err(Trouble::unreadable(
            "there is no certificate in it",
            format!(
                "`openssl pkcs12 -in {name} -nokeys` shows the same; export the certificate with its private key"
            ),
        ));
    }
    Ok(Found {
        key: Key::Pkcs8(Zeroizing::new(key.key.as_der().to_vec())),
        certificates: archive
            .certs
            .iter()
            .map(|bag| bag.cert.as_der().to_vec())
            .collect(),
    })
}

fn trouble(error: &Error, bytes: &[u8], file: &Path, password: Option<&str>) -> Trouble {
    let name = file.display();
    let convert = format!(
        "`openssl pkcs12 -in {name} -nodes -out certificate.pem` makes a PEM file of it (with `-legacy` behind `pkcs12` where it is an old one)"
    );
    // Without a checksum a wrong password shows in the decryption only, and there stands beside what is not supported.
    let is_locked = match error {
        Error::MacError(_) | Error::UnpadError => true,
        Error::Pkcs5Error(said) => !said.contains("unsupported"),
        _ => false,
    };
    match error {
        _ if is_locked && password.is_none() => Trouble::unreadable(
            "it needs a password",
            "set AZURE_CLIENT_CERTIFICATE_PASSWORD",
        ),
        _ if is_locked => Trouble::unfit(
            "AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password",
            format!("`openssl pkcs12 -in {name} -noout` asks for it and tells"),
        ),
        _ if X509Certificate::from_der(bytes).is_ok() => Trouble::unreadable(
            "it is a certificate without its private key",
            "export it with its private key, as PEM or PKCS#12",
        ),
        Error::UnsupportedEncryptionScheme
        | Error::UnsupportedMacAlgorithm
        | Error::UnsupportedContentType
        | Error::InvalidParameters
        | Error::Pkcs5Error(_) => {
            Trouble::unreadable("it is encrypted in a way that is not known here", convert)
        }
        _ => Trouble::unreadable("it is no PKCS#12, or a damaged one", convert),
    }
}

/// More rounds than `p12-keystore` allows: a file may not keep a machine busy for minutes.
pub(super) fn is_too_costly(scheme: &EncryptionScheme) -> bool {
    const MOST_ROUNDS: u32 = 1_000_000;
    const MOST_MEMORY: u64 = 1 << 30;
    match scheme {
        EncryptionScheme::Pbes2(parameters) => match &parameters.kdf {
            Kdf::Pbkdf2(kdf) => kdf.iteration_count > MOST_ROUNDS,
            Kdf::Scrypt(kdf) => {
                let memory = kdf
                    .cost_parameter
                    .checked_mul(u64::from(kdf.block_size))
                    .and_then(|blocks| blocks.checked_mul(128));
                memory.is_none_or(|memory| memory > MOST_MEMORY) || kdf.parallelization > 16
            }
            _ => true,
        },
        _ => false,
    }
}
