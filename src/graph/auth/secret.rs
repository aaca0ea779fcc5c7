//! A token from Microsoft Entra for a client secret, through `azure_identity`.

use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret as AzureSecret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Fetched;
use super::denial::Denial;
use crate::graph::Json;
use crate::graph::limits::Limits;
use crate::graph::words;

pub(super) struct SecretWay {
    pub(super) authority: String,
    pub(super) tenant: String,
    pub(super) client_id: String,
    pub(super) secret: SecretString,
    pub(super) scope: String,
}

impl SecretWay {
    /// Asks once, with our own HTTP client (our TLS, our proxy, our limits).
    ///
    /// The credential is made anew for each token. It caches by itself, would hand out a token that Graph has just refused
    /// until five minutes before its end, and gives an error instead of the still valid token when a refresh fails; our
    /// [`super::TokenSource`] is the cache.
    pub(super) async fn fetch(
        &self,
        http: Arc<dyn HttpClient>,
        limits: &Limits,
    ) -> Result<Fetched, Denial> {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        let client_options = ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            transport: Some(Transport::new(http)),
            // The default of eight tries needs 82 s to report a refused port. `TokenSource` tries again.
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        let credential = ClientSecretCredential::new(
            &self.tenant,
            self.client_id.clone(),
            AzureSecret::new(self.secret.expose_secret().to_owned()),
            Some(ClientSecretCredentialOptions { client_options }),
        )
        .map_err(|error| Denial {
            message: words::tidy(&error.to_string(), 300),
            hint: Some("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_AUTHORITY_HOST"),
            again: false,
        })?;
        let token = credential
            .get_token(&[&self.scope], None)
            .await
            .map_err(|error| self.denial(&error, limits))?;
        let life = token.expires_on - OffsetDateTime::now_utc();
        Ok(Fetched {
            token: token.token.secret().to_owned().into(),
            life: Some(Duration::try_from(life).unwrap_or_default()),
        })
    }

    /// Digs the service's own words out of the layers around them: the outer error has neither status nor body.
    fn denial(&self, error: &azure_core::Error, limits: &Limits) -> Denial {
        let mut layer: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut passing = false;
        while let Some(current) = layer {
            if let Some(error) = current.downcast_ref::<reqwest::Error>() {
                return Denial::passing(format!(
                    "no answer from `{}`: {}",
                    self.authority,
                    words::cause(error, limits)
                ));
            }
            if let Some(azure) = current.downcast_ref::<azure_core::Error>() {
                match azure.kind() {
                    ErrorKind::HttpResponse {
                        status,
                        raw_response: Some(response),
                        ..
                    } => return Denial::of_answer(u16::from(*status), response.body()),
                    // The answer was no JSON: a proxy's or a gateway's page.
                    ErrorKind::DataConversion | ErrorKind::Connection | ErrorKind::Io => {
                        passing = true;
                    }
                    _ => {}
                }
            }
            layer = current.source();
        }
        let mut deepest: &dyn std::error::Error = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let text = deepest.to_string();
        Denial {
            message: format!(
                "`{}` gave no token: {}",
                self.authority,
                words::tidy(&text, 300)
            ),
            hint: None,
            again: passing,
        }
    }
}

