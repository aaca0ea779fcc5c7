//! One way of getting a token, made from what the command line chose.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Fetched;
use super::SignInMethod;
use super::az::AzWay;
use super::azure::Authority;
use super::certificate::CertificateWay;
use super::denial::Denial;
use super::device::DeviceWay;
use super::managed::ManagedWay;
use super::sandbox::SandboxWay;
use super::secret::SecretWay;
use super::workload::WorkloadWay;
use crate::graph::transport::Transport;
use crate::graph::{GraphError, Notices, SignIn};
use crate::world::World;

/// What every way works with.
pub(super) struct Desk {
    pub(super) transport: Arc<Transport>,
    pub(super) world: World,
    pub(super) notices: Arc<dyn Notices>,
    /// `https://graph.microsoft.com/.default`
    pub(super) scope: String,
}

pub(super) enum Way {
    Token(SecretString),
    Secret(SecretWay),
    Certificate(Box<CertificateWay>),
    Workload(WorkloadWay),
    Managed(ManagedWay),
    Az(AzWay),
    Device(DeviceWay),
    Sandbox(SandboxWay),
}

/// Why there is no way.
pub(super) enum Closed {
    /// This machine has nothing of the kind.
    Absent(String),
    /// It is there and wrong.
    Wrong(Box<GraphError>),
}

impl From<GraphError> for Closed {
    fn from(error: GraphError) -> Self {
        Self::Wrong(Box::new(error))
    }
}

impl Way {
    /// Reads files, sends nothing. `None` for what holds no single way.
    pub(super) fn new(sign_in: SignIn, world: &World) -> Result<Option<Self>, Closed> {
        let at = |host: String, tenant: String| Authority { host, tenant };
        Ok(Some(match sign_in {
            SignIn::Token(token) => Self::Token(token),
            SignIn::Secret {
                authority,
                tenant,
                client_id,
                secret,
            } => Self::Secret(SecretWay {
                authority: at(authority, tenant),
                client_id,
                secret,
            }),
            SignIn::Certificate {
                authority,
                tenant,
                client_id,
                file,
                password,
            } => {
                let authority = at(authority, tenant);
                let way = CertificateWay::new(authority, client_id, file, password.as_ref())?;
                Self::Certificate(Box::new(way))
            }
            SignIn::WorkloadIdentity {
                authority,
                tenant,
                client_id,
                token_file,
            } => Self::Workload(WorkloadWay::new(
                at(authority, tenant),
                client_id,
                token_file,
            )?),
            SignIn::ManagedIdentity { client_id } => {
                Self::Managed(ManagedWay::new(client_id, world).map_err(Closed::Absent)?)
            }
            SignIn::Cli { tenant } => Self::Az(AzWay { tenant }),
            SignIn::DeviceCode {
                authority,
                tenant,
                client_id,
                scopes,
            } => Self::Device(DeviceWay::new(at(authority, tenant), client_id, scopes)),
            SignIn::Sandbox {
                token_url,
                client_id,
                secret,
            } => Self::Sandbox(SandboxWay {
                token_url,
                client_id,
                secret,
            }),
            SignIn::First(_) | SignIn::Nothing => return Ok(None),
        }))
    }

    pub(super) fn method(&self) -> SignInMethod {
        match self {
            Self::Token(_) => SignInMethod::Token,
            Self::Secret(_) => SignInMethod::Secret,
            Self::Certificate(_) => SignInMethod::Certificate,
            Self::Workload(_) => SignInMethod::WorkloadIdentity,
            Self::Managed(_) => SignInMethod::ManagedIdentity,
            Self::Az(_) => SignInMethod::Cli,
            Self::Device(_) => SignInMethod::DeviceCode,
            Self::Sandbox(_) => SignInMethod::Sandbox,
        }
    }

    /// It is there, so whatever comes of it is the answer. Of the others only trying shows whether they are there.
    pub(super) fn is_certain(&self) -> bool {
        match self {
            Self::Managed(way) => way.is_certain(),
            Self::Az(_) => false,
            _ => true,
        }
    }

    /// Asks once.
    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        match self {
            Self::Token(token) => Ok(Fetched {
                token: token.clone(),
                life: None,
            }),
            Self::Secret(way) => way.fetch(desk).await,
            Self::Certificate(way) => way.fetch(desk).await,
            Self::Workload(way) => way.fetch(desk).await,
            Self::Managed(way) => way.fetch(desk).await,
            Self::Az(way) => way.fetch(desk).await,
            Self::Device(way) => way.fetch(desk).await,
            Self::Sandbox(way) => way.fetch(desk).await,
        }
    }

    /// When what it signs in with ends, where that can be seen.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        match self {
            Self::Certificate(way) => Some(way.ends()),
            _ => None,
        }
    }

    /// What ends at [`Way::ends`], for a message.
    pub(super) fn what_ends(&self) -> String {
        match self {
            Self::Certificate(way) => format!("the certificate `{}`", way.file().display()),
            _ => "the credential".to_owned(),
        }
    }

    /// The first characters of a client secret, which Graph shows of each of an application's secrets.
    pub(super) fn secret_hint(&self) -> Option<String> {
        match self {
            Self::Secret(way) => Some(way.secret.expose_secret().chars().take(3).collect()),
            _ => None,
        }
    }
}
