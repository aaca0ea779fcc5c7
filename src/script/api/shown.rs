//! Properties that objects answer by themselves: what the host adds to the published ones. For the help.

use crate::script::library::Library;

const ROW: &[(&str, &str, &str)] = &[
    ("item", "value", "what was asked about, as it was given"),
    ("name", "text", "what a person calls it"),
    ("unit", "unit or ()", "its protection unit"),
    (
        "point",
        "restore point or ()",
        "the restore point that was found",
    ),
    (
        "code",
        "text or ()",
        "why there is none; `runback doc codes` explains it",
    ),
    ("reason", "text or ()", "the same in a sentence"),
];

const SESSION: &[(&str, &str, &str)] = &[
    (
        "status",
        "text",
        "of all parts together: `draft` `activating` `active` `completedWithError` `completed` `failed`",
    ),
    (
        "count",
        "whole number",
        "how many artifacts were put into it",
    ),
    (
        "parts",
        "list of session",
        "the sessions of the service that it consists of",
    ),
    ("workload", "text", "`exchange`, `onedrive` or `sharepoint`"),
];

/// What artifacts show of the row they came from.
const ORIGIN: &[(&str, &str, &str)] = &[
    ("item", "value", "of the row it came from"),
    (
        "name",
        "text or ()",
        "of the row it came from; of a file its path",
    ),
    ("unit", "unit or ()", "of the row it came from"),
];

const BULK: &[(&str, &str, &str)] = &[
    (
        "inputs",
        "list of text",
        "our own copy of what was sent; the service does not give it back",
    ),
    (
        "session",
        "session",
        "the session it belongs to, where this run has made it",
    ),
];

const FILE: &[(&str, &str, &str)] = &[
    ("path", "text", "from the top, names joined by `/`"),
    (
        "browseSessionId",
        "text",
        "the browse session it was found in",
    ),
];

const HITS: &[(&str, &str, &str)] = &[
    ("searchResponseId", "text", "what a granular session takes"),
    ("query", "text", "what was looked for"),
    ("item", "value", "whose mailbox, as it was given"),
    ("name", "text", "what a person calls it"),
    ("unit", "unit", "its protection unit"),
];

pub(crate) fn register(library: &mut Library) {
    for (receiver, properties) in [
        ("row", ROW),
        ("session", SESSION),
        ("artifact", ORIGIN),
        ("granular artifact", ORIGIN),
        ("bulk request", BULK),
        (
            "browse session",
            &[("workload", "text", "`onedrive` or `sharepoint`")],
        ),
        ("file", FILE),
        ("message hits", HITS),
    ] {
        for (name, returns, doc) in properties {
            library.described(receiver, name, returns, doc);
        }
    }
}
