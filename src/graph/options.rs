//! What a client is made from.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Which of Graph's two surfaces a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Version {
    #[default]
    V1,
    Beta,
}

impl Version {
    /// As it stands in a URL: `v1.0`, `beta`.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// How to sign in.
pub enum SignIn {
    /// Through `azure_identity`'s `ClientSecretCredential`.
    Secret {
        /// `https://login.microsoftonline.com` in the global cloud.
        authority: String,
        tenant: String,
        client_id: String,
        secret: SecretString,
    },
    /// As it is; no refresh.
    Token(SecretString),
    /// There is nothing to sign in with. The first call says so; a run that makes none does not need it.
    Nothing,
    /// The token endpoint of a sandbox of ours, over plain http on loopback.
    Sandbox {
        token_url: String,
        client_id: String,
        secret: SecretString,
    },
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
}
