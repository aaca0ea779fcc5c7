//! A token from a sandbox of ours: the same form POST as Entra's, over plain http on this machine.
//!
//! `azure_identity` refuses a plain http authority when a credential is made, so this one is written by hand.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::denial::Denial;
use super::{Fetched, json_seconds};
use crate::graph::body;
use crate::graph::limits::Limits;
use crate::graph::words;

pub(super) struct SandboxWay {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) secret: SecretString,
    pub(super) scope: String,
}

#[derive(Deserialize)]
struct Reply {
    access_token: String,
    #[serde(default, deserialize_with = "json_seconds")]
    expires_in: Option<Duration>,
}

impl SandboxWay {
    pub(super) async fn fetch(
        &self,
        http: &reqwest::Client,
        limits: &Limits,
    ) -> Result<Fetched, Denial> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.secret.expose_secret()),
            ("scope", &self.scope),
        ];
        let unreachable = |error: reqwest::Error| {
            Denial::passing(format!(
                "no answer from `{}`: {}",
                self.token_url,
                words::cause(&error, limits)
            ))
        };
        let mut response = http
            .post(&self.token_url)
            .form(&form)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        let body = body::read(&mut response, limits.error_body, limits)
            .await
            .map_err(|error| {
                Denial::passing(format!(
                    "the answer of `{}` could not be read: {error:?}",
                    self.token_url
                ))
            })?;
        if !status.is_success() {
            return Err(Denial::of_answer(status.as_u16(), &body));
        }
        let reply: Reply = serde_json::from_slice(&body).map_err(|error| {
            // serde's message names place and kind, never the value of a string.
            Denial::passing(format!(
                "the answer of `{}` holds no token ({error})",
                self.token_url
            ))
        })?;
        Ok(Fetched {
            token: reply.access_token.into(),
            life: reply.expires_in,
        })
    }
}
