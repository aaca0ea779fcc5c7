//! The tenant of one run: client, door, directory and backup service, wired together.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Connection, Leave};
use crate::backup::books::{Asked, ItemPoint};
use crate::backup::{Service, Settings};
use crate::changes::{Arming, Consent, Door, Guard, Ledger, Manner};
use crate::directory::Directory;
use crate::graph::{Client, GraphError, SharedHold, StandIn};
use crate::journal::Journal;
use crate::script::Skip;
use crate::script::api::tenant::{Origins, Tenant};
use crate::script::values::Object;
use crate::stop::Stop;
use crate::talk::Voice;
use crate::world::World;

/// The first look at a session that has just been activated.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// What the tenant of a run is wired to, beside the service.
pub(super) struct Wires {
    pub(super) leave: Leave,
    pub(super) manner: Manner,
    pub(super) guard: Guard,
    /// Answers changes in the service's place.
    pub(super) stand_in: Option<Arc<dyn StandIn>>,
    pub(super) ledger: Ledger,
    pub(super) arming: Arming,
    /// How large the books may become, in bytes.
    pub(super) most_books: Option<u64>,
}

/// Makes everything that talks to the tenant. Nothing is sent yet.
///
/// # Errors
/// An address or a credential that cannot be used.
pub(super) fn connect(
    run: &str,
    connection: Connection,
    Wires {
        leave,
        manner,
        guard,
        stand_in,
        ledger,
        arming,
        most_books,
    }: Wires,
    stop: &Stop,
    world: &World,
    voice: &Voice,
) -> Result<Tenant, GraphError> {
    let in_flight = connection.options.in_flight;
    let root = connection.options.root.clone();
    let talk: Arc<Voice> = Arc::new(voice.clone());
    let client = Client::new(connection.options, world.clone(), talk.clone())?;
    let client = Arc::new(client.behind(stand_in));
    if let Some(journal) = ledger.journal() {
        client.share_holds(Arc::new(Holds {
            journal: journal.clone(),
            tenant: root,
        }));
    }
    let door = Door::new(
        client.clone(),
        Consent::new(leave.yes, talk.clone()).by(manner),
        stop.clone(),
        talk.clone(),
        world.clone(),
        connection.settling,
        ledger,
    );
    let door = Arc::new(door.behind(guard).armed_by(arming));
    let directory = Arc::new(Directory::new(client.clone()));
    let settings = Settings {
        run: run.to_owned(),
        in_flight,
        first_look: FIRST_LOOK.min(connection.polling),
        polling: connection.polling,
        yes: leave.yes,
        again: leave.again,
        allow_overlap: leave.allow_overlap,
        most_books,
    };
    let backup = Service::new(
        client.clone(),
        door.clone(),
        directory.clone(),
        talk,
        world.clone(),
        stop.clone(),
        settings,
    );
    Ok(Tenant {
        client,
        directory,
        backup,
        door,
        origins: Origins::default(),
    })
}

/// Holds that the runs of one state folder share, for each service on its own.
struct Holds {
    journal: Journal,
    tenant: String,
}

impl SharedHold for Holds {
    fn hold(&self, until: Timestamp) {
        self.journal.hold_until(&self.tenant, until);
    }

    fn held_until(&self) -> Option<Timestamp> {
        self.journal.held_until(&self.tenant)
    }
}

/// Enters a `skip()` of the script into the books.
pub(super) fn book(backup: &Service, skip: Skip) {
    let is_unit = |object: &Object| object.kind().name().ends_with("ProtectionUnit");
    let unit = skip.unit.or_else(|| skip.object.clone().filter(is_unit));
    let kind = unit
        .as_ref()
        .or(skip.object.as_ref())
        .map(|object| object.kind().name());
    let point = skip.point.and_then(|point| {
        let protection_date_time = point.string("protectionDateTime");
        point.id().map(|id| ItemPoint {
            id,
            protection_date_time,
        })
    });
    let asked = Asked {
        workload: workload(kind.unwrap_or_default()),
        unit: unit.and_then(|unit| unit.id()),
        name: skip.item,
        point,
        destination: None,
        input: None,
    };
    let code = if is_code(&skip.reason) {
        skip.reason.clone()
    } else {
        "SkippedByScript".to_owned()
    };
    backup
        .books()
        .skip(asked, Some(code), Some(skip.reason), skip.ok);
}

/// One word like Graph's codes: `NotStarted`.
fn is_code(reason: &str) -> bool {
    reason.starts_with(|first: char| first.is_ascii_uppercase())
        && reason.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && reason.bytes().filter(u8::is_ascii_uppercase).count() > 1
}

/// The workload that an object of this type is restored in; a person is a mailbox until something else is known.
fn workload(kind: &str) -> &'static str {
    let kind = kind.to_ascii_lowercase();
    if kind.contains("site") || kind.contains("sharepoint") {
        "sharepoint"
    } else if kind.contains("drive") {
        "onedrive"
    } else {
        "exchange"
    }
}
