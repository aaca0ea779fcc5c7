//! A token from Microsoft Entra for a client secret.

use azure_core::credentials::Secret as AzureSecret;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Fetched;
use super::azure::Authority;
use super::denial::Denial;
use super::way::Desk;
use crate::graph::Json;

pub(super) struct SecretWay {
    pub(super) authority: Authority,
    pub(super) client_id: String,
    pub(super) secret: SecretString,
}

impl SecretWay {
    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let wire = self.authority.wire(desk)?;
        let credential = ClientSecretCredential::new(
            &self.authority.tenant,
            self.client_id.clone(),
            AzureSecret::new(self.secret.expose_secret().to_owned()),
            Some(ClientSecretCredentialOptions {
                client_options: self.authority.options(wire.clone()),
            }),
        );
        self.authority.ask(credential, &wire, desk).await
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
    use super::*;

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
