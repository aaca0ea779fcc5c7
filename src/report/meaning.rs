//! What a code means, and what a person can do about it.
//!
//! Codes of the service stand on Graph's page "Backup Storage API error responses" (read 2026-11-24); the others are ours. The
//! words are ours throughout: they are for the person who is handed a report. Who writes scripts reads `runback doc CODE`.

/// A code in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) code: &'static str,
    /// What happened, in one or two sentences.
    pub(crate) what: &'static str,
    /// What to do now.
    pub(crate) now: &'static str,
}

/// What a code means; `None` for one that we do not know. Case does not count: the service spells one code in two ways.
pub(crate) fn of(code: &str) -> Option<&'static Meaning> {
    MEANINGS
        .iter()
        .find(|meaning| meaning.code.eq_ignore_ascii_case(code))
        .or_else(|| code.starts_with("HttpStatus").then_some(&NO_CODE))
}

/// Said of a code that stands in no table: the words beside it are all there is.
pub(crate) const UNKNOWN: Meaning = Meaning {
    code: "",
    what: "This code is not one that runback knows; the words beside it are those of the service or of the script.",
    now: "Read those words, and look the code up in the Graph documentation if they do not help.",
};

/// `HttpStatus502`: the service gave an error without a code.
const NO_CODE: Meaning = Meaning {
    code: "HttpStatus",
    what: "The service, or a gateway in front of it, refused without saying why.",
    now: "Run it again for these items. If it happens again, give the request id in the log to Microsoft's support.",
};

const fn row(code: &'static str, what: &'static str, now: &'static str) -> Meaning {
    Meaning { code, what, now }
}

