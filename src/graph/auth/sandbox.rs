//! A token from a sandbox of ours: the same form POST as Entra's, over plain http on this machine.
//!
//! `azure_identity` refuses a plain http authority when a credential is made, so this one is written by hand.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

use super::Fetched;
use super::denial::Denial;
use super::way::Desk;
use crate::graph::body;
use crate::graph::words;

pub(super) struct SandboxWay {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) secret: SecretString,
}

#[derive(Deserialize)]
struct Reply {
    access_token: String,
    #[serde(default, deserialize_with = "json_seconds")]
    expires_in: Option<Duration>,
}

impl SandboxWay {
    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let (http, limits) = (desk.transport.client()?, desk.transport.limits());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.secret.expose_secret()),
            ("scope", &desk.scope),
        ];
        let place = &self.token_url;
        let mut response = http.post(place).form(&form).send().await.map_err(|error| {
            let cause = words::cause(&error, limits);
            Denial::passing(format!("no answer from `{place}`: {cause}"))
        })?;
        let status = response.status();
        let body = body::read(&mut response, limits.error_body, limits)
            .await
            .map_err(|error| {
                Denial::passing(format!(
                    "the answer of `{place}` could not be read: {error:?}"
                ))
            })?;
        if !status.is_success() {
            let mut denial = Denial::of_answer(status.as_u16(), &body);
            // A gateway may repeat the form it was sent; messages and logs may not.
            words::redact(&mut denial.message, self.secret.expose_secret(), "[secret]");
            return Err(denial);
        }
        let reply: Reply = serde_json::from_slice(&body).map_err(|error| {
            // serde's message names place and kind, never the value of a string.
            Denial::passing(format!("the answer of `{place}` holds no token ({error})"))
        })?;
        Fetched::new(&reply.access_token, reply.expires_in)
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