/// The earliest end, after `now`, of an application's secrets that start like ours; Graph shows their first characters.
///
/// Source: Graph docs, `passwordCredential` (`hint`: "the first three characters of the password").
pub(in crate::graph) fn end(application: &Json, hint: &str, now: Timestamp) -> Option<Timestamp> {
    let credentials = application.property("passwordCredentials")?.elements();
    credentials
        .iter()
        .filter(|credential| credential.string("hint").as_deref() == Some(hint))
        .filter_map(|credential| credential.string("endDateTime")?.parse().ok())
        .filter(|end| *end > now)
        .min()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use azure_core::http::headers::Headers;
    use azure_core::http::{AsyncRawResponse, Request, StatusCode};

    use super::*;

    /// Stands where reqwest stands; keeps what it was asked.
    #[derive(Debug)]
    struct Canned {
        status: u16,
        body: &'static str,
        asked: Mutex<Vec<(String, String)>>,
    }

    #[async_trait::async_trait]
    impl HttpClient for Canned {
        async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
            let azure_core::http::Body::Bytes(body) = request.body().clone() else {
                panic!("a form is no stream");
            };
            let body = String::from_utf8(body.to_vec()).unwrap();
            self.asked
                .lock()
                .unwrap()
                .push((request.url().to_string(), body));
            Ok(AsyncRawResponse::from_bytes(
                StatusCode::from(self.status),
                Headers::default(),
                self.body.as_bytes().to_vec(),
            ))
        }
    }

    async fn fetch(
        status: u16,
        body: &'static str,
    ) -> (Result<Fetched, Denial>, Vec<(String, String)>) {
        let canned = Arc::new(Canned {
            status,
            body,
            asked: Mutex::default(),
        });
        let way = SecretWay {
            authority: "https://login.example".to_owned(),
            tenant: "tenant-1".to_owned(),
            client_id: "client-1".to_owned(),
            secret: "hush".into(),
            scope: "https://graph.example/.default".to_owned(),
        };
        let result = way.fetch(canned.clone(), &Limits::default()).await;
        let asked = canned.asked.lock().unwrap().clone();
        (result, asked)
    }

    #[tokio::test]
    async fn a_secret_is_exchanged_for_a_token_at_the_tenants_endpoint() {
        let (result, asked) = fetch(
            200,
            r#"{"token_type":"Bearer","expires_in":3600,"access_token":"abc"}"#,
        )
        .await;
        let fetched = result.unwrap_or_else(|denial| panic!("{denial:?}"));
        assert_eq!(fetched.token.expose_secret(), "abc");
        assert!(fetched.life.unwrap() > Duration::from_secs(3500));
        assert_eq!(asked.len(), 1);
        assert_eq!(
            asked[0].0,
            "https://login.example/tenant-1/oauth2/v2.0/token"
        );
        assert!(asked[0].1.contains("client_secret=hush"));
        assert!(
            asked[0]
                .1
                .contains("scope=https%3A%2F%2Fgraph.example%2F.default")
        );
    }

    #[tokio::test]
    async fn the_words_of_entra_are_dug_out_of_the_layers() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 1","error_codes":[7000215]}"#;
        let (result, asked) = fetch(401, body).await;
        let denial = result.err().unwrap();
        assert_eq!(
            denial.message,
            "AADSTS7000215: Invalid client secret provided."
        );
        assert!(denial.hint.is_some() && !denial.again);
        assert_eq!(asked.len(), 1, "a wrong secret is not sent twice");
        assert!(!format!("{denial:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_page_of_a_gateway_may_pass() {
        let (result, _) = fetch(502, "<html>Bad Gateway</html>").await;
        let denial = result.err().unwrap();
        assert!(denial.again, "{denial:?}");
        assert!(denial.message.contains("login.example"), "{denial:?}");
    }

    #[test]
    fn the_end_of_a_secret_is_found_by_its_first_characters() {
        let application = Json::of(&serde_json::json!({"passwordCredentials": [
            {"hint": "abc", "endDateTime": "2020-01-01T00:00:00Z"},
            {"hint": "abc", "endDateTime": "2027-05-01T00:00:00Z"},
            {"hint": "abc", "endDateTime": "2027-03-01T00:00:00Z"},
            {"hint": "xyz", "endDateTime": "2027-01-01T00:00:00Z"},
            {"hint": null, "endDateTime": "2026-12-01T00:00:00Z"},
        ]}));
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let ends = end(&application, "abc", now).unwrap();
        assert_eq!(ends.to_string(), "2027-03-01T00:00:00Z");
        assert_eq!(end(&application, "no", now), None);
        assert_eq!(end(&Json::of(&serde_json::json!({})), "abc", now), None);
    }
}