/// By where they come from; within that by how often they are met.
#[rustfmt::skip] // a table
static MEANINGS: &[Meaning] = &[
    // Looking for the person, the unit and the point.
    row("NoPointBefore",
        "The backup holds no restore point of this item from before the instant that was asked for.",
        "Choose a later instant, or look at what there is with `exchange::points(unit)` in a runbook. Protection may have begun only after the instant."),
    row("NoPoint",
        "The backup holds no restore point of this item at all.",
        "Look whether its protection policy is active, and since when: a first point appears some hours after protection begins."),
    row("NoUnit",
        "This account or site exists, but it was never protected, so there is nothing to restore.",
        "Add it to a protection policy, so that the next incident finds a backup. What is lost must come from elsewhere: recycle bin, retention, the owner."),
    row("NotProtected",
        "It was protected once and has left protection; no restore point remains.",
        "Find out who took it out of its policy, and put it back."),
    row("UserNotFound",
        "The directory knows no such account or site.",
        "Check the spelling, and whether it was deleted: a deleted account is found for 30 days under the directory's deleted users."),
    row("Ambiguous",
        "Several accounts answer to this name or address.",
        "Name it by its id or its user principal name."),
    row("NoAddress",
        "The account has neither an e-mail address nor a user principal name, and the service asks for one.",
        "Restore it by its protection unit in an ordinary session."),
    row("OnHold",
        "A hold is on this item, and the service does not restore over it.",
        "Ask whoever owns the hold (compliance, legal). Sites and OneDrives under a strict hold can often be restored to a new place."),
    row("SearchUnanswered",
        "The service was asked for restore points several times and never answered for this item.",
        "Run it again for these items."),
    row("InvalidSearchRequest",
        "The service did not accept the search for restore points.",
        "Check the instants in the script: neither in the future nor before the retention period."),
    row("InvalidProtectionUnitId",
        "The service does not know the protection unit that was named.",
        "Name the account or the site instead of the unit's id."),
    row("ProtectionUnitNotFound",
        "The protection unit does not exist any more.",
        "Look the account or site up again; its backup may have been removed with its policy."),
    row("QuotaExceeded",
        "The mailbox is larger than what the backup takes.",
        "Look at the newest restore points: they may be older than they should be. Talk to Microsoft about the quota."),
    row("FilterLengthExceeded",
        "A filter in the script is longer than the service takes.",
        "Ask for fewer things at once."),

    // What the service said of a restore that had begun.
    row("ArtifactCannotBeRestored",
        "Something blocks the restore: a preservation lock, another hold, or a move of the account to another tenant.",
        "Ask whoever owns the hold (compliance, legal). Where the restore was in place, try one to a new place."),
    row("ArtifactNotFound",
        "When the service came to restore it, the data of this restore point was not there.",
        "Try another restore point of the same item. If none works, open a support case with Microsoft and give the session's id."),
    row("InvalidRestoreTime",
        "The restore point is invalid or older than what the service keeps.",
        "Choose a newer restore point."),
    row("DuplicateArtifactRestoreRequest",
        "Another restore of the same item was still running.",
        "Wait until that one has ended (`scripts/watch-sessions.rhai` shows it), look at what it brought back, and restore this item again only if you still need to."),
    row("UnknownError",
        "The service failed and gave no cause.",
        "Restore these items once more. If it happens again, open a support case with Microsoft and give the session's id."),
    row("BulkRestoreArtifactsNotResolved",
        "Some inputs of a bulk restore matched nothing that is backed up.",
        "Look at each of them: the address or URL may be misspelt, or it was never protected."),
    row("UserNotBackedup",
        "This account was named in a bulk restore and is not backed up.",
        "Check the address; if it is right, the account was never protected."),

    // What the service did not take.
    row("InvalidRestorePoint",
        "The service does not know this restore point, or not any more.",
        "Search its restore points again, and run again with what is found."),
    row("DuplicateArtifactInList",
        "The same restore point stood in the session already.",
        "Nothing: it is restored once."),
    row("InvalidArtifactRequest",
        "The service did not accept how the item was asked for.",
        "Run again with `-vv`; if it happens again, report it as a mistake of runback."),
    row("InvalidPatchRequest",
        "The service did not accept how the item was added to its session.",
        "Run again with `-vv`; if it happens again, report it as a mistake of runback."),
    row("InvalidPathType",
        "The destination is neither `new` nor `inPlace`.",
        "Correct the destination in the script."),
    row("DifferentRestoreDestinationType",
        "One session was asked to restore both to a new place and in place.",
        "Make a session of its own for each destination."),
    row("RestoreArtifactsLimitBreached",
        "The session holds as many items as the service allows.",
        "Split the set: `#{session_size: 1000}` or less."),
    row("TooManyActiveRestoreSessions",
        "As many restore sessions as the service allows (25) were active.",
        "Wait until some have ended (`scripts/watch-sessions.rhai` shows them), then run again."),
    row("RestoreSessionActionNotAllowed",
        "The session is not a draft any more, so it could not be changed.",
        "Look at the session in the tenant: somebody else may have activated it."),
    row("RestoreSessionNotFound",
        "The session is not there any more.",
        "Somebody may have deleted the draft. Run it again for these items."),
    row("SessionGone",
        "The session was there and is not any more.",
        "Where it was a draft, somebody has deleted it: run it again for these items. Where it was activated, look into the mailbox, OneDrive or site itself first."),
    row("NotDraft",
        "The session is not a draft any more, so nothing could be added to it.",
        "Make a new session for these items."),
    row("BulkRestoreInvalidCreateRequestUserEmail",
        "An address in a bulk restore is empty or malformed.",
        "Correct the address."),
    row("BulkRestoreInvalidCreateRequestSiteUrl",
        "A site's URL in a bulk restore is empty or malformed.",
        "Correct the URL."),

    // What the run did with it.
    row("NotActivated",
        "It was put into a draft, or into none, and nothing was activated. A draft restores nothing.",
        "Run the script again once what stopped it is out of the way. The draft in the tenant does no harm and can be deleted."),
    row("Withdrawn",
        "The script took it out of its session before that was activated.",
        "Nothing, if that was meant."),
    row("SkippedByScript",
        "The script left it out; the words beside it are the script's.",
        "Nothing, if that was meant."),
    row("NotStarted",
        "An earlier wave had too many failures, so this one was not begun.",
        "Look at the failures first; then run the script again for the rest."),
    row("AlreadyRestored",
        "An earlier run has restored this item from the same point to the same destination.",
        "Nothing. If it must be done once more, run with `--again`."),
    row("OverlapsSession",
        "It is in another restore session that is running now.",
        "Wait for that session (`scripts/watch-sessions.rhai` shows it), then run again, or insist with `--allow-overlap`."),
    row("Changed",
        "The restore point that was planned is not the one the service has now.",
        "Make a new plan."),
    row("ServiceLocked",
        "Microsoft 365 Backup does not let this tenant restore at present.",
        "Look at Settings, Microsoft 365 Backup in the admin centre, then run again."),

    // What nobody knows yet.
    row("NotAwaited",
        "Its session was activated and is at work; this run did not wait for its end.",
        "Look again later: `scripts/watch-sessions.rhai` shows how far it is. Do not restore it again before that."),
    row("OutcomeUnknown",
        "A request was sent and its answer never came, so nobody can tell whether the service acted.",
        "Look at the session in the tenant before restoring this item again."),
    row("NoAnswer",
        "A request was sent and its answer never came, so nobody can tell whether the service acted.",
        "Look at the session in the tenant before restoring this item again."),
    row("ArtifactMissing",
        "Its session has ended, and the service no longer lists this item in it.",
        "Look into the mailbox, OneDrive or site itself before restoring it again."),
    row("StateUnrecognised",
        "Its session has ended, and the service calls the item's state by a name that runback does not know.",
        "Look into the mailbox, OneDrive or site itself, and for a newer runback."),
    row("ArtifactNotMatched",
        "Its session does not say whose its artifacts are, and not all of them succeeded.",
        "Look into the mailbox or OneDrive itself before restoring it again."),
    row("NotAskedFor",
        "It stood in a session when that was activated, and this run did not put it there.",
        "Find out who put it there, and look at what was restored."),
    row("ForeignArtifacts",
        "The draft holds items that this run did not put there, so it was not activated.",
        "Look at the draft in the tenant; it was left as it is."),
    row("ArtifactsUntold",
        "The service does not say what the items of the draft restore, so it was not activated.",
        "Look at the draft in the tenant; it was left as it is, and restores nothing."),
    row("CannotVerify",
        "The draft could not be brought to hold exactly what was asked for, so it was not activated.",
        "Run it again for these items. The draft in the tenant does no harm and can be deleted."),

    // The way to the service.
    row("TooManyRequests",
        "The service was throttling this tenant and did not stop in time.",
        "Run it again later, or with a smaller `--in-flight`."),
    row("ServiceUnavailable",
        "The service was not available.",
        "Look at its health page in the admin centre, and run again later."),
    row("Authorization_RequestDenied",
        "The application lacks a permission.",
        "Grant it (the log names it), with admin consent, and run again."),
    row("InvalidAuthenticationToken",
        "The access token was not accepted.",
        "Check the tenant, the application and its secret, or get a new token."),
    row("Forbidden",
        "The service forbids it in its present state.",
        "Look at Settings, Microsoft 365 Backup in the admin centre, then run again."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_are_found_whatever_their_case() {
        assert_eq!(of("nopoint").unwrap().code, "NoPoint");
        assert_eq!(of("HttpStatus502"), Some(&NO_CODE));
        assert_eq!(of("SomethingNew"), None);
        let codes: BTreeSet<&str> = MEANINGS.iter().map(|meaning| meaning.code).collect();
        assert_eq!(codes.len(), MEANINGS.len(), "one row for each code");
    }

    #[test]
    fn every_code_of_rows_and_books_in_the_manual_has_a_meaning() {
        let lines = include_str!("../manual/codes.txt").lines();
        let codes = lines.filter_map(|line| {
            let mut words = line.split(' ');
            let code = words.next()?;
            matches!(words.next(), Some("row" | "book")).then_some(code)
        });
        let unexplained: Vec<&str> = codes.filter(|code| of(code).is_none()).collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
    }

    /// Words in the sources that look like codes of items and are none: names of types, of permissions, of headers, codes of
    /// errors that end a script before anything is in the books.
    const NO_CODES: &[&str] = &[
        "BulkRestoreInvalidCreateRequest",
        "BulkRestoreRestorationResourcesCountExceedsLimit",
        "HasBulkRequest",
        "NoSuchPath",
        "NotEmpty",
        "NotFastRestore",
        "OnlyInBeta",
        "OtherKind",
        "ProtectionUnit",
        "TakesBulkRequest",
        "Timeout",
        "WrongType",
    ];

    #[test]
    fn every_code_that_the_books_can_hold_has_a_meaning() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut unexplained = BTreeSet::new();
        for file in [
            "backup/books.rs",
            "backup/error.rs",
            "backup/poll.rs",
            "backup/row.rs",
            "run/tenant.rs",
        ] {
            let text = fs::read_to_string(source.join(file)).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let words = code.split('"').skip(1).step_by(2);
            unexplained.extend(
                words
                    .filter(|word| is_code(word) && of(word).is_none() && !NO_CODES.contains(word))
                    .map(str::to_owned),
            );
        }
        assert!(unexplained.is_empty(), "{unexplained:?}");
    }

    /// `NoPoint`, not `new` and not a sentence.
    fn is_code(word: &str) -> bool {
        word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    }
}
