//! What a config file may say that was merely found in the working folder.
//!
//! Somebody clones a repository and runs a runbook in it: what lies there is not the user's word. From such a file only
//! those settings are taken that cannot send a token elsewhere, give consent, touch files outside or run a command. A file
//! that is named (`--config`) or lies in the state folder may say everything.

use url::{Host, Url};

use super::{Origin, Setting, bad};
use crate::error::Fault;

/// A list of what is harmless, so that a new flag is not taken until somebody has thought about it.
///
/// `tenant`, `client-id` and `auth` choose among what Microsoft's own sign-in knows of the user; a secret goes nowhere else.
/// Not here, among others: `graph-url` and `ca-file` (where the token goes, who is believed), `yes` (consent), `state-dir` and
/// `settling` (what keeps a mailbox from being restored twice), `data` and `report` (files), `policy`, `default-profile`
/// (chooses among the user's own).
const HARMLESS: &[&str] = &[
    "api",
    "auth",
    "client-id",
    "color",
    "faults",
    "format",
    "in-flight",
    "latency",
    "log-format",
    "max-memory",
    "max-time",
    "no-wait",
    "polling",
    "quiet",
    "sandbox",
    "search-cap",
    "seed",
    "speed",
    "tenant",
    "users",
    "verbose",
];

/// Why this setting does not hold, where it does not.
pub(super) fn refusal(setting: &Setting) -> Option<Fault> {
    let key = setting.key.as_str();
    // A server on this machine is a sandbox; it is said when it is used.
    let is_here = key == "graph-url" && setting.values.iter().all(|url| is_loopback(url));
    if setting.origin != Origin::Working || HARMLESS.contains(&key) || is_here {
        return None;
    }
    let message =
        format!("`{key}` is not taken from a config file that merely lies in the working folder");
    let file = &setting.place.file;
    Some(
        bad(message, setting.place.clone())
            .hint(format!(
                "if you trust this file, name it: `--config {file}`, or RUNBACK_CONFIG"
            ))
            .hint("what is yours alone belongs into `runback.toml` in the state folder"),
    )
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        // Refused with better words where it is used.
        return true;
    };
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;

    fn refused(origin: Origin, key: &str, value: &str) -> bool {
        let place = Place {
            file: "runback.toml".to_owned(),
            line: 1,
            column: 1,
            text: None,
        };
        refusal(&Setting {
            key: key.to_owned(),
            values: vec![value.to_owned()],
            place,
            origin,
            rank: 0,
        })
        .is_some()
    }

    #[test]
    fn a_found_file_cannot_turn_the_token_or_the_consent() {
        let dangerous = [
            ("yes", "true"),
            ("graph-url", "https://evil.example"),
            ("graph-url", "http://127.0.0.1.evil.example"),
            ("ca-file", "ca.pem"),
            ("state-dir", "."),
            ("settling", "0s"),
            ("data", "/"),
            ("report", "/tmp/x.json"),
            ("policy", "mild.toml"),
            ("on-end", "sh"),
            ("again", "true"),
            ("default-profile", "prod"),
            ("client-secret-file", "/etc/shadow"),
            ("of-tomorrow", "1"),
        ];
        for (key, value) in dangerous {
            assert!(refused(Origin::Working, key, value), "{key}");
            assert!(!refused(Origin::State, key, value), "{key}");
            assert!(!refused(Origin::Named, key, value), "{key}");
        }
        for (key, value) in [
            ("format", "json"),
            ("tenant", "t"),
            ("sandbox", "true"),
            ("graph-url", "http://127.0.0.1:8080"),
            ("graph-url", "http://[::1]:8080"),
            ("graph-url", "http://localhost:1"),
        ] {
            assert!(!refused(Origin::Working, key, value), "{key}");
        }
    }
}
