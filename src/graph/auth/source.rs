//! The token in use, and how the next one is had: by one caller, before the old one ends.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::choice::Choice;
use super::denial::{Denial, Nature};
use super::identity::{Identity, SignInMethod};
use super::token::Token;
use super::way::Desk;
use crate::graph::cloud::Root;
use crate::graph::retry::backoff;
use crate::graph::transport::Transport;
use crate::graph::{GraphError, Notices, SignIn};
use crate::world::World;

/// 0.25, 0.5 and 1 s between them: a refused port is reported after about 2 s.
const TRIES: u32 = 4;
/// After a renewal that failed, while the old token is still good.
const PAUSE: Duration = Duration::from_secs(30);

/// A certificate that ends within this time is told.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(in crate::graph) struct TokenSource {
    choice: Choice,
    desk: Desk,
    held: RwLock<Option<Held>>,
    /// Held by the one caller that asks for a token.
    asking: tokio::sync::Mutex<()>,
    /// How the last round ended, for those who waited for it.
    last: Mutex<Round>,
    /// That a credential ends soon was told.
    told: AtomicBool,
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
    /// # Errors
    /// [`GraphError::Setup`], [`GraphError::SignIn`]: a credential that cannot be used, whatever the sign-in service says.
    pub(in crate::graph) fn new(
        sign_in: SignIn,
        root: &Root,
        transport: Arc<Transport>,
        world: World,
        notices: Arc<dyn Notices>,
    ) -> Result<Self, GraphError> {
        Ok(Self {
            choice: Choice::new(sign_in, &world)?,
            desk: Desk {
                transport,
                world,
                notices,
                scope: root.scope(),
            },
            held: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            told: AtomicBool::new(false),
        })
    }

    /// Can a token that was refused be replaced by another one?
    pub(in crate::graph) fn is_renewable(&self) -> bool {
        let way = self.choice.way();
        way.is_some_and(|way| way.method() != SignInMethod::Token)
    }

    /// How we are signed in, without asking for a token.
    pub(in crate::graph) fn known(&self) -> Option<Identity> {
        self.held().and_then(|held| self.identity(&held.token))
    }

    /// `None` before there is a token.
    pub(in crate::graph) fn identity(&self, token: &Token) -> Option<Identity> {
        let way = self.choice.way()?;
        Some(Identity {
            method: way.method(),
            tried: self.choice.tried(),
            claims: token.claims().clone(),
            expires: token.expires(),
            credential_ends: way.ends(),
        })
    }

    pub(in crate::graph) fn secret_hint(&self) -> Option<String> {
        self.choice.way()?.secret_hint()
    }

    /// A token to send now.
    pub(in crate::graph) async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let now = self.desk.world.clock.now();
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
                self.desk.notices.warn(&format!(
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
    pub(in crate::graph) async fn renew(
        &self,
        refused: &Arc<Token>,
    ) -> Result<Arc<Token>, GraphError> {
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
            match self.choice.fetch(&self.desk).await {
                Err(denial) if denial.nature == Nature::Passing && tries < TRIES => {
                    self.desk.world.clock.sleep(backoff(tries)).await;
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
        let now = self.desk.world.clock.now();
        let result = result
            .and_then(|fetched| Token::new(fetched, now))
            .map(Arc::new);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.number += 1;
        last.denial = result.as_ref().err().cloned();
        drop(last);
        let token = result?;
        self.tell_end(now);
        self.keep(Held {
            renew_at: token.renew_at(now),
            token: token.clone(),
        });
        Ok(token)
    }

    /// Says once that what we sign in with ends soon.
    fn tell_end(&self, now: Timestamp) {
        let Some((way, ends)) = self.choice.way().and_then(|way| Some((way, way.ends()?))) else {
            return;
        };
        let left = ends.duration_since(now);
        if left > SOON || self.told.swap(true, Relaxed) {
            return;
        }
        let left = match left.as_hours() / 24 {
            0 => format!("in {} h", left.as_hours()),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        self.desk.notices.warn(&format!(
            "{} ends on {}, {left}: upload a new one under \"Certificates & secrets\" of the app registration",
            way.what_ends(),
            ends.strftime("%Y-%m-%d")
        ));
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
