//! What the credentials of `azure_identity` share: our transport under them, and our words for what went wrong.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use url::Url;

use super::Fetched;
use super::denial::Denial;
use super::way::Desk;
use super::wire::Wire;

/// Where Microsoft Entra is, and for which tenant.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    /// `https://login.microsoftonline.com`
    pub(super) host: String,
    pub(super) tenant: String,
}

impl Authority {
    /// An endpoint of the tenant: `token`, `devicecode`. `azure_identity` joins in the same way, so this is also the
    /// audience of a client assertion.
    pub(super) fn endpoint(&self, name: &str) -> Result<Url, Denial> {
        Url::parse(&self.host)
            .and_then(|host| host.join(&format!("/{}/oauth2/v2.0/{name}", self.tenant)))
            .map_err(|error| {
                Denial::lasting(format!(
                    "`{}` is no address to sign in at: {error}",
                    self.host
                ))
            })
    }

    pub(super) fn wire(&self, desk: &Desk) -> Result<Arc<Wire>, Denial> {
        let client = desk.transport.client_for(&self.endpoint("token")?)?;
        Ok(Arc::new(Wire::new(client, desk.transport.limits())))
    }

    pub(super) fn options(&self, wire: Arc<Wire>) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.host);
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..options(wire)
        }
    }

    /// Gets a token from a credential that was made with [`Authority::options`].
    ///
    /// The credentials are made anew for each token. They cache by themselves, would hand out a token that Graph has just
    /// refused until five minutes before its end, and give an error instead of the still valid token when a refresh fails;
    /// our [`super::source::TokenSource`] is the cache.
    pub(super) async fn ask<C: TokenCredential>(
        &self,
        credential: azure_core::Result<Arc<C>>,
        wire: &Wire,
        desk: &Desk,
    ) -> Result<Fetched, Denial> {
        let token = async { credential?.get_token(&[&desk.scope], None).await };
        match token.await {
            Ok(token) => fetched(&token),
            Err(error) => Err(wire.denial(&self.host, &deepest(&error))),
        }
    }
}

pub(super) fn options(wire: Arc<Wire>) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(wire)),
        // The default of eight tries needs 82 s to report a refused port. `TokenSource` tries again.
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    }
}

pub(super) fn fetched(token: &azure_core::credentials::AccessToken) -> Result<Fetched, Denial> {
    let life = Duration::try_from(token.expires_on - OffsetDateTime::now_utc()).ok();
    Fetched::new(token.token.secret(), life)
}

/// The innermost cause in its own words; the layers around it say "authentication failed" and where to read more.
pub(super) fn deepest(error: &azure_core::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
