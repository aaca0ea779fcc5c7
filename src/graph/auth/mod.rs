//! Sign-in: where tokens come from, and the one that is in use.
//!
//! Tokens are kept in memory only. One is renewed before its end by the first caller that notices, while the others go on
//! with the old one; where nobody has a valid one, all wait for a single request. If a renewal fails, the old token is used
//! until its real end.

mod denial;
mod identity;
mod sandbox;
mod secret;
mod token;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize as _, Deserializer};

pub(crate) use identity::{Claims, Identity, SignInMethod, Tried};
pub(super) use secret::end as secret_end;
pub(super) use token::Token;

use self::denial::Denial;
use self::token::Fetched;
use super::cloud::Root;
use super::retry::backoff;
use super::transport::Transport;
use super::{GraphError, Notices, SignIn, words};
use crate::world::World;

/// 0.25, 0.5 and 1 s between them: a refused port is reported after about 2 s.
const TRIES: u32 = 4;
/// After a renewal that failed, while the old token is still good.
const PAUSE: Duration = Duration::from_secs(30);

enum Way {
    Fixed(SecretString),
    Secret(secret::SecretWay),
    Sandbox(sandbox::SandboxWay),
    Nothing,
}

impl Way {
    fn method(&self) -> SignInMethod {
        match self {
            Self::Fixed(_) | Self::Nothing => SignInMethod::Token,
            Self::Secret(_) => SignInMethod::Secret,
            Self::Sandbox(_) => SignInMethod::Sandbox,
        }
    }

    /// A gateway may repeat the form it was sent; messages and logs may not.
    fn redact(&self, text: &mut String) {
        let secret = match self {
            Self::Fixed(token) => token,
            Self::Secret(way) => &way.secret,
            Self::Sandbox(way) => &way.secret,
            Self::Nothing => return,
        };
        words::redact(text, secret.expose_secret(), "[secret]");
    }
}

pub(super) struct TokenSource {
    way: Way,
    transport: Arc<Transport>,
    world: World,
    notices: Arc<dyn Notices>,
    held: RwLock<Option<Held>>,
    /// Held by the one caller that asks for a token.
    asking: tokio::sync::Mutex<()>,
    /// How the last round ended, for those who waited for it.
    last: Mutex<Round>,
}

#[derive(Clone)]
struct Held {
    token: Arc<Token>,
    renew_at: Timestamp,
}

#[derive(Clone, Default)]
struct Round {
    number: u64,
    denial: Option<Denial>,
}

impl TokenSource {
    pub(super) fn new(
        sign_in: SignIn,
        root: &Root,
        transport: Arc<Transport>,
        world: World,
        notices: Arc<dyn Notices>,
    ) -> Self {
        let scope = root.scope();
        let way = match sign_in {
            SignIn::Token(token) => Way::Fixed(token),
            SignIn::Nothing => Way::Nothing,
            SignIn::Secret {
                authority,
                tenant,
                client_id,
                secret,
            } => Way::Secret(secret::SecretWay {
                authority,
                tenant,
                client_id,
                secret,
                scope,
            }),
            SignIn::Sandbox {
                token_url,
                client_id,
                secret,
            } => Way::Sandbox(sandbox::SandboxWay {
                token_url,
                client_id,
                secret,
                scope,
            }),
        };
        Self {
            way,
            transport,
            world,
            notices,
            held: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// Can a token that was refused be replaced by another one?
    pub(super) fn is_renewable(&self) -> bool {
        !matches!(self.way, Way::Fixed(_) | Way::Nothing)
    }

    /// How we are signed in, without asking for a token.
    pub(super) fn known(&self) -> Option<Identity> {
        self.held().map(|held| self.identity(&held.token))
    }

    pub(super) fn identity(&self, token: &Token) -> Identity {
        let method = self.way.method();
        Identity {
            method,
            tried: vec![Tried {
                method,
                taken: true,
                why: "it was asked for".to_owned(),
            }],
            claims: token.claims().clone(),
            expires: token.expires(),
            credential_ends: None,
        }
    }

    /// The first characters of a client secret, which Graph shows of each of an application's secrets.
    pub(super) fn secret_hint(&self) -> Option<String> {
        match &self.way {
            Way::Secret(way) => Some(way.secret.expose_secret().chars().take(3).collect()),
            _ => None,
        }
    }

    /// A token to send now.
    pub(super) async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let now = self.world.clock.now();
        let before = self.held();
        if let Some(held) = &before
            && now < held.renew_at
        {
            return Ok(held.token.clone());
        }
        let valid = before.filter(|held| held.token.is_valid(now));
        let round = self.round().number;
        let _asking = match &valid {
            None => self.asking.lock().await,
            Some(held) => match self.asking.try_lock() {
                Ok(guard) => guard,
                Err(_) => return Ok(held.token.clone()),
            },
        };
        match self.settled(round) {
            Some(Ok(token)) => return Ok(token),
            Some(Err(denial)) if valid.is_none() => return Err(denial.into()),
            _ => {}
        }
        match (self.ask().await, valid) {
            (Ok(token), _) => Ok(token),
            (Err(denial), Some(held)) => {
                self.notices.warn(&format!(
                    "the access token could not be renewed, the old one is used until its end: {}",
                    denial.message
                ));
                let token = held.token.clone();
                self.keep(Held {
                    renew_at: now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX),
                    ..held
                });
                Ok(token)
            }
            (Err(denial), None) => Err(denial.into()),
        }
    }

