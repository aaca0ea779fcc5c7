//! A token from Microsoft Entra for a certificate: its private key signs a claim that we are the application.
//!
//! `azure_identity` reads certificates with OpenSSL and signs with SHA-1 thumbprints; what it is given here is the ready
//! assertion.

mod assertion;
mod key;
mod pem;
mod pkcs12;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use azure_core::http::ClientMethodOptions;
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use self::key::Credential;
use super::Fetched;
use super::azure::Authority;
use super::denial::Denial;
use super::way::Desk;
use crate::graph::GraphError;

/// The largest chains have some ten kilobytes.
const MOST: u64 = 1 << 20;

pub(super) struct CertificateWay {
    authority: Authority,
    client_id: String,
    file: PathBuf,
    credential: Credential,
}

/// Why a file gives no certificate to sign in with.
#[derive(Debug, PartialEq)]
struct Trouble {
    /// Goes on after "the certificate file `…` cannot be used:".
    cause: String,
    hint: String,
    /// It could be read, and what it holds is no good: a matter of sign-in and not of the command line.
    is_read: bool,
}

impl Trouble {
    fn unreadable(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            hint: hint.into(),
            is_read: false,
        }
    }

    fn unfit(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            is_read: true,
            ..Self::unreadable(cause, hint)
        }
    }
}

impl CertificateWay {
    /// Reads the file, so that what is wrong with it is told before anything starts.
    ///
    /// # Errors
    /// [`GraphError::Setup`] where there is no certificate with its key to be read, [`GraphError::SignIn`] where there is one
    /// that is no good: a wrong password, a key that does not belong to it.
    pub(super) fn new(
        authority: Authority,
        client_id: String,
        file: PathBuf,
        password: Option<&SecretString>,
    ) -> Result<Self, GraphError> {
        let credential = read(&file)
            .and_then(|bytes| {
                parse(
                    &bytes,
                    &file,
                    password.map(|password| password.expose_secret()),
                )
            })
            .map_err(|trouble| {
                let Trouble {
                    cause,
                    hint,
                    is_read,
                } = trouble;
                let message = format!(
                    "the certificate file `{}` cannot be used: {cause}",
                    file.display()
                );
                let hint = Some(hint);
                if is_read {
                    GraphError::SignIn {
                        message,
                        hint,
                        context: Vec::new(),
                    }
                } else {
                    GraphError::Setup { message, hint }
                }
            })?;
        Ok(Self {
            authority,
            client_id,
            file,
            credential,
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn ends(&self) -> Timestamp {
        self.credential.not_after
    }

    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let now = desk.world.clock.now();
        self.check_time(now)?;
        let audience = self.authority.endpoint("token")?;
        let assertion = assertion::sign(&self.credential, &self.client_id, audience.as_str(), now)?;
        let wire = self.authority.wire(desk)?;
        let credential = ClientAssertionCredential::new(
            self.authority.tenant.clone(),
            self.client_id.clone(),
            Signed(assertion.into()),
            Some(ClientAssertionCredentialOptions {
                client_options: self.authority.options(wire.clone()),
            }),
        );
        self.authority.ask(credential, &wire, desk).await
    }

    /// Entra would refuse it too, in words that do not name the file.
    fn check_time(&self, now: Timestamp) -> Result<(), Denial> {
        let file = self.file.display();
        if now >= self.credential.not_after {
            let ended = self.credential.not_after.strftime("%Y-%m-%d %H:%M UTC");
            let message = format!("the certificate `{file}` expired on {ended}");
            return Err(Denial::lasting(message).hint(
                "make a new one, upload it under \"Certificates & secrets\" of the app registration, and name it in \
                 AZURE_CLIENT_CERTIFICATE_PATH",
            ));
        }
        if now < self.credential.not_before {
            let begins = self.credential.not_before.strftime("%Y-%m-%d %H:%M UTC");
            let message = format!("the certificate `{file}` is not valid before {begins}");
            return Err(Denial::lasting(message)
                .hint("is this machine's clock right? `timedatectl` shows it"));
        }
        Ok(())
    }
}

/// An assertion for one request.
struct Signed(SecretString);

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signed")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Signed {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Trouble> {
    let wrong = |cause: String| {
        Trouble::unreadable(
            cause,
            "AZURE_CLIENT_CERTIFICATE_PATH names a PEM or PKCS#12 file that holds the certificate and its private key",
        )
    };
    if file.is_dir() {
        return Err(wrong("it is a folder".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        .map_err(|error| wrong(error.to_string()))?;
    if bytes.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    if bytes.len() as u64 > MOST {
        return Err(wrong("it is larger than 1 MiB".to_owned()));
    }
    Ok(bytes)
}

/// Tells PEM from PKCS#12 by the content; the name may say anything.
fn parse(bytes: &[u8], file: &Path, password: Option<&str>) -> Result<Credential, Trouble> {
    let found = if pem::is_pem(bytes) {
        pem::read(bytes, file, password)?
    } else if bytes.first() == Some(&0x30) {
        pkcs12::read(bytes, file, password)?
    } else {
        let name = file.display();
        let is_base64 = bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte));
        let hint = if is_base64 {
            format!(
                "it looks like base64, as a key vault gives it: `base64 -d {name} > certificate.pfx`"
            )
        } else {
            "AZURE_CLIENT_CERTIFICATE_PATH names a file that holds the certificate and its private key".to_owned()
        };
        return Err(Trouble::unreadable("it is neither PEM nor PKCS#12", hint));
    };
    Credential::new(&found)
}

#[cfg(test)]
mod tests;
