//! The way of a sign-in to the network: our own HTTP client under the credentials of `azure_identity` and under `oauth2`.
//!
//! Both put answers into errors that lose the status, the body or the cause. What was heard last is kept here and told in
//! our words, and nothing but a success reaches `azure_identity`: its managed identity tries for 72 s by itself, whatever
//! it was told about retries.

use std::sync::{Mutex, PoisonError};

use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request as AzureRequest, StatusCode};
use bytes::Bytes;
use oauth2::{HttpRequest, HttpResponse};
use url::Url;

use super::denial::Denial;
use crate::graph::body::{self, BodyError};
use crate::graph::limits::Limits;
use crate::graph::words;

/// The address that `azure_identity` has built in.
pub(super) const METADATA: &str = "http://169.254.169.254";

pub(super) struct Wire {
    client: reqwest::Client,
    limits: Limits,
    /// Stands for [`METADATA`].
    metadata: Option<Url>,
    heard: Mutex<Option<Heard>>,
    /// What was sent and may stand in no message. A gateway may repeat the form it got.
    sent: Mutex<Vec<String>>,
}

/// The fields of a form that are secret.
const SECRET: [&str; 4] = [
    "client_secret",
    "client_assertion",
    "refresh_token",
    "device_code",
];

/// What came of the last request.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    Answer {
        status: u16,
        body: Bytes,
    },
    /// No answer, or not all of it.
    Nothing {
        cause: String,
        /// Nobody is there: no connection could be made.
        unconnected: bool,
    },
}

/// What is given to the libraries for anything but an answer that they should see.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unheard(String);

impl Wire {
    pub(super) fn new(client: reqwest::Client, limits: &Limits) -> Self {
        Self {
            client,
            limits: limits.clone(),
            metadata: None,
            heard: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    /// Sends what is meant for [`METADATA`] there.
    pub(super) fn with_metadata_at(self, address: Url) -> Self {
        Self {
            metadata: Some(address),
            ..self
        }
    }

    pub(super) fn heard(&self) -> Option<Heard> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why no token came of what was heard last at `address`; `otherwise` where nothing was heard at all.
    pub(super) fn denial(&self, address: &str, otherwise: &str) -> Denial {
        let mut denial = self.told(address, otherwise);
        for secret in &*self.sent.lock().unwrap_or_else(PoisonError::into_inner) {
            words::redact(&mut denial.message, secret, "[secret]");
        }
        denial
    }

    fn told(&self, address: &str, otherwise: &str) -> Denial {
        match self.heard() {
            Some(Heard::Nothing { cause, .. }) => {
                Denial::passing(format!("no answer from `{address}`: {cause}"))
            }
            Some(Heard::Answer { status, body }) if (200..300).contains(&status) => {
                let text = String::from_utf8_lossy(&body);
                let words = if text.trim_start().starts_with('<') {
                    format!("a page: {}", words::of_html(&text))
                } else {
                    words::tidy(otherwise, 200)
                };
                Denial::passing(format!(
                    "the answer of `{address}` holds no token ({words})"
                ))
            }
            Some(Heard::Answer { status, body }) => Denial::of_answer(status, &body),
            None => Denial::lasting(format!(
                "there is no token: {}",
                words::tidy(otherwise, 300)
            )),
        }
    }

    async fn send(&self, request: reqwest::Request) -> Result<(u16, Bytes), Unheard> {
        let nothing = |cause: String, unconnected: bool| {
            self.keep(Heard::Nothing {
                cause: cause.clone(),
                unconnected,
            });
            Unheard(cause)
        };
        if let Some(form) = request.body().and_then(reqwest::Body::as_bytes) {
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = secrets(form);
        }
        let mut response = self
            .client
            .execute(request)
            .await
            .map_err(|error| nothing(words::cause(&error, &self.limits), error.is_connect()))?;
        let status = response.status().as_u16();
        let body = body::read(&mut response, self.limits.error_body, &self.limits)
            .await
            .map_err(|error| {
                let cause = match error {
                    BodyError::TooLarge(most) => format!("the answer is larger than {most} bytes"),
                    BodyError::Slow(cause) | BodyError::Cut(cause) => cause,
                };
                nothing(cause, false)
            })?;
        self.keep(Heard::Answer {
            status,
            body: body.clone(),
        });
        Ok((status, body))
    }

    fn keep(&self, heard: Heard) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
    }

    /// For `oauth2`. It goes on polling after an error, and gives up on an answer that is not one of its protocol: what a
    /// gateway or a service in trouble says is an error here.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, Unheard> {
        let request = request
            .try_into()
            .map_err(|error: reqwest::Error| Unheard(error.to_string()))?;
        let (status, body) = self.send(request).await?;
        if status >= 500 || matches!(status, 408 | 429) {
            return Err(Unheard(format!("HTTP status {status}")));
        }
        oauth2::http::Response::builder()
            .status(status)
            .body(body.to_vec())
            .map_err(|error| Unheard(error.to_string()))
    }

    fn request(&self, request: &AzureRequest) -> Result<reqwest::Request, Unheard> {
        let mut url = request.url().clone();
        if let Some(own) = &self.metadata
            && let Some(rest) = url.as_str().strip_prefix(METADATA)
        {
            let text = format!("{}{rest}", own.as_str().trim_end_matches('/'));
            url = Url::parse(&text).map_err(|error| Unheard(error.to_string()))?;
        }
        let method = request.method();
        let method = reqwest::Method::from_bytes(method.as_ref().as_bytes())
            .map_err(|error| Unheard(error.to_string()))?;
        let mut builder = self.client.request(method, url);
        for (name, value) in request.headers().iter() {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let azure_core::http::Body::Bytes(body) = request.body().clone() else {
            return Err(Unheard("a form is no stream".to_owned()));
        };
        builder
            .body(body)
            .build()
            .map_err(|error| Unheard(error.to_string()))
    }
}

/// As they are, and as they stand in the form.
fn secrets(form: &[u8]) -> Vec<String> {
    url::form_urlencoded::parse(form)
        .filter(|(name, _)| SECRET.contains(&&**name))
        .flat_map(|(_, value)| {
            let encoded = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            [value.into_owned(), encoded]
        })
        .collect()
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpClient for Wire {
    async fn execute_request(
        &self,
        request: &AzureRequest,
    ) -> azure_core::Result<AsyncRawResponse> {
        let sent = async {
            let (status, body) = self.send(self.request(request)?).await?;
            if (200..300).contains(&status) {
                Ok(AsyncRawResponse::from_bytes(
                    StatusCode::from(status),
                    Headers::default(),
                    body,
                ))
            } else {
                Err(Unheard(format!("HTTP status {status}")))
            }
        };
        // Not `Io` and not `Connection`: those are tried again down there.
        sent.await
            .map_err(|unheard| azure_core::Error::new(ErrorKind::Other, unheard))
    }
}
