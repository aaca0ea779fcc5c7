//! The one HTTP client of a process, made when it is first needed.
//!
//! Making it reads the system's CA store (147 files on a usual Linux, 3 to 5 ms): a script that calls nothing pays nothing,
//! and one that only talks to a sandbox over plain http loads no roots at all.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect};
use url::Url;

use super::cloud::{self, Root};
use super::limits::Limits;
use super::{GraphError, words};

const METADATA_CONNECT: Duration = Duration::from_secs(1);
/// It is on the same machine or beside it, and may be slow with a token of a new identity.
const METADATA_ATTEMPT: Duration = Duration::from_secs(10);

pub(super) struct Transport {
    client: OnceLock<Result<Client, GraphError>>,
    /// For a sign-in service that is behind a proxy where the service root is not, or the other way round.
    other: OnceLock<Result<Client, GraphError>>,
    /// For a machine's own identity.
    metadata: OnceLock<Result<Client, GraphError>>,
    plain: bool,
    loopback: bool,
    in_flight: usize,
    authorities: Vec<Certificate>,
    limits: Limits,
}

impl Transport {
    /// # Errors
    /// [`GraphError::Setup`] where the CA file cannot be read; it is read now so that a wrong path is told at the start.
    pub(super) fn new(
        root: &Root,
        ca_file: Option<&PathBuf>,
        in_flight: usize,
        limits: Limits,
    ) -> Result<Self, GraphError> {
        Ok(Self {
            client: OnceLock::new(),
            other: OnceLock::new(),
            metadata: OnceLock::new(),
            plain: root.is_plain(),
            loopback: root.is_loopback(),
            in_flight,
            authorities: ca_file
                .map(|file| read_authorities(file))
                .transpose()?
                .unwrap_or_default(),
            limits,
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn client(&self) -> Result<&Client, GraphError> {
        self.client
            .get_or_init(|| self.made(self.builder(self.loopback)))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The same client as for the service, except where only one of both is on this machine: no proxy leads there.
    pub(super) fn client_for(&self, url: &Url) -> Result<Client, GraphError> {
        let loopback = cloud::is_loopback(url);
        if loopback == self.loopback {
            return self.client().cloned();
        }
        self.other
            .get_or_init(|| self.made(self.builder(loopback)))
            .clone()
    }

    /// Never through a proxy, which would ask its own machine. On a machine without a metadata service, nothing answers
    /// at the address.
    pub(super) fn metadata_client(&self) -> Result<Client, GraphError> {
        let builder = || {
            self.builder(true)
                .connect_timeout(METADATA_CONNECT)
                .timeout(METADATA_ATTEMPT)
        };
        self.metadata.get_or_init(|| self.made(builder())).clone()
    }

    fn made(&self, builder: ClientBuilder) -> Result<Client, GraphError> {
        builder.build().map_err(|error| GraphError::Setup {
            message: format!("no HTTP client: {}", words::cause(&error, &self.limits)),
            hint: None,
        })
    }

    fn builder(&self, loopback: bool) -> ClientBuilder {
        let mut builder = Client::builder()
            .user_agent(concat!("runback/", env!("CARGO_PKG_VERSION")))
            // Followed by hand: the token must not follow to another host.
            .redirect(redirect::Policy::none())
            // reqwest sends a request again by itself after an HTTP/2 GOAWAY or REFUSED_STREAM. Likely safe, but what may
            // be sent twice is decided in one place, `retry`.
            //
            // What remains below us is hyper-util's retry on a pooled connection that died while idle. It takes the request
            // back out of hyper's queue, which only works while not a byte of it was written (hyper-1.12.0
            // src/client/dispatch.rs: `TrySendError::message` is `None` once the request was serialised; hyper-util-0.1.21
            // src/client/legacy/client.rs: no message, no retry). Later deaths reach us as errors: `Lost`.
            .retry(reqwest::retry::never())
            .connect_timeout(self.limits.connect)
            .read_timeout(self.limits.idle)
            .timeout(self.limits.attempt)
            .tcp_nodelay(true)
            .gzip(true)
            // HTTP/1.1 needs a connection for each call in flight; closing the surplus would make each wave connect anew.
            .pool_max_idle_per_host(self.in_flight.max(32))
            // Shorter than the 60 s after which common front ends close: a change should not meet a dying connection.
            .pool_idle_timeout(Duration::from_secs(50));
        if loopback {
            builder = builder.no_proxy();
        }
        if self.plain {
            builder = builder.tls_certs_only([]);
        } else if !self.authorities.is_empty() {
            builder = builder.tls_certs_merge(self.authorities.iter().cloned());
        }
        builder
    }
}

/// How many certificates are in a CA file.
///
/// # Errors
/// [`GraphError::Setup`]: it cannot be read, or none are.
pub(crate) fn authorities(file: &Path) -> Result<usize, GraphError> {
    read_authorities(file).map(|found| found.len())
}

fn read_authorities(file: &Path) -> Result<Vec<Certificate>, GraphError> {
    let wrong = |cause: String| GraphError::Setup {
        message: format!("the CA file `{}` cannot be used: {cause}", file.display()),
        hint: Some("`--ca-file` wants a file of PEM certificates".to_owned()),
    };
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::SignIn;

    fn transport(root: &str, ca_file: Option<&PathBuf>) -> Result<Transport, GraphError> {
        let root = Root::new(root, &SignIn::Token("t".into())).unwrap();
        Transport::new(&root, ca_file, 4, Limits::default())
    }

    #[test]
    fn a_client_can_be_made_for_each_kind_of_root() {
        for root in ["http://127.0.0.1:1", "https://graph.example"] {
            let transport = transport(root, None).unwrap();
            assert!(transport.client().is_ok(), "{root}");
        }
    }

    #[test]
    fn a_ca_file_that_cannot_be_used_is_told_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing here").unwrap();
        let broken = folder.path().join("broken.pem");
        std::fs::write(
            &broken,
            "-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        for file in [folder.path().join("missing.pem"), empty, broken] {
            let Err(error) = transport("https://graph.example", Some(&file)) else {
                panic!("{}", file.display())
            };
            assert!(
                error.to_string().contains(&file.display().to_string()),
                "{error}"
            );
            assert_eq!(error.code(), "BadConfiguration");
        }
    }
}
