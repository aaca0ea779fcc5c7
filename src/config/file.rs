//! One config file, read and checked as a whole: also the profiles that are not chosen.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::find::Found;
use super::secret::{self, Secret};
use super::value::Base;
use super::{Key, Setting, bad};
use crate::error::{Fault, MOST_FAULTS, Place};

/// The table of the profiles.
const PROFILE: &str = "profile";
/// The setting that chooses one.
pub(super) const DEFAULT_PROFILE: &str = "default-profile";
/// Longer names are not compared with those of settings.
const LONGEST_NAME: usize = 100;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Above all profiles.
    pub(super) common: Vec<Setting>,
    pub(super) profiles: BTreeMap<String, Vec<Setting>>,
    pub(super) default_profile: Option<Setting>,
}

impl Document {
    /// # Errors
    /// Every mistake, each at its place.
    pub(super) fn read(
        found: &Found,
        keys: &[Key],
        home: Option<&Path>,
    ) -> Result<Self, Vec<Fault>> {
        let table = match DeTable::parse(&found.text) {
            Ok(table) => table.into_inner(),
            Err(error) => return Err(vec![found.syntax(&error)]),
        };
        let folder = found.path.parent().unwrap_or(Path::new(""));
        let mut reader = Reader {
            found,
            keys,
            base: Base { folder, home },
            faults: Vec::new(),
        };
        let document = reader.document(&table);
        if reader.faults.is_empty() {
            Ok(document)
        } else {
            // In the order of the file, not of its names.
            let line = |fault: &Fault| fault.place.as_ref().map(|at| (at.line, at.column));
            reader.faults.sort_by_key(line);
            Err(reader.faults)
        }
    }
}

impl Found {
    /// The place of a byte; the text of its line is shown without secrets.
    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Place {
            file: self.path.display().to_string(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            text: self.text[start..].lines().next().map(secret::shown),
        }
    }

    /// A file that is no TOML. A secret that is written without quotes is told as what it is.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> Fault {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let is_comment = line.trim_start().starts_with('#');
            if let Some((_, secret)) = secret::in_line(line).filter(|_| !is_comment) {
                let indent = line.len() - line.trim_start().len();
                return self.of_secret(start + indent, secret);
            }
            start += line.len();
        }
        let at = error.span().map_or(0, |span| span.start);
        bad(
            format!("this is not TOML: {}", error.message()),
            self.place(at),
        )
    }

    fn of_secret(&self, at: usize, secret: Secret) -> Fault {
        let message = "a secret does not belong into a config file";
        secret
            .hints()
            .iter()
            .fold(bad(message, self.place(at)), |fault, hint| {
                fault.hint(*hint)
            })
    }
}

