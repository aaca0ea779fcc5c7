//! Consent by file: a run waits with its plan until somebody else has approved it.
//!
//! What runs lies in the claimed folder, where only the watcher writes; in `pending/` lie copies to look at, and there the
//! approver leaves a word. Nothing else that lies there is believed.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Read as _};

use jiff::Timestamp;

use super::entry;
use super::inbox::Inbox;
use super::names::Bundle;
use super::rules::Rules;
use super::signature::{self, Signed};
use super::ticket::Ticket;
use crate::error::{Exit, Fault};
use crate::plan::Glance;
use crate::unix::folder::{Folder, Kind};

pub(super) const PLAN: &str = "plan.json";
pub(super) const TABLE: &str = "plan.txt";
const APPROVED: &str = "approved";
const SIGNED: &str = "plan.json.minisig";
const REJECTED: &str = "rejected";
/// Why what lies there is no approval.
const WHY: &str = "approval.txt";
/// A plan of a hundred thousand rows is some tens of megabytes.
const LARGEST: u64 = 64 << 20;
/// A hash, and what an editor puts behind it.
const LONGEST: u64 = 4096;

/// What was said of a parked run.
#[derive(Debug)]
pub(super) enum Word {
    Nothing,
    Approved,
    Rejected,
    /// Something that would be an approval, if it were not for this.
    Invalid(Box<Fault>),
}

/// Whether a claimed run has been approved before.
pub(super) fn is_given(folder: &Folder) -> bool {
    [APPROVED, SIGNED]
        .iter()
        .any(|name| folder.look(OsStr::new(name)).ok().flatten().is_some())
}

/// Whether a claimed run waits.
pub(super) fn is_parked(inbox: &Inbox, folder: &Folder, run: &str) -> bool {
    let there =
        |folder: &Folder, name: &str| folder.look(OsStr::new(name)).ok().flatten().is_some();
    !is_given(folder) && there(folder, PLAN) && there(&inbox.pending, run)
}

/// What the plan of a run says of itself. Its rows are passed over: the watcher has others to look after.
pub(super) fn plan(folder: &Folder) -> Result<Glance, Fault> {
    let gone = |error: io::Error| {
        let message = format!("`{PLAN}` cannot be read: {error}");
        Fault::new(Exit::Unstarted, "NoSuchFile", message)
    };
    let file = folder.read(OsStr::new(PLAN)).map_err(gone)?;
    Glance::read(io::BufReader::new(file.take(LARGEST))).map_err(|error| gone(error.into()))
}

/// A file of ours.
fn own(folder: &Folder, name: &str) -> Result<Vec<u8>, Fault> {
    let me = [crate::unix::user()];
    entry::bytes(folder, OsStr::new(name), &me, LARGEST)?.ok_or_else(|| {
        let message = format!("there is no `{name}`");
        Fault::new(Exit::Unstarted, "NoSuchFile", message)
    })
}

/// Shows a plan in `pending/`, whole at once.
pub(super) fn park(
    inbox: &Inbox,
    rules: &Rules,
    folder: &Folder,
    ticket: &Ticket,
    bundle: &Bundle,
) -> io::Result<()> {
    let run = &ticket.run;
    // One of an earlier life is shown anew.
    unpark(inbox, run)?;
    let draft = OsString::from(format!("parking-{run}"));
    if inbox.own.look(&draft)?.is_some() {
        empty(&inbox.own, &draft)?;
    }
    // What is made in it is of the inbox's group, if what lies here is.
    let show = inbox
        .own
        .make(&draft, 0o700 | (inbox.folder_mode & 0o2000))?;
    let names = [
        &bundle.script,
        &bundle.arguments,
        OsStr::new(PLAN),
        OsStr::new(TABLE),
    ]
    .map(OsStr::to_owned);
    for name in names {
        let mut bytes = match own(folder, &name.to_string_lossy()) {
            Ok(bytes) => bytes,
            Err(fault) if fault.code == "NoSuchFile" => continue,
            Err(fault) => return Err(io::Error::other(fault)),
        };
        if name == TABLE {
            let plan = plan(folder).map_err(io::Error::other)?;
            bytes.extend(how_to(inbox, rules, ticket, &plan.hash).into_bytes());
        }
        show.replace(&name, &bytes, inbox.file_mode)?;
    }
    show.set_mode(inbox.parking_mode)?;
    show.sync()?;
    inbox.own.shift(&draft, &inbox.pending, OsStr::new(run))
}

