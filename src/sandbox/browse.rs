//! Browse sessions: a look into one restore point of a drive or site, for three days.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::id::{Kind, mix};
use super::present::Present;
use super::refusals::{ArtifactError, UNKNOWN_ERROR};
use super::tenant::{Point, Tenant};

const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// One browse session.
pub(super) struct BrowseSession {
    pub(super) serial: u32,
    pub(super) point: Point,
    pub(super) created: Timestamp,
    /// When it can be browsed.
    ready: Timestamp,
    pub(super) error: Option<ArtifactError>,
}

impl BrowseSession {
    /// Most take some seconds, some are there at once, one of a hundred fails.
    pub(super) fn new(
        tenant: &Tenant,
        present: &Present,
        serial: u32,
        point: Point,
        now: Timestamp,
    ) -> Self {
        let dice = mix(tenant.dice(0xd3, u64::from(serial)), 1);
        let seconds = i64::try_from(dice / 100 % 30).expect("below 30");
        let fails = dice % 100 == 17 && !present.broken.no_chance;
        Self {
            serial,
            point,
            created: now,
            ready: now + SignedDuration::from_secs((seconds - 9).max(0)),
            error: fails.then_some(UNKNOWN_ERROR),
        }
    }

    /// The member as it is sent.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match self.error {
            _ if now < self.ready => "creating",
            Some(_) => "failed",
            None => "created",
        }
    }

    /// True where its files can be looked at.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.status(now) == "created" && !self.is_over(now)
    }

    pub(super) fn expires(&self) -> Timestamp {
        self.created + LIFE
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.expires() <= now
    }
}

/// The id of a browse session: opaque, and no UUID.
pub(super) fn id_of(tenant: &Tenant, serial: u32, nonce: u64) -> String {
    let id = tenant.ids.make(Kind::Browse, serial, nonce);
    format!("m_{}", URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// The serial in an id of this tenant.
pub(super) fn serial_of(tenant: &Tenant, id: &str, nonce: u64) -> Option<u32> {
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix("m_")?).ok()?;
    let name = tenant.ids.read(Uuid::from_slice(&bytes).ok()?)?;
    (name.kind == Kind::Browse && name.slot == nonce).then_some(name.index)
}
