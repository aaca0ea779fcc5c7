//! What a client is made from.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::SignInMethod;

/// Which of Graph's two surfaces a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Version {
    #[default]
    V1,
    Beta,
}

impl Version {
    pub(crate) fn of_segment(segment: &str) -> Option<Self> {
        [Self::V1, Self::Beta]
            .into_iter()
            .find(|version| version.segment() == segment)
    }

    /// As it stands in a URL: `v1.0`, `beta`.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// How to sign in. `authority` is `https://login.microsoftonline.com` in the global cloud.
pub enum SignIn {
    Secret {
        authority: String,
        tenant: String,
        client_id: String,
        secret: SecretString,
    },
    Certificate {
        authority: String,
        tenant: String,
        client_id: String,
        /// PEM or PKCS#12, with the private key.
        file: PathBuf,
        password: Option<SecretString>,
    },
    WorkloadIdentity {
        authority: String,
        tenant: String,
        client_id: String,
        /// Written by the cluster, again and again.
        token_file: PathBuf,
    },
    ManagedIdentity {
        /// A user-assigned identity; `None` is the machine's own.
        client_id: Option<String>,
    },
    /// Whoever is signed in to `az`.
    Cli { tenant: Option<String> },
    /// A person, with a browser somewhere.
    DeviceCode {
        authority: String,
        tenant: String,
        client_id: String,
        /// The delegated permissions to ask for, by name.
        scopes: Vec<String>,
    },
    /// As it is; no refresh.
    Token(SecretString),
    /// The first of these that is there.
    First(Vec<Candidate>),
    /// There is nothing to sign in with. The first call says so; a run that makes none does not need it.
    Nothing,
    /// The token endpoint of a sandbox of ours, over plain http on loopback.
    Sandbox {
        token_url: String,
        client_id: String,
        secret: SecretString,
    },
}

/// One of several methods that may be taken.
pub struct Candidate {
    pub(crate) method: SignInMethod,
    /// Else why there is nothing to try.
    pub(crate) found: Result<SignIn, String>,
}

pub struct Options {
    /// Service root without version, e.g. `https://graph.microsoft.com`.
    pub root: String,
    pub version: Version,
    pub sign_in: SignIn,
    /// Most calls at once.
    pub in_flight: usize,
    /// PEM; trusted beside the system's own roots.
    pub ca_file: Option<PathBuf>,
    /// Budget per call.
    pub budget: Duration,
}

/// What the client has to say while it works (one visible line; never on stdout).
pub(crate) trait Notices: Send + Sync {
    /// Everybody waits for this long because the service said so (or because we back off).
    fn waiting(&self, operation: &str, why: &str, wait: Duration);
    fn warn(&self, text: &str);
    /// A person has to open this page and enter this code within that time, or nothing goes on. Must be seen, however
    /// quiet the run is.
    fn enter_code(&self, page: &str, code: &str, within: Duration);
}
