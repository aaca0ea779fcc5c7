//! What was typed, kept for the next time in a file that only its owner can read. Lines with secrets in them are not kept.

use std::path::{Path, PathBuf};

use crate::unix;
use crate::world::World;

/// So many entries are kept.
pub(super) const MOST: usize = 10_000;

/// Variables whose values are secrets.
const VARIABLES: &[&str] = &[
    "RUNBACK_ACCESS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
];

/// Words that are followed by a secret where a value stands behind them.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "credential",
    "authorization",
    "bearer",
    "private_key",
];

/// Which lines are kept, and where.
pub(super) struct Keeping {
    pub(super) file: PathBuf,
    secrets: Vec<String>,
}

impl Keeping {
    pub(super) fn new(file: &Path, world: &World) -> Self {
        let secrets = VARIABLES.iter().filter_map(|name| world.variable(name));
        Self {
            file: file.to_owned(),
            secrets: secrets.filter(|value| value.len() > 3).collect(),
        }
    }

    /// The file is there, and nobody else reads it.
    pub(super) fn is_private(&self) -> bool {
        unix::private_file(&self.file).is_ok()
    }

    /// A line that begins with a space is not kept either: as in a shell.
    pub(super) fn keeps(&self, typed: &str) -> bool {
        !typed.trim().is_empty()
            && !typed.starts_with(' ')
            && !self
                .secrets
                .iter()
                .any(|secret| typed.contains(secret.as_str()))
            && !holds_secret(typed)
    }
}

/// Whether it looks as if a secret stands in it. Better a line too few than a secret in a file.
fn holds_secret(typed: &str) -> bool {
    // A token of Entra's is a JWT.
    if typed.contains("eyJ") {
        return true;
    }
    let lower = typed.to_lowercase();
    let names_one = WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let behind = lower[at + word.len()..].trim_start_matches(|letter: char| {
                letter.is_alphanumeric() || matches!(letter, '_' | '"' | '\'' | ' ')
            });
            // `password = "…"`, `secret: "…"`, `"Authorization": …`, `bearer …`.
            *word == "bearer"
                || behind.starts_with(['=', ':'])
                    && !behind.starts_with("==")
                    && !behind.starts_with("::")
        })
    });
    names_one
        || typed
            .split(|letter: char| !is_of_key(letter))
            .any(is_random)
}

fn is_of_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '~' | '.' | '_' | '-' | '+' | '/')
}

/// A long word of small and large letters and digits, mixed: a client secret. Ids are in one case.
fn is_random(word: &str) -> bool {
    let has = |test: fn(&char) -> bool| word.chars().any(|letter| test(&letter));
    let turns = word
        .as_bytes()
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    word.len() >= 30
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_digit)
        && turns * 3 > word.len()
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_secrets_are_not_kept() {
        let keeping = Keeping {
            file: PathBuf::new(),
            secrets: vec!["hunter2".to_owned()],
        };
        for line in [
            "let x = \"hunter2\";",
            "let password = \"abc\";",
            "graph::get(\"/me\", #{headers: #{Authorization: \"x\"}})",
            "let client_secret=\"x\"",
            "#{\"api_key\": 1}",
            "let t = \"eyJ0eXAiOiJKV1QiLCJhbGciOi\";",
            "let s = \"Xy8Q~aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3\";",
            "f(\"Bearer abc\")",
            " let quiet = 1;",
            "",
        ] {
            assert!(!keeping.keeps(line), "{line}");
        }
        for line in [
            "users::list().collect().len()",
            "let people = groups::members(\"Finance\");",
            "exchange::unit(\"9e45a6f4-0a2b-4f0a-8d4c-4f8f0a1f6f70\")",
            "if token == () { 1 }",
            "session.activate();",
            "// the secret garden",
            "datetime(\"2026-11-20T03:00:00Z\")",
            "exchange::points_before(groups::members(\"Finance\"), now() - duration(\"24h\"))",
            ":load secrets.rhai",
        ] {
            assert!(keeping.keeps(line), "{line}");
        }
    }
}
