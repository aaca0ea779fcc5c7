//! A certificate with the private key that belongs to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Trouble;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// What a file held.
pub(super) struct Found {
    pub(super) key: Key,
    /// DER, in the file's order. The one that belongs to the key is looked for.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// A private key, DER.
pub(super) enum Key {
    Pkcs8(Zeroizing<Vec<u8>>),
    Pkcs1(Zeroizing<Vec<u8>>),
}

pub(super) struct Credential {
    pub(super) key: EncodingKey,
    /// SHA-256 of the certificate, in base64url: `x5t#S256`.
    pub(super) thumbprint: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl Credential {
    pub(super) fn new(found: &Found) -> Result<Self, Trouble> {
        let key = encoding_key(&found.key)?;
        // A signature is what Entra will look at: the key is tried, and which certificates it belongs to is seen.
        let proof = crypto::sign(b"proof", &key, Algorithm::PS256).map_err(|_| {
            Trouble::unfit(
                "its private key cannot sign",
                "Microsoft Entra takes RSA keys of 2048 bits and more; make a new certificate with one",
            )
        })?;
        let fits = |certificate: &X509Certificate| {
            let public =
                DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data);
            crypto::verify(&proof, b"proof", &public, Algorithm::PS256).unwrap_or(false)
        };
        for der in &found.certificates {
            let Ok((rest, certificate)) = X509Certificate::from_der(der) else {
                return Err(Trouble::unreadable(
                    "a certificate in it is damaged",
                    "export it again from where it was made",
                ));
            };
            if fits(&certificate) {
                let validity = certificate.validity();
                let instant = |second: i64, otherwise: Timestamp| {
                    Timestamp::from_second(second).unwrap_or(otherwise)
                };
                return Ok(Self {
                    key,
                    // A trusted certificate of OpenSSL's has something behind it.
                    thumbprint: URL_SAFE_NO_PAD
                        .encode(Sha256::digest(&der[..der.len() - rest.len()])),
                    not_before: instant(validity.not_before.timestamp(), Timestamp::MIN),
                    not_after: instant(validity.not_after.timestamp(), Timestamp::MAX),
                });
            }
        }
        let cause = match found.certificates.len() {
            1 => "its private key does not belong to its certificate".to_owned(),
            count => format!("its private key belongs to none of its {count} certificates"),
        };
        Err(Trouble::unfit(
            cause,
            "put the key and the certificate that was made from it into one file",
        ))
    }
}

fn encoding_key(key: &Key) -> Result<EncodingKey, Trouble> {
    match key {
        Key::Pkcs1(der) => Ok(EncodingKey::from_rsa_der(der)),
        Key::Pkcs8(der) => {
            let damaged = || {
                Trouble::unreadable(
                    "its private key is damaged",
                    "export it again from where it was made",
                )
            };
            let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| damaged())?;
            if info.algorithm.oid == RSA {
                return Ok(EncodingKey::from_rsa_der(info.private_key.as_bytes()));
            }
            let kind = if info.algorithm.oid == EC {
                "an EC key".to_owned()
            } else {
                format!("a key of the kind {}", info.algorithm.oid)
            };
            Err(not_rsa(&kind))
        }
    }
}

pub(super) fn not_rsa(kind: &str) -> Trouble {
    Trouble::unfit(
        format!("its private key is {kind}, and Microsoft Entra takes RSA only"),
        "make a certificate with an RSA key: `openssl req -x509 -newkey rsa:3072 -nodes -days 365 -keyout key.pem -out cert.pem \
         -subj /CN=runback`",
    )
}
