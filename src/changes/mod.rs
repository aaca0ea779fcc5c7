//! The one door for everything that alters the tenant: consent → intent → send → outcome → reconcile.
//!
//! Nothing else may call [`crate::graph::Client::change`]; a test holds that. Intents live in memory for now, behind the
//! same door that a journal on disk will stand behind.

mod class;
mod consent;
mod door;
mod intent;

pub(crate) use class::Class;
pub(crate) use consent::{Consent, Covered};
pub(crate) use door::{Change, ChangeError, Door, Look, Lost, Verdict};