/// The last lines of `plan.txt`: what an approver has to type.
fn how_to(inbox: &Inbox, rules: &Rules, ticket: &Ticket, hash: &str) -> String {
    let here = inbox.pending.path().join(&ticket.run);
    let file = |name: &str| quoted(&here.join(name).display().to_string());
    let mut text = String::new();
    if !rules.approvers().is_empty() {
        let _ = write!(
            text,
            "\nto approve it, as one of the policy's `approvers` who is not uid {}, who has dropped it:\n  (umask 022; echo {hash} > {})\n",
            ticket.owner,
            file(APPROVED)
        );
    }
    if !rules.approval_keys().is_empty() {
        let which = match &ticket.key {
            Some(key) => format!(" other than {key}, which has signed the script"),
            None => String::new(),
        };
        let _ = write!(
            text,
            "\nto approve it with one of the policy's `approval_keys`{which}:\n  minisign -S -s KEY -m {} -x {}\n",
            file(PLAN),
            file(SIGNED)
        );
    }
    if text.is_empty() {
        text.push_str(
            "\nthe policy names neither `approvers` nor `approval_keys`: nobody can approve it\n",
        );
    }
    let _ = write!(
        text,
        "\nto reject it:\n  touch {}\n\nwhere an approval does not count, `{WHY}` beside this file says why\n",
        file(REJECTED)
    );
    text
}

/// For a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@".contains(c);
    if path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// Says beside the plan why what was left there is no approval, or takes that away again.
pub(super) fn tell(inbox: &Inbox, run: &str, why: Option<&str>) -> io::Result<()> {
    let parked = inbox.pending.inner(OsStr::new(run))?;
    match why {
        Some(why) => {
            let text = format!("not approved: {}\n", crate::text::one_line(why));
            parked.replace(OsStr::new(WHY), text.as_bytes(), inbox.file_mode)
        }
        None => parked.remove(OsStr::new(WHY)),
    }
}

/// Takes a run out of `pending/`.
pub(super) fn unpark(inbox: &Inbox, run: &str) -> io::Result<()> {
    let name = OsStr::new(run);
    if inbox.pending.look(name)?.is_none() {
        return Ok(());
    }
    empty(&inbox.pending, name)
}

/// Takes a folder of files away.
fn empty(parent: &Folder, name: &OsStr) -> io::Result<()> {
    let folder = parent.inner(name)?;
    for file in folder.names()? {
        folder.remove(&file)?;
    }
    parent.remove_folder(name)
}

/// Looks for a word on a parked run.
pub(super) fn look(
    inbox: &Inbox,
    rules: &Rules,
    claimed: &Folder,
    ticket: &Ticket,
    now: Timestamp,
) -> io::Result<Word> {
    let name = OsStr::new(&ticket.run);
    if inbox.pending.look(name)?.is_none() {
        // Somebody has taken it away: that is no approval.
        return Ok(Word::Rejected);
    }
    let parked = inbox.pending.inner(name)?;
    let is_there = |name: &str| parked.look(OsStr::new(name)).ok().flatten().is_some();
    let mut invalid = Word::Nothing;
    if is_there(REJECTED) {
        match rejected(&parked, rules, ticket) {
            Ok(()) => return Ok(Word::Rejected),
            Err(fault) => invalid = Word::Invalid(Box::new(fault)),
        }
    }
    if is_there(APPROVED) {
        match approved(&parked, rules, claimed, ticket) {
            Ok(bytes) => return given(inbox, claimed, APPROVED, &bytes),
            Err(fault) => invalid = Word::Invalid(Box::new(fault)),
        }
    }
    if is_there(SIGNED) {
        match signed(&parked, rules, claimed, ticket, now) {
            Ok(bytes) => return given(inbox, claimed, SIGNED, &bytes),
            // It may still be written.
            Err(fault) => invalid = Word::Invalid(Box::new(fault)),
        }
    }
    Ok(invalid)
}

