//! One access token and what we know about it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::denial::Denial;
use super::identity::Claims;
use crate::graph::words;

/// Longest time before its end at which a token is renewed.
const EARLY: Duration = Duration::from_mins(5);

/// What a way of signing in gives.
pub(super) struct Fetched {
    pub(super) token: SecretString,
    /// `None`: as long as the token itself says, else for ever.
    pub(super) life: Option<Duration>,
}

impl Fetched {
    /// A life of nothing is one that was not told: `azure_identity` gives it where the answer had none.
    pub(super) fn new(token: &str, life: Option<Duration>) -> Result<Self, Denial> {
        if token.is_empty() {
            return Err(Denial::passing("the answer holds no token".to_owned()));
        }
        Ok(Self {
            token: token.into(),
            life: life.filter(|life| !life.is_zero()),
        })
    }
}

/// A token in use. Has no `Debug`: nothing can print it by accident.
pub(in crate::graph) struct Token {
    secret: SecretString,
    /// `Bearer …`, marked sensitive: prints as `Sensitive`, is never put into an HTTP/2 header table.
    authorization: HeaderValue,
    claims: Claims,
    expires: Option<Timestamp>,
}

impl Token {
    pub(super) fn new(fetched: Fetched, now: Timestamp) -> Result<Self, Denial> {
        let mut authorization = HeaderValue::try_from(format!(
            "Bearer {}",
            fetched.token.expose_secret()
        ))
        .map_err(|_| {
            Denial::lasting("the access token holds characters that no token has".to_owned())
                .hint("check it for line ends and quotes")
        })?;
        authorization.set_sensitive(true);
        let claims = Claims::of(fetched.token.expose_secret());
        let expires = match fetched.life {
            Some(life) => Some(now.saturating_add(life).unwrap_or(Timestamp::MAX)),
            None => claims.expires,
        };
        Ok(Self {
            secret: fetched.token,
            authorization,
            claims,
            expires,
        })
    }

    pub(in crate::graph) fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.expires.or(self.claims.expires)
    }

    /// A service may repeat the token in an error; messages and logs may not.
    pub(in crate::graph) fn redact(&self, text: &mut String) {
        words::redact(text, self.secret.expose_secret(), "[token]");
    }

    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }

    /// When to look for the next one: five minutes before the end, or a fifth of the life of a short-lived one. A fixed
    /// five minutes would ask anew for each call where tokens live for less (`azure_identity`'s cache does).
    pub(super) fn renew_at(&self, now: Timestamp) -> Timestamp {
        let Some(end) = self.expires else {
            return Timestamp::MAX;
        };
        let life = Duration::try_from(end.duration_since(now)).unwrap_or_default();
        end.saturating_sub(EARLY.min(life / 5)).unwrap_or(end)
    }
}
