//! The client: what it is made of, and the calls it offers. How a call is carried through stands in `course`.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use super::auth::{TokenSource, secret_end};
use super::cloud::{self, Root};
use super::course::Course;
use super::limits::Limits;
use super::pace::Pacer;
use super::requests::Counters;
use super::retry::Kind;
use super::transport::Transport;
use super::{
    Answer, Call, GraphError, Identity, Json, Notices, Options, Pages, Requests, StandIn, Version,
};
use crate::world::World;

pub(crate) struct Client {
    pub(super) root: Root,
    pub(super) budget: Duration,
    pub(super) transport: Arc<Transport>,
    pub(super) tokens: TokenSource,
    pub(super) pacer: Pacer,
    pub(super) counters: Counters,
    pub(super) notices: Arc<dyn Notices>,
    pub(super) world: World,
    version: Version,
    stand_in: Option<Arc<dyn StandIn>>,
    /// The service's clock minus ours, in milliseconds.
    offset: AtomicI64,
    /// The service has sent a date.
    dated: AtomicBool,
    /// Some call was answered, with whatever status.
    reached: AtomicBool,
    /// Holds of other processes, where there are any.
    shared: OnceLock<Arc<dyn SharedHold>>,
}

/// A hold that other processes keep too: what one of them is told by the service, all obey.
pub(crate) trait SharedHold: Send + Sync {
    /// Nobody sends before then.
    fn hold(&self, until: Timestamp);
    /// Until when nobody may send, where somebody has said so. Asked before every call: cheap.
    fn held_until(&self) -> Option<Timestamp>;
}

impl Client {
    /// Cheap: the HTTP client, TLS roots and token are made at the first call.
    ///
    /// # Errors
    /// [`GraphError::Setup`]: an address that must not be used, a credential that is missing, a CA file that cannot be read.
    pub(crate) fn new(
        options: Options,
        world: World,
        notices: Arc<dyn Notices>,
    ) -> Result<Self, GraphError> {
        Self::with_limits(options, world, notices, Limits::default())
    }

    pub(super) fn with_limits(
        options: Options,
        world: World,
        notices: Arc<dyn Notices>,
        limits: Limits,
    ) -> Result<Self, GraphError> {
        let root = Root::new(&options.root, &options.sign_in)?;
        cloud::check_sign_in(&options.sign_in)?;
        let ca_file = options.ca_file.as_ref();
        let transport = Arc::new(Transport::new(&root, ca_file, options.in_flight, limits)?);
        let tokens = TokenSource::new(
            options.sign_in,
            &root,
            transport.clone(),
            world.clone(),
            notices.clone(),
        )?;
        Ok(Self {
            root,
            budget: options.budget,
            transport,
            tokens,
            pacer: Pacer::new(options.in_flight),
            counters: Counters::default(),
            notices,
            world,
            version: options.version,
            stand_in: None,
            offset: AtomicI64::new(0),
            dated: AtomicBool::new(false),
            reached: AtomicBool::new(false),
            shared: OnceLock::new(),
        })
    }

    /// Keeps holds together with other processes from now on.
    pub(crate) fn share_holds(&self, with: Arc<dyn SharedHold>) {
        // A second one would be a mistake of ours, and the first does as well.
        let _ = self.shared.set(with);
    }

    /// How long everybody has to wait now, also by the word of another process.
    pub(super) fn held(&self, now: Timestamp) -> Option<Duration> {
        if let Some(until) = self.shared.get().and_then(|shared| shared.held_until()) {
            self.pacer.hold(until);
        }
        self.pacer.held(now)
    }

    /// Nobody sends before then.
    pub(super) fn hold(&self, until: Timestamp) {
        self.pacer.hold(until);
        if let Some(shared) = self.shared.get() {
            shared.hold(until);
        }
    }

    /// The same, with somebody who answers changes in the service's place.
    pub(crate) fn behind(mut self, stand_in: Option<Arc<dyn StandIn>>) -> Self {
        self.stand_in = stand_in;
        self
    }

    /// Who answers in the service's place.
    pub(crate) fn stand_in(&self) -> Option<&Arc<dyn StandIn>> {
        self.stand_in.as_ref()
    }

    /// A call that alters nothing: GET, or a search by POST.
    pub(crate) async fn read(&self, call: Call) -> Result<Answer, GraphError> {
        if let Some(answer) = self.stood_in(&call) {
            return answer;
        }
        let url = self.url(&call)?;
        self.send(Kind::Reading, &call, &url).await
    }

