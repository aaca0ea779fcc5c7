//! Pages about something that is no function: arguments, values, errors, consent.

use serde_json::json;

use super::{Page, codes};

/// Name, other names, what it is about, the page.
struct Topic {
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    text: &'static str,
}

static TOPICS: [Topic; 8] = [
    Topic {
        name: "arguments",
        aliases: &["args", "header", "@param", "param", "parameters"],
        about: "the header of a runbook, and what it takes from the command line",
        text: include_str!("topics/arguments.md"),
    },
    Topic {
        name: "values",
        aliases: &["types", "objects", "streams"],
        about: "objects, times, streams, rows, options",
        text: include_str!("topics/values.md"),
    },
    Topic {
        name: "errors",
        aliases: &["try", "catch", "throw"],
        about: "catching, `e.code` and its like",
        text: include_str!("topics/errors.md"),
    },
    Topic {
        name: "consent",
        aliases: &["class", "classes", "policy class"],
        about: "policy classes, and what asks before it acts",
        text: include_str!("topics/consent.md"),
    },
    Topic {
        name: "policy",
        aliases: &["guard rails", "rails", "policy file"],
        about: "guard rails: a file that says what scripts may do",
        text: include_str!("topics/policy.md"),
    },
    Topic {
        name: "watch",
        aliases: &["watched folder", "inbox", "sign", "signatures"],
        about: "the watched folder: what is let in, signatures, approvals",
        text: include_str!("topics/watch.md"),
    },
    Topic {
        name: "exit-codes",
        aliases: &["exit", "exit codes", "exit_codes"],
        about: "what the exit code of a run says",
        text: include_str!("topics/exit-codes.md"),
    },
    Topic {
        name: "rhai",
        aliases: &["language", "syntax"],
        about: "the language, and what differs here",
        text: include_str!("topics/rhai.md"),
    },
];

/// The names of all topics, with what each is about.
pub(crate) fn topics() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = TOPICS.iter().map(|topic| (topic.name, topic.about));
    own.chain([("codes", "what each code means, and what to do about it")])
}

/// The page of a topic, by its name or another name for it.
pub(crate) fn find(name: &str) -> Option<Page> {
    if name == "codes" {
        return Some(codes::page());
    }
    TOPICS
        .iter()
        .find(|topic| topic.name == name || topic.aliases.contains(&name))
        .map(|topic| Page {
            name: topic.name.to_owned(),
            text: topic.text.to_owned(),
            data: json!({"kind": "topic", "name": topic.name, "about": topic.about, "text": topic.text}),
        })
}
