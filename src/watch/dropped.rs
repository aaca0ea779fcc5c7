//! The bytes of a claimed script and of what belongs to it, read once; and whether they may run.
//!
//! They are looked at when they are let in, and again before a run that has waited since then, or was cut off, begins or goes on:
//! a signature expires, a key or an owner is taken out of the policy.

use std::ffi::OsStr;

use jiff::Timestamp;

use super::arguments;
use super::claim::{Claim, hash};
use super::entry::{self, LARGEST, LARGEST_SIGNATURE};
use super::names::{self, Bundle};
use super::rules::Rules;
use super::signature::{self, Signed, Warrant};
use super::ticket::Ticket;
use crate::error::{Exit, Fault};

pub(super) struct Dropped {
    bundle: Bundle,
    script: Vec<u8>,
    pub(super) sha256: String,
    arguments: Option<Vec<u8>>,
    script_signature: Option<Vec<u8>>,
    arguments_signature: Option<Vec<u8>>,
}

impl Dropped {
    /// # Errors
    /// One of the files may not be let in, or is no document of arguments.
    pub(super) fn read(claim: &Claim, owners: &[u32]) -> Result<Self, Fault> {
        let bundle = Bundle::of(&claim.script);
        let read = |name: &OsStr, most| entry::bytes(&claim.folder, name, owners, most);
        let gone = || Fault::new(Exit::Unstarted, "NoSuchFile", "the script is gone");
        let script = read(&bundle.script, LARGEST)?.ok_or_else(gone)?;
        let arguments = read(&bundle.arguments, LARGEST)?;
        let script_signature = read(&bundle.script_signature, LARGEST_SIGNATURE)?;
        let arguments_signature = read(&bundle.arguments_signature, LARGEST_SIGNATURE)?;
        if let Some(arguments) = &arguments {
            arguments::read(&names::shown(&bundle.arguments), arguments)?;
        }
        if arguments.is_none() && arguments_signature.is_some() {
            let name = names::shown(&bundle.arguments);
            let message = format!("`{name}.minisig` is there, and `{name}` is not");
            return Err(Fault::new(Exit::Unstarted, "NoArguments", message)
                .hint("drop all files that `runback sign` names, in its order"));
        }
        Ok(Self {
            sha256: hash(&script),
            bundle,
            script,
            arguments,
            script_signature,
            arguments_signature,
        })
    }

    pub(super) fn arguments_sha256(&self) -> Option<String> {
        self.arguments.as_deref().map(hash)
    }

    /// Those that are there, by name.
    pub(super) fn files(&self) -> impl Iterator<Item = (&OsStr, &[u8])> {
        let bundle = &self.bundle;
        let all = [
            (&bundle.script, Some(&self.script)),
            (&bundle.arguments, self.arguments.as_ref()),
            (&bundle.script_signature, self.script_signature.as_ref()),
            (
                &bundle.arguments_signature,
                self.arguments_signature.as_ref(),
            ),
        ];
        all.into_iter()
            .filter_map(|(name, bytes)| Some((name.as_os_str(), bytes?.as_slice())))
    }

    /// What was signed, where the policy looks at signatures.
    ///
    /// # Errors
    /// A signature that is wanted is not there, or does not hold.
    pub(super) fn warrant(&self, rules: &Rules, now: Timestamp) -> Result<Option<Warrant>, Fault> {
        let is_signed = self.script_signature.is_some() || self.arguments_signature.is_some();
        if !rules.wants_signature(is_signed) {
            return Ok(None);
        }
        let (script_name, arguments_name) = (
            names::shown(&self.bundle.script),
            names::shown(&self.bundle.arguments),
        );
        let of_script = Signed {
            name: &script_name,
            bytes: &self.script,
            signature: self.script_signature.as_deref(),
        };
        let of_arguments = self.arguments.as_deref().map(|bytes| Signed {
            name: &arguments_name,
            bytes,
            signature: self.arguments_signature.as_deref(),
        });
        let keys = rules.trusted_keys();
        signature::warrant(of_script, &self.sha256, of_arguments, keys, now).map(Some)
    }
}

impl Claim {
    /// Whether what was let in would be let in now.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn still_holds(
        &self,
        ticket: &Ticket,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let script = &ticket.script;
        if !rules.owners().contains(&ticket.owner) {
            let message = format!(
                "`{script}` was dropped by uid {}, from whom nothing is taken any more",
                ticket.owner
            );
            return Err(Fault::new(Exit::Denied, "ForeignOwner", message)
                .hint("`owners` in the policy names those whose scripts run"));
        }
        let dropped = Dropped::read(self, &[crate::unix::user()])?;
        dropped
            .warrant(rules, now)
            .map(|_| ())
            .map_err(|mut fault| {
                fault.message = format!("what was let in may not run any more: {}", fault.message);
                fault
            })
    }
}