/// Keeps the approval with what runs.
fn given(inbox: &Inbox, claimed: &Folder, name: &str, bytes: &[u8]) -> io::Result<Word> {
    claimed.replace(OsStr::new(name), bytes, inbox.file_mode)?;
    claimed.sync()?;
    Ok(Word::Approved)
}

/// A file of somebody who may approve, or has dropped the script, or runs the watcher. Where the policy names keys and no users,
/// whoever can write there may say no.
fn rejected(parked: &Folder, rules: &Rules, ticket: &Ticket) -> Result<(), Fault> {
    let no = |why: String| {
        let message = format!("`{REJECTED}` {why}: it does not count");
        Fault::new(Exit::Denied, "NotApproved", message)
    };
    let facts = parked.look(OsStr::new(REJECTED)).ok().flatten();
    let Some(facts) = facts.filter(|facts| facts.kind == Kind::File) else {
        return Err(no("is no regular file".to_owned()));
    };
    let (owner, approvers) = (facts.access.owner(), rules.approvers());
    let may = facts.access.is_trusted() || ticket.is_of(owner) || approvers.contains(&owner);
    if may || approvers.is_empty() {
        return Ok(());
    }
    Err(no(format!(
        "belongs to uid {owner}, who is none of the `approvers`"
    )))
}

/// A file with the plan's hash, by an approver who did not drop the script.
fn approved(
    parked: &Folder,
    rules: &Rules,
    claimed: &Folder,
    ticket: &Ticket,
) -> Result<Vec<u8>, Fault> {
    let name = OsStr::new(APPROVED);
    let bytes = entry::bytes(parked, name, rules.approvers(), LONGEST).map_err(|fault| {
        if fault.code == "ForeignOwner" {
            let message = format!(
                "{}: only `approvers` of the policy may approve",
                fault.message
            );
            return Fault::new(Exit::Denied, "NotApproved", message);
        }
        fault
    })?;
    let no = |message: String| Fault::new(Exit::Denied, "NotApproved", message);
    let owner = parked
        .look(name)
        .ok()
        .flatten()
        .map(|facts| facts.access.owner());
    if let Some(owner) = owner.filter(|owner| ticket.is_of(*owner)) {
        return Err(no(format!(
            "`approved` belongs to uid {owner}, who has dropped the script or its arguments: somebody else must approve it"
        )));
    }
    let bytes = bytes.unwrap_or_default();
    let plan = plan(claimed)?;
    if String::from_utf8_lossy(&bytes).trim() != plan.hash {
        return Err(no(format!(
            "`approved` does not hold this plan's hash, which is `{}`",
            plan.hash
        )));
    }
    Ok(bytes)
}

/// A signature of the plan, by a key that did not sign the script.
fn signed(
    parked: &Folder,
    rules: &Rules,
    claimed: &Folder,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Vec<u8>, Fault> {
    let name = OsStr::new(SIGNED);
    let no = |message: String| Fault::new(Exit::Denied, "NotApproved", message);
    let me = crate::unix::user();
    // Whoever carries it here: the signature says who has made it.
    let owner = parked
        .look(name)
        .ok()
        .flatten()
        .map_or(me, |facts| facts.access.owner());
    let bytes = entry::bytes(parked, name, &[owner], entry::LARGEST_SIGNATURE)?.unwrap_or_default();
    let plan = own(claimed, PLAN)?;
    let plan = Signed {
        name: PLAN,
        bytes: &plan,
        signature: Some(&bytes),
    };
    let seal = signature::verify(plan, rules.approval_keys()).map_err(|fault| no(fault.message))?;
    signature::obey(PLAN, &seal, now).map_err(|fault| no(fault.message))?;
    if ticket.is_signed_with(&seal.key) {
        return Err(no(format!(
            "`plan.json` is signed with key {}, which has signed the script or its arguments: another must approve it",
            seal.key
        )));
    }
    Ok(bytes)
}