struct Reader<'r> {
    found: &'r Found,
    keys: &'r [Key],
    base: Base<'r>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn document(&mut self, table: &DeTable<'_>) -> Document {
        let mut document = Document::default();
        for (name, value) in table {
            match name.get_ref().as_ref() {
                PROFILE => {
                    if let DeValue::Table(profiles) = value.get_ref() {
                        document.profiles = self.profiles(profiles);
                        continue;
                    }
                    let message = format!("`{PROFILE}` is where profiles stand");
                    self.bad(&name.span(), &message).hints = vec![
                        "a profile is written `[profile.NAME]`".to_owned(),
                        format!("`{DEFAULT_PROFILE} = \"NAME\"` chooses one"),
                    ];
                }
                DEFAULT_PROFILE => {
                    let key = Key {
                        name: DEFAULT_PROFILE.to_owned(),
                        kind: super::Kind::Text,
                        many: false,
                    };
                    document.default_profile = self.take(&key, value);
                }
                _ => document.common.extend(self.setting(name, value, true)),
            }
        }
        document
    }

    fn profiles(&mut self, profiles: &DeTable<'_>) -> BTreeMap<String, Vec<Setting>> {
        let mut read = BTreeMap::new();
        for (name, value) in profiles {
            let DeValue::Table(settings) = value.get_ref() else {
                let message = format!("`{PROFILE}.{}` is no profile", name.get_ref());
                let hint = format!("a profile is a table: `[{PROFILE}.{}]`", name.get_ref());
                self.bad(&name.span(), &message).hints.push(hint);
                continue;
            };
            if name.get_ref() == "default" {
                let hint = "write its settings at the top of the file, before the first `[profile.…]`; they hold for every run";
                self.bad(&name.span(), "no profile is called `default`")
                    .hints
                    .push(hint.to_owned());
                continue;
            }
            let settings = settings
                .iter()
                .filter_map(|(key, value)| self.setting(key, value, false))
                .collect();
            read.insert(name.get_ref().to_string(), settings);
        }
        read
    }

    fn setting(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        is_top: bool,
    ) -> Option<Setting> {
        if self.faults.len() == MOST_FAULTS {
            return None;
        }
        let keys = self.keys;
        if let Some(key) = keys.iter().find(|key| key.name == **name.get_ref()) {
            return self.take(key, value);
        }
        let name_text = name.get_ref().as_ref();
        if let Some(secret) = Secret::named(name_text) {
            let fault = self.found.of_secret(name.span().start, secret);
            self.faults.push(fault);
            return None;
        }
        let hint = self.unknown_hint(name_text, value.get_ref().is_table(), is_top);
        let fault = self.bad(&name.span(), &format!("there is no setting `{name_text}`"));
        fault.hints.push(hint);
        None
    }

    fn unknown_hint(&self, name: &str, is_table: bool, is_top: bool) -> String {
        let usual = "`runback --help` lists the flags; a setting has a flag's name";
        // Nobody slipped from there; and to compare takes as long as the name is long.
        if name.len() > LONGEST_NAME {
            return usual.to_owned();
        }
        let wanted = name.replace('_', "-").to_ascii_lowercase();
        if matches!(wanted.as_str(), "config" | PROFILE) {
            return format!(
                "`--{wanted}` is for the command line; `{DEFAULT_PROFILE} = \"NAME\"` at the top chooses a profile"
            );
        }
        if !is_top && wanted == DEFAULT_PROFILE {
            return "it stands at the top of the file, before the first `[profile.…]`".to_owned();
        }
        let of_top = [PROFILE, DEFAULT_PROFILE].into_iter().filter(|_| is_top);
        let names = self.keys.iter().map(|key| key.name.as_str()).chain(of_top);
        let near = names
            .map(|known| (strsim::damerau_levenshtein(&wanted, known), known))
            .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
            .min();
        match near {
            Some((_, PROFILE)) => format!("a profile is written `[{PROFILE}.NAME]`"),
            Some((_, known)) => format!("did you mean `{known}`?"),
            None if is_table && is_top => {
                format!("a profile is written `[{PROFILE}.{name}]`")
            }
            None => usual.to_owned(),
        }
    }

    fn take(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Setting> {
        match key.values(value.get_ref(), &self.base) {
            Ok(values) => Some(Setting {
                key: key.name.clone(),
                values,
                place: self.found.place(value.span().start),
                origin: self.found.origin,
                rank: 0,
            }),
            Err(message) => {
                self.bad(&value.span(), &message).hints.push(key.example());
                None
            }
        }
    }

    fn bad(&mut self, span: &Range<usize>, message: &str) -> &mut Fault {
        let fault = bad(message, self.found.place(span.start));
        self.faults.push(fault);
        self.faults
            .last_mut()
            .expect("it was pushed on the line above")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Origin};
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn a_config_file_is_read_whatever_comes() {
        let seeds = [
            "in-flight = 16\ndefault-profile = \"contoso\"\n\n[profile.contoso]\ntenant = \"contoso.example\"\nyes = true\n",
            "data = [\"a\", '''b''']\nverbose = 2 # x\nprofile.x.api = \"beta\"\n",
            "client_secret = hush\nca-file = \"~/ca.pem\"\n[[profile]]\n",
            "a = 1979-05-27T07:32:00Z\nb = 0x1f\nc = { d = [1, 2.5e3, nan] }\n",
        ];
        let words = &[
            "[profile.",
            "]",
            "[[",
            "]]",
            " = ",
            "\"\"\"",
            "'''",
            "{",
            "}",
            "default-profile",
            "profile",
            "tenant",
            "in-flight",
            "secret",
            "token",
            "\\u00e9",
            "inf",
            "#",
        ];
        Target::new("config", &seeds, words).attack(|bytes| {
            let Ok(text) = String::from_utf8(bytes.to_vec()) else {
                return "no text".to_owned();
            };
            let found = Found {
                path: "/home/x/runback.toml".into(),
                origin: Origin::Working,
                text,
            };
            let kinds = [
                ("tenant", Kind::Text, false),
                ("in-flight", Kind::Number, false),
                ("yes", Kind::Switch, false),
                ("verbose", Kind::Count, false),
                ("ca-file", Kind::Path, false),
                ("data", Kind::Path, true),
            ];
            let keys = kinds.map(|(name, kind, many)| Key {
                name: name.to_owned(),
                kind,
                many,
            });
            match Document::read(&found, &keys, Some(Path::new("/home/x"))) {
                Ok(document) => format!("read {:?}", document.profiles.len()),
                Err(faults) => {
                    assert!(faults.iter().all(|fault| fault.place.is_some()));
                    faults[0].message.clone()
                }
            }
        });
    }
}