    /// A call that alters the tenant. Only `changes/` may use it.
    ///
    /// An answer that was lost comes back as [`GraphError::Unknown`] and is never sent again here. The future must be
    /// awaited to its end: dropped on the way, nobody knows what the service did. It ends by itself about 10 s after the
    /// stop signal.
    pub(crate) async fn change(&self, call: Call) -> Result<Answer, GraphError> {
        if let Some(stand_in) = &self.stand_in {
            return stand_in.change(&call, self.service_now()).map(in_place);
        }
        let url = self.url(&call)?;
        self.send(Kind::Changing, &call, &url).await
    }

    /// A list, page by page; the next page is fetched while this one is used.
    pub(crate) fn pages(self: &Arc<Self>, call: Call) -> Pages {
        Pages::new(self.clone(), call)
    }

    /// Where calls go that ask for no version.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Our clock, corrected by the newest `Date` the service sent (which has whole seconds).
    pub(crate) fn service_now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset.load(Relaxed));
        let now = self.now();
        now.saturating_add(offset).unwrap_or(now)
    }

    /// How far the service's clock is ahead of ours, by its newest `Date`; `None` before the first one.
    pub(crate) fn clock_ahead(&self) -> Option<SignedDuration> {
        let ahead = SignedDuration::from_millis(self.offset.load(Relaxed));
        self.dated.load(Relaxed).then_some(ahead)
    }

    pub(crate) fn requests(&self) -> Requests {
        self.counters.read()
    }

    /// Counts a change whose lost answer was resolved by looking.
    pub(crate) fn count_reconciled(&self) {
        self.counters.reconciled();
    }

    /// Signs in, where that has not happened yet, and tells how and as whom.
    ///
    /// # Errors
    /// [`GraphError::SignIn`], also when the stop signal comes while somebody is waited for.
    pub(crate) async fn signed_in(&self) -> Result<Identity, GraphError> {
        let token = tokio::select! {
            biased;
            () = self.world.cancel.cancelled() => return Err(GraphError::SignIn {
                message: "it was stopped".to_owned(),
                hint: None,
                context: Vec::new(),
            }),
            token = self.tokens.token() => token?,
        };
        Ok(self
            .tokens
            .identity(&token)
            .expect("a token came by one of the ways"))
    }

    /// When the client secret that we sign in with ends.
    ///
    /// `None`: another method is in use, or none of the application's secrets looks like ours. Of several that do, the
    /// earliest end is told. Needs `Application.Read.All` or to be an owner of the registration, which few are: ask where
    /// it is worth a call, and take a refusal as "not known".
    pub(crate) async fn secret_ends(&self) -> Result<Option<Timestamp>, GraphError> {
        let identity = self.signed_in().await?;
        let (Some(hint), Some(app)) = (self.tokens.secret_hint(), identity.claims.app_id) else {
            return Ok(None);
        };
        // The id stands in a token, and so may be anything.
        let Ok(app) = Uuid::parse_str(&app) else {
            return Ok(None);
        };
        let call = Call::get(
            "read application",
            format!("/applications(appId='{app}')?$select=passwordCredentials"),
        );
        let answer = self.read(call).await?;
        Ok(secret_end(&answer.json(), &hint, self.now()))
    }

    /// How we are signed in, without signing in.
    pub(crate) fn known_identity(&self) -> Option<Identity> {
        self.tokens.known()
    }

    /// The stand-in's answer to a read, where it has one.
    pub(super) fn stood_in(&self, call: &Call) -> Option<Result<Answer, GraphError>> {
        let answer = self.stand_in.as_ref()?.read(call)?;
        Some(answer.map(in_place))
    }

    pub(super) async fn send(
        &self,
        kind: Kind,
        call: &Call,
        url: &Url,
    ) -> Result<Answer, GraphError> {
        Course::new(self, kind, call, url).run().await
    }

    pub(super) fn url(&self, call: &Call) -> Result<Url, GraphError> {
        self.root
            .join(call.version.unwrap_or(self.version), &call.path)
            .map_err(|cause| GraphError::Setup {
                message: format!("{} was not sent: {cause}", call.operation),
                hint: None,
            })
    }

    pub(super) fn is_reached(&self) -> bool {
        self.reached.load(Relaxed)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// An answer came, with this `Date`.
    pub(super) fn answered(&self, date: Option<Timestamp>) {
        self.reached.store(true, Relaxed);
        let Some(date) = date else { return };
        let offset = date.duration_since(self.now()).as_millis();
        self.offset
            .store(i64::try_from(offset).unwrap_or(0), Relaxed);
        self.dated.store(true, Relaxed);
    }
}

/// What a stand-in said, as an answer of the service.
fn in_place(json: Json) -> Answer {
    Answer {
        status: 200,
        request_id: Uuid::nil().to_string(),
        body: Some(json),
    }
}

#[cfg(test)]
mod tests;
