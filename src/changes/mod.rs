//! The one door for everything that alters the tenant: policy → consent → intent → send → outcome → reconcile.
//!
//! Nothing else may call [`crate::graph::Client::change`]; a test holds that. What is sent stands in the journal before.

mod approved;
mod arming;
mod change;
mod class;
mod consent;
mod door;
mod guard;
mod ledger;
pub(crate) mod origin;

pub(crate) use approved::{Aim, Approved, Terms, aim};
pub(crate) use arming::{Arming, Mode};
pub(crate) use change::{Change, ChangeError, Key, Look, Lost, Verdict};
pub(crate) use class::Class;
pub(crate) use consent::{Consent, Covered, Manner};
pub(crate) use door::{Door, Resettled};
pub(crate) use guard::Guard;
pub(crate) use ledger::{Ledger, Left, Past};
pub(crate) use origin::Origin;