    /// Another token than `refused`. Callers that were all refused with the same one share a single request.
    pub(super) async fn renew(&self, refused: &Arc<Token>) -> Result<Arc<Token>, GraphError> {
        let round = self.round().number;
        let _asking = self.asking.lock().await;
        if let Some(held) = self.held()
            && !Arc::ptr_eq(&held.token, refused)
        {
            return Ok(held.token);
        }
        if let Some(Err(denial)) = self.settled(round) {
            return Err(denial.into());
        }
        Ok(self.ask().await?)
    }

    /// How a round ended that began while the caller waited.
    fn settled(&self, since: u64) -> Option<Result<Arc<Token>, Denial>> {
        let round = self.round();
        if round.number == since {
            return None;
        }
        match round.denial {
            Some(denial) => Some(Err(denial)),
            None => self.held().map(|held| Ok(held.token)),
        }
    }

    /// Asks for a token, a few times where that may help, and keeps it. The caller holds `asking`.
    async fn ask(&self) -> Result<Arc<Token>, Denial> {
        let mut tries = 1;
        let result = loop {
            match self.fetch().await {
                Err(denial) if denial.again && tries < TRIES => {
                    self.world.clock.sleep(backoff(tries)).await;
                    tries += 1;
                }
                result => break result,
            }
        };
        tracing::debug!(
            tries,
            succeeded = result.is_ok(),
            "asked for an access token"
        );
        let now = self.world.clock.now();
        let result = result
            .and_then(|fetched| Token::new(fetched, now))
            .map(Arc::new)
            .map_err(|mut denial| {
                self.way.redact(&mut denial.message);
                denial
            });
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.number += 1;
        last.denial = result.as_ref().err().cloned();
        drop(last);
        let token = result?;
        self.keep(Held {
            renew_at: token.renew_at(now),
            token: token.clone(),
        });
        Ok(token)
    }

    async fn fetch(&self) -> Result<Fetched, Denial> {
        let http = || {
            self.transport.client().map_err(|error| Denial {
                message: error.to_string(),
                hint: None,
                again: false,
            })
        };
        let limits = self.transport.limits();
        match &self.way {
            Way::Fixed(token) => Ok(Fetched {
                token: token.clone(),
                life: None,
            }),
            Way::Secret(secret) => secret.fetch(Arc::new(http()?.clone()), limits).await,
            Way::Sandbox(sandbox) => sandbox.fetch(http()?, limits).await,
            Way::Nothing => Err(Denial {
                message: "there is nothing to sign in with".to_owned(),
                hint: Some(
                    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or RUNBACK_ACCESS_TOKEN\n\
                     to try a runbook without a tenant, add `--sandbox`",
                ),
                again: false,
            }),
        }
    }

    fn held(&self) -> Option<Held> {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    fn round(&self) -> Round {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// `expires_in` as a number or, as some endpoints send it, as a string. Anything else is "not said".
fn json_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let seconds = match &value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    };
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

#[cfg(test)]
mod tests;
