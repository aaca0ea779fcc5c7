//! One request on the wire and how it ended. Decides nothing.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, LOCATION,
    TRANSFER_ENCODING,
};
use reqwest::{Method, Response, Version};
use url::Url;

use super::auth::Token;
use super::body::{self, BodyError};
use super::cloud::Root;
use super::limits::Limits;
use super::{Answer, Call, Json, ServiceError};
use super::{refusal, words};

/// Most redirects that are followed, all to the same host.
const REDIRECTS: usize = 5;

/// Everything one request is made of.
pub(super) struct Attempt<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) limits: &'a Limits,
    pub(super) root: &'a Root,
    pub(super) call: &'a Call,
    pub(super) url: &'a Url,
    pub(super) token: &'a Token,
    pub(super) client_request_id: &'a str,
    /// A 200 without a body says nothing.
    pub(super) wants_body: bool,
    /// From the first byte sent to the last byte read.
    pub(super) time: Duration,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) end: End,
    /// The service's `Date`, where an answer came and it was readable.
    pub(super) date: Option<Timestamp>,
    pub(super) status: Option<u16>,
}

pub(super) enum End {
    Answered(Answer),
    Refused {
        error: ServiceError,
        retry_after: Option<String>,
    },
    /// It is certain that nothing left this machine.
    Unsent {
        cause: String,
        timed_out: bool,
    },
    /// Something left, nothing that can be used came back.
    Lost {
        cause: String,
        timed_out: bool,
    },
    /// An answer that is whole and of no use.
    Unusable {
        cause: String,
        request_id: String,
        /// It comes from something on the way, which may be gone next time.
        passing: bool,
    },
}

impl Attempt<'_> {
    pub(super) async fn send(&self) -> Ended {
        let mut url = self.url.clone();
        for _ in 0..=REDIRECTS {
            let response = match self.request(url.clone()).send().await {
                Ok(response) => response,
                Err(error) => {
                    return Ended {
                        end: self.failed(&error),
                        date: None,
                        status: None,
                    };
                }
            };
            let date = date(response.headers());
            let status = response.status();
            let end = if status.is_success() {
                self.answered(response).await
            } else if status.is_redirection() {
                match self.redirected(&response, &url) {
                    Ok(target) => {
                        url = target;
                        continue;
                    }
                    Err(end) => end,
                }
            } else {
                self.refused(response).await
            };
            return Ended {
                end,
                date,
                status: Some(status.as_u16()),
            };
        }
        Ended {
            end: End::Unusable {
                cause: format!("more than {REDIRECTS} redirects"),
                request_id: self.client_request_id.to_owned(),
                passing: false,
            },
            date: None,
            status: None,
        }
    }

    fn request(&self, url: Url) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .request(self.call.method.clone(), url)
            .timeout(self.time)
            .header(AUTHORIZATION, self.token.authorization())
            .header(ACCEPT, "application/json")
            .header("client-request-id", self.client_request_id)
            // Without it a failed session reads `unknownFutureValue`.
            .header("Prefer", "include-unknown-enum-members");
        for (name, value) in &self.call.headers {
            request = request.header(&**name, value);
        }
        match &self.call.body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
            // Left out otherwise, and some front ends answer 411 to a POST that does not say that it is empty.
            None if self.call.method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        }
    }

    /// No answer at all. `is_connect` covers DNS, proxy, TCP and TLS, all of which come before the first byte of a request.
    /// A pooled connection that dies under a request is no connect error and counts as lost.
    fn failed(&self, error: &reqwest::Error) -> End {
        let cause = words::cause(error, self.limits);
        let timed_out = error.is_timeout();
        if error.is_connect() {
            // What refuses may be the proxy and not the service.
            let way = self
                .root
                .proxy()
                .map(|proxy| format!(" through the proxy `{proxy}`"))
                .unwrap_or_default();
            let cause = format!("cannot reach `{}`{way}: {cause}", self.root.host());
            End::Unsent { cause, timed_out }
        } else if error.is_builder() {
            let cause = format!("the request could not be made: {cause}");
            End::Unsent { cause, timed_out }
        } else {
            End::Lost { cause, timed_out }
        }
    }

    async fn answered(&self, mut response: Response) -> End {
        let status = response.status().as_u16();
        let request_id = self.request_id(&response);
        // Cut behind its head it looks the same as complete.
        let may_be_cut = ends_with_connection(&response);
        let bytes = match body::read(&mut response, self.limits.body, self.limits).await {
            Ok(bytes) => bytes,
            Err(BodyError::TooLarge(most)) => {
                return End::Unusable {
                    cause: format!("the answer is larger than {}", megabytes(most)),
                    request_id,
                    passing: false,
                };
            }
            Err(BodyError::Slow(cause)) => {
                return End::Lost {
                    cause,
                    timed_out: true,
                };
            }
            Err(BodyError::Cut(cause)) => {
                return End::Lost {
                    cause,
                    timed_out: false,
                };
            }
        };
        match json(bytes) {
            Ok(None) if matches!(status, 200 | 201) && (self.wants_body || may_be_cut) => {
                End::Lost {
                    cause: "the answer is empty".to_owned(),
                    timed_out: false,
                }
            }
            Ok(Some(body)) if is_refusal(&body) => {
                let (headers, id) = (response.headers(), self.client_request_id);
                self.refusal(refusal::read(status, headers, body.bytes(), id), headers)
            }
            Ok(body) if self.call.makes && !has_id(body.as_ref()) => End::Lost {
                cause: "the answer does not say what was made".to_owned(),
                timed_out: false,
            },
            Ok(body) => End::Answered(Answer {
                status,
                request_id,
                body,
            }),
            Err(NotJson::Html(words)) => End::Unusable {
                cause: format!("an HTML page instead of JSON: {words}"),
                request_id,
                passing: true,
            },
            Err(NotJson::Broken(cause)) => End::Lost {
                cause,
                timed_out: false,
            },
        }
    }

    async fn refused(&self, mut response: Response) -> End {
        // A body that cannot be read does not make the status any less final.
        let body = body::read(&mut response, self.limits.error_body, self.limits)
            .await
            .unwrap_or_default();
        let headers = response.headers();
        let error = refusal::read(
            response.status().as_u16(),
            headers,
            &body,
            self.client_request_id,
        );
        self.refusal(error, headers)
    }

    fn refusal(&self, mut error: ServiceError, headers: &HeaderMap) -> End {
        self.token.redact(&mut error.message);
        let mut details = error.details.into_string();
        self.token.redact(&mut details);
        error.details = details.into();
        self.token.redact(&mut error.code);
        self.token.redact(&mut error.request_id);
        let retry_after = headers
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        End::Refused { error, retry_after }
    }

    /// Where to go on reading, if that is the same host. A change is never redirected: whether the service acted before it
    /// answered so, nobody can say.
    fn redirected(&self, response: &Response, from: &Url) -> Result<Url, End> {
        let unusable = |cause: String| {
            Err(End::Unusable {
                cause,
                request_id: self.request_id(response),
                passing: false,
            })
        };
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let Some(target) = location.and_then(|location| from.join(location).ok()) else {
            return unusable(format!("HTTP status {status}, which leads nowhere"));
        };
        if !self.root.owns(&target) {
            let place = words::place(&target);
            return unusable(format!("a redirect to another place (`{place}`)"));
        }
        if self.call.method != Method::GET {
            return unusable(format!("a redirect (HTTP status {status})"));
        }
        Ok(target)
    }

    fn request_id(&self, response: &Response) -> String {
        refusal::request_id(response.headers()).unwrap_or_else(|| self.client_request_id.to_owned())
    }
}

