//! No secret in any output: every test that runs the program is a test of that.
//!
//! Secrets that tests make up begin with one [`MARK`], so that a piece of one is found too. What the program writes (stdout,
//! stderr, reports, logs, its state folder) is searched for it by [`super::Bench`], without a test asking for that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// How every secret of a test begins.
pub const MARK: &str = "hush-hush";

/// An access token that no sandbox knows. Longer than any message may be, as real ones are.
pub const TOKEN: &str = concat!(
    "hush-hush-access-token.",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC",
    "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD",
    "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE",
    ".end"
);

/// A client secret with the characters that Entra puts into them, some of which change their form on the way.
pub const CLIENT_SECRET: &str = "hush-hush~client.secret_8Q~x/+=";

/// Variables whose values are secrets, whatever they are.
const VARIABLES: &[&str] = &[
    "RUNBACK_ACCESS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
];

/// What must not come out of one bench.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Hears of a variable that the program gets.
    pub fn hear(&mut self, variable: &str, value: &str) {
        // One letter is no secret, and stands in every text.
        if VARIABLES.contains(&variable) && value.len() >= 8 {
            self.0.push(value.to_owned());
            self.0.push(BASE64_STANDARD_NO_PAD.encode(value));
        }
    }

    /// Fails where a text holds a secret. `place`: where it was found.
    #[track_caller]
    pub fn expect_none(&self, place: &str, text: &str) {
        let known = self.0.iter().map(String::as_str).chain([MARK]);
        let found = known
            .filter_map(|secret| text.find(secret))
            .chain(bearer(text))
            .chain(web_token(text))
            .min();
        if let Some(at) = found {
            let line = text[..at].matches('\n').count() + 1;
            panic!(
                "a secret in {place}, line {line}: {}",
                text.lines().nth(line - 1).unwrap_or_default()
            );
        }
    }

    /// The same for the files that were written since a look before.
    #[track_caller]
    pub fn expect_none_in_files(&self, folder: &Path, before: &Files) {
        for (path, state) in Files::of(folder).0 {
            if before.0.get(&path) != Some(&state)
                && let Ok(bytes) = fs::read(&path)
            {
                self.expect_none(
                    &path.display().to_string(),
                    &String::from_utf8_lossy(&bytes),
                );
            }
        }
    }
}

/// `Bearer` with something behind it that could be a token.
fn bearer(text: &str) -> Option<usize> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    text.match_indices("earer ")
        .find(|(at, word)| {
            let rest = &text[at + word.len()..];
            rest.chars().take_while(|c| is_token(*c)).count() >= 12
        })
        .map(|(at, _)| at)
}

/// A JSON web token: `eyJ…`, a point, and more.
fn web_token(text: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    text.match_indices("eyJ")
        .find(|(at, _)| {
            let rest = &text[*at..];
            let head = rest.chars().take_while(|c| is_part(*c)).count();
            head >= 12 && rest[head..].starts_with('.')
        })
        .map(|(at, _)| at)
}

/// The files of a folder, each with its size and time, to tell later which are new.
#[derive(Default)]
pub struct Files(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl Files {
    pub fn of(folder: &Path) -> Self {
        let mut files = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let (path, Ok(about)) = (entry.path(), entry.metadata()) else {
                    continue;
                };
                if about.is_dir() {
                    folders.push(path);
                } else if about.is_file() {
                    files.0.insert(path, (about.len(), about.modified().ok()));
                }
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(secrets: &Secrets, text: &str) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            secrets.expect_none("a test", text);
        }))
        .is_err()
    }

    #[test]
    fn what_looks_like_a_secret_is_found() {
        let mut secrets = Secrets::default();
        secrets.hear("AZURE_CLIENT_SECRET", "not-marked-at-all");
        secrets.hear("AZURE_TENANT_ID", "contoso.example");
        secrets.hear("RUNBACK_ACCESS_TOKEN", "t");
        for text in [
            "a hush-hus",
            "contoso.example",
            "t",
            "Bearer is a word",
            "the eyJ of nothing",
            "Authorization_RequestDenied",
        ] {
            assert!(!is_found(&secrets, text), "{text}");
        }
        for text in [
            "a\nhush-hush",
            "x=not-marked-at-all&",
            &BASE64_STANDARD_NO_PAD.encode("not-marked-at-all"),
            "authorization: bearer abcdef0123456789",
            "eyJ0eXAiOiJKV1Qi.eyJ0aWQi",
        ] {
            assert!(is_found(&secrets, text), "{text}");
        }
    }

    #[test]
    fn only_files_that_are_new_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("input"), MARK).unwrap();
        let before = Files::of(folder.path());
        let secrets = Secrets::default();
        secrets.expect_none_in_files(folder.path(), &before);
        fs::create_dir(folder.path().join("state")).unwrap();
        fs::write(folder.path().join("state/log"), TOKEN).unwrap();
        let search = || secrets.expect_none_in_files(folder.path(), &before);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(search)).is_err());
    }
}
