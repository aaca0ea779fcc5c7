//! A token for a person, who signs in with a browser on any device and enters a code there.
//!
//! The first sign-in brings a refresh token, with which later tokens are had without the person.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponse, EndpointNotSet,
    EndpointSet, HttpRequest, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse as _, TokenUrl,
};

use super::Fetched;
use super::azure::Authority;
use super::denial::{Denial, Nature};
use super::way::Desk;
use super::wire::{Unheard, Wire};

/// The longest time between two polls while the sign-in service cannot be reached. Above the interval of any service that
/// asked to be polled slowly: the library takes the smaller of this and twice the interval.
const MOST_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct DeviceWay {
    authority: Authority,
    client_id: String,
    scopes: Vec<String>,
    refresh: Mutex<Option<RefreshToken>>,
}

type Client = BasicClient<EndpointNotSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl DeviceWay {
    /// `scopes`: the permissions by name; a refresh token is asked for beside them.
    pub(super) fn new(authority: Authority, client_id: String, mut scopes: Vec<String>) -> Self {
        scopes.push("offline_access".to_owned());
        Self {
            authority,
            client_id,
            scopes,
            refresh: Mutex::default(),
        }
    }

    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let wire = self.authority.wire(desk)?;
        let client = self.client()?;
        if let Some(refresh) = self.refresh_token() {
            match self.renew(&client, &refresh, &wire).await {
                Err(denial) if denial.nature == Nature::Lasting => {
                    self.keep(None);
                    desk.notices.warn(&format!(
                        "the sign-in has to be renewed by hand: {}",
                        denial.message
                    ));
                }
                ended => return ended,
            }
        }
        self.sign_in(&client, &wire, desk).await
    }

    fn client(&self) -> Result<Client, Denial> {
        Ok(BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.authority.endpoint("token")?))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(
                self.authority.endpoint("devicecode")?,
            ))
            // A public client names itself in the form.
            .set_auth_type(AuthType::RequestBody))
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.scopes.iter().cloned().map(Scope::new)
    }

    async fn renew(
        &self,
        client: &Client,
        refresh: &RefreshToken,
        wire: &Arc<Wire>,
    ) -> Result<Fetched, Denial> {
        let reply = client
            .exchange_refresh_token(refresh)
            .add_scopes(self.scopes())
            .request_async(&http(wire))
            .await;
        match reply {
            Ok(reply) => self.take(&reply),
            Err(error) => Err(self.denial(wire, &error)),
        }
    }

    async fn sign_in(
        &self,
        client: &Client,
        wire: &Arc<Wire>,
        desk: &Desk,
    ) -> Result<Fetched, Denial> {
        let http = http(wire);
        let details: StandardDeviceAuthorizationResponse = client
            .exchange_device_code()
            .add_scopes(self.scopes())
            .request_async(&http)
            .await
            .map_err(|error| self.denial(wire, &error))?;
        desk.notices.enter_code(
            details.verification_uri().as_str(),
            details.user_code().secret(),
            details.expires_in(),
        );
        let clock = desk.world.clock.clone();
        let now = {
            let clock = clock.clone();
            move || {
                chrono::DateTime::from_timestamp_millis(clock.now().as_millisecond())
                    .unwrap_or_default()
            }
        };
        // The library polls at once; nobody has typed a code by then, and the interval is meant between any two requests.
        clock.sleep(details.interval()).await;
        let reply = client
            .exchange_device_access_token(&details)
            .set_time_fn(now)
            .set_max_backoff_interval(MOST_PAUSE)
            .request_async(&http, |pause| clock.sleep(pause), None)
            .await;
        match reply {
            Ok(reply) => self.take(&reply),
            Err(RequestTokenError::ServerResponse(said)) => {
                Err(self.ended(wire, &said, details.expires_in()))
            }
            Err(error) => Err(self.denial(wire, &error)),
        }
    }

    fn take(&self, reply: &BasicTokenResponse) -> Result<Fetched, Denial> {
        // A reply without a refresh token leaves the one that we have in force.
        if let Some(refresh) = reply.refresh_token() {
            self.keep(Some(refresh.clone()));
        }
        Fetched::new(reply.access_token().secret(), reply.expires_in())
    }

    /// The three ends of a sign-in that are the person's own, in our words; the service's words otherwise.
    fn ended(&self, wire: &Wire, said: &DeviceCodeErrorResponse, life: Duration) -> Denial {
        match said.error().as_ref() {
            // Entra's name, and that of the standard.
            "authorization_declined" | "access_denied" => {
                Denial::lasting("the sign-in was declined in the browser".to_owned())
                    .hint("run it again and confirm the sign-in, if it was you who started it")
            }
            "expired_token" => Denial::lasting(format!(
                "the code was not entered within {} min",
                life.as_secs().div_ceil(60)
            ))
            .hint("run it again; it shows a new code"),
            _ => self.denial(wire, said),
        }
    }

    fn denial(&self, wire: &Wire, error: &dyn std::fmt::Display) -> Denial {
        wire.denial(&self.authority.host, &error.to_string())
    }

    fn refresh_token(&self) -> Option<RefreshToken> {
        self.refresh
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, refresh: Option<RefreshToken>) {
        *self.refresh.lock().unwrap_or_else(PoisonError::into_inner) = refresh;
    }
}

/// The wire, as `oauth2` wants to call it.
fn http(
    wire: &Arc<Wire>,
) -> impl Fn(HttpRequest) -> futures::future::BoxFuture<'static, Result<oauth2::HttpResponse, Unheard>>
+ use<> {
    let wire = wire.clone();
    move |request| {
        let wire = wire.clone();
        Box::pin(async move { wire.call(request).await })
    }
}