/// Does the body end where the connection does, and nowhere sooner? (RFC 9112, 6.3; HTTP/2 marks the end itself.)
fn ends_with_connection(response: &Response) -> bool {
    let headers = response.headers();
    response.version() < Version::HTTP_2
        && !headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(TRANSFER_ENCODING)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

fn megabytes(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        megabytes => format!("{megabytes} MiB"),
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum NotJson {
    Html(String),
    Broken(String),
}

/// The body as JSON; `None` where there is none (204, or blank).
/// Longest answer that may be an error and nothing else.
const LONGEST_REFUSAL: usize = 64 << 10;

/// Whether an answer of a success is an error and nothing beside it. An object that has an `error` among its properties is
/// another matter: so are artifacts and sessions that failed.
fn is_refusal(body: &Json) -> bool {
    // Most answers are pages, and are not read here to their end.
    if body.bytes().len() > LONGEST_REFUSAL || body.property("error").is_none() {
        return false;
    }
    let Ok(object) = body.parse::<serde_json::Map<String, serde_json::Value>>() else {
        return false;
    };
    let mut own = object.iter().filter(|(name, _)| !name.starts_with('@'));
    let only = (own.next(), own.next());
    matches!(only, (Some((name, error)), None) if name == "error" && error.get("code").is_some())
}

fn has_id(body: Option<&Json>) -> bool {
    let id = body.and_then(|body| body.string("id"));
    id.is_some_and(|id| !id.is_empty())
}

pub(super) fn json(bytes: Bytes) -> Result<Option<Json>, NotJson> {
    // `/users/$count` answers with a byte order mark before its number.
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => bytes.slice_ref(rest),
        None => bytes,
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let error = match Json::new(bytes.clone()) {
        Ok(json) => return Ok(Some(json)),
        Err(error) => error,
    };
    if bytes.trim_ascii_start().starts_with(b"<") {
        let start = &bytes[..bytes.len().min(20_000)];
        return Err(NotJson::Html(words::of_html(&String::from_utf8_lossy(
            start,
        ))));
    }
    Err(NotJson::Broken(if error.is_eof() {
        format!("the answer is cut off after {} bytes", bytes.len())
    } else {
        format!("the answer is no valid JSON ({error})")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_or_nothing_or_said_to_be_neither() {
        let read = |text: &'static str| json(Bytes::from_static(text.as_bytes()));
        assert_eq!(read(" \r\n"), Ok(None));
        assert_eq!(read("\u{feff}42").unwrap().unwrap().text(), "42");
        assert_eq!(read(" {\"a\":1}\n").unwrap().unwrap().text(), "{\"a\":1}");
        assert!(
            matches!(read("\n<!doctype html><title>Hi</title>"), Err(NotJson::Html(t)) if t == "Hi")
        );
        assert!(
            matches!(read("{\"a\":"), Err(NotJson::Broken(t)) if t.contains("cut off after 5 bytes"))
        );
        assert!(matches!(read("nope"), Err(NotJson::Broken(t)) if t.contains("no valid JSON")));
    }
}
