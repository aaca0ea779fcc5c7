//! From the text of a policy file to its rules.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::PublicKey;
use super::rules::{Allowed, Consent, Rule, Rules, Who};
use super::{Hours, Paths, Policy, bad};
use crate::error::{Fault, MOST_FAULTS, Place};
use crate::text;

const WORKLOADS: [&str; 3] = ["exchange", "onedrive", "sharepoint"];
const DESTINATIONS: [&str; 2] = ["new", "inPlace"];

/// Longer names are not compared with those of rules: nobody slipped from there.
const LONGEST_NAME: usize = 100;
/// The line of a mistake is shown up to here.
const LONGEST_LINE: usize = 300;

/// # Errors
/// Exit 2: the first mistake, with the places of the others.
pub(super) fn policy(path: &Path, bytes: &[u8]) -> Result<Policy, Fault> {
    let shown = path.display().to_string();
    let text = std::str::from_utf8(bytes)
        .map_err(|_| bad(format!("the policy `{shown}` is not UTF-8 text")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        file: shown,
        text,
        rules: Rules::default(),
        places: Vec::new(),
        faults: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table(table.get_ref()),
        Err(error) => {
            let at = error.span().unwrap_or_default();
            reader.wrong(&at, format!("this is not TOML: {}", error.message()));
        }
    }
    if reader.faults.is_empty() {
        reader.whole();
    }
    let Reader {
        rules,
        places,
        mut faults,
        ..
    } = reader;
    // In the order of the file, not of its names.
    faults.sort_by_key(|fault| fault.place.as_ref().map(|at| (at.line, at.column)));
    let mut faults = faults.into_iter();
    if let Some(first) = faults.next() {
        return Err(faults.take(MOST_FAULTS).fold(first, |first, other| {
            let line = other.place.as_ref().map_or(0, |place| place.line);
            first.context(format!("also in line {line}: {other}"))
        }));
    }
    Ok(Policy {
        path: path.to_owned(),
        sha256: text::hex(&Sha256::digest(bytes)),
        rules,
        places,
    })
}

struct Reader<'r> {
    file: String,
    text: &'r str,
    rules: Rules,
    places: Vec<(Rule, Place)>,
    faults: Vec<Fault>,
}

/// A value that is not what its rule takes: where, and the sentence.
type Wrong = (Range<usize>, String);

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let known = Rule::ALL
                .into_iter()
                .find(|rule| rule.name() == name.get_ref().as_ref());
            let Some(rule) = known else {
                self.unknown(name);
                continue;
            };
            let place = self.place(name.span().start);
            self.places.push((rule, place));
            if let Err((at, why)) = self.take(rule, value) {
                self.wrong(&at, format!("`{}`: {why}", rule.name()))
                    .hints
                    .push(format!("write `{}`", rule.example()));
            }
        }
    }

    fn unknown(&mut self, name: &Spanned<Cow<'_, str>>) {
        let given: &str = name.get_ref();
        let hint = match nearest(given) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`runback doc policy` says which rules there are".to_owned(),
        };
        let shown: String = given.chars().take(LONGEST_NAME).collect();
        self.wrong(&name.span(), format!("there is no rule `{shown}`"))
            .hints
            .push(hint);
    }

    fn take(&mut self, rule: Rule, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let rules = &mut self.rules;
        match rule {
            Rule::Allow => {
                rules.allow = Some(list(value, |text| {
                    named(text, &Allowed::ALL, Allowed::name)
                })?);
            }
            Rule::Workloads => rules.workloads = Some(list(value, |text| word(text, &WORKLOADS))?),
            Rule::Destinations => {
                rules.destinations = Some(list(value, |text| word(text, &DESTINATIONS))?);
            }
            Rule::MaxItemsPerRun => rules.max_items_per_run = Some(number(value)?),
            Rule::MaxItemsPerSession => rules.max_items_per_session = Some(number(value)?),
            Rule::MaxItemsPerDay => rules.max_items_per_day = Some(number(value)?),
            Rule::Groups => rules.groups = Some(list(value, some_text)?),
            Rule::Hours => {
                let mut hours = Hours::default();
                for text in texts(value)? {
                    hours
                        .add(text.get_ref())
                        .map_err(|why| (text.span(), why))?;
                }
                rules.hours = Some(hours);
            }
            Rule::GraphPaths => {
                let mut paths = Paths::default();
                for text in texts(value)? {
                    paths
                        .add(text.get_ref())
                        .map_err(|why| (text.span(), why))?;
                }
                rules.graph_paths = Some(paths);
            }
            Rule::Consent => {
                rules.consent = Some(one(value, |text| {
                    named(text, &Consent::ALL, Consent::name)
                })?);
            }
            Rule::RequireSignature => {
                let DeValue::Boolean(required) = value.get_ref() else {
                    return Err((value.span(), "this is `true` or `false`".to_owned()));
                };
                rules.require_signature = Some(*required);
            }
            Rule::TrustedKeys => rules.trusted_keys = Some(list(value, PublicKey::read)?),
            Rule::ApprovalKeys => rules.approval_keys = Some(list(value, PublicKey::read)?),
            Rule::Owners => rules.owners = Some(people(value)?),
            Rule::Approvers => rules.approvers = Some(people(value)?),
        }
        Ok(())
    }

    /// What each rule takes may still make no sense together.
    fn whole(&mut self) {
        let rules = &self.rules;
        let lacks = |keys: &Option<Vec<PublicKey>>| keys.as_ref().is_none_or(Vec::is_empty);
        let nobody = rules.approvers.as_ref().is_none_or(Vec::is_empty);
        let mistake = if rules.require_signature() && lacks(&rules.trusted_keys) {
            Some((
                Rule::RequireSignature,
                "`require_signature` without `trusted_keys` lets nothing in",
                "name the keys: `trusted_keys = [\"RWQ…\"]`, or leave `require_signature` out",
            ))
        } else if rules.require_signature.is_none() && !lacks(&rules.trusted_keys) {
            Some((
                Rule::TrustedKeys,
                "`trusted_keys` without `require_signature` would let unsigned scripts in too",
                "write `require_signature = true`, or `false` if that is meant",
            ))
        } else if rules.consent == Some(Consent::File) && nobody && lacks(&rules.approval_keys) {
            Some((
                Rule::Consent,
                "`consent = \"file\"` without `approvers` and `approval_keys`: nobody could approve",
                "name who may: `approvers = [\"alice\"]`, or `approval_keys = [\"RWQ…\"]`",
            ))
        } else {
            None
        };
        if let Some((rule, message, hint)) = mistake {
            let place = self.places.iter().find(|(own, _)| *own == rule);
            let mut fault = bad(message).hint(hint);
            fault.place = place.map(|(_, place)| place.clone());
            self.faults.push(fault);
        }
    }

    fn wrong(&mut self, at: &Range<usize>, message: String) -> &mut Fault {
        let fault = bad(message).at(self.place(at.start));
        self.faults.push(fault);
        self.faults
            .last_mut()
            .expect("it was pushed on the line above")
    }

    /// The place of a byte.
    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next();
        Place {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            text: line.map(|line| line.chars().take(LONGEST_LINE).collect()),
        }
    }
}

/// A text, or each of a list of them, with its place.
fn texts(value: &Spanned<DeValue<'_>>) -> Result<Vec<Spanned<String>>, Wrong> {
    let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Ok(Spanned::new(value.span(), text.to_string())),
        _ => Err((
            value.span(),
            "this is text in quotes, or a list of texts".to_owned(),
        )),
    };
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(text).collect(),
        _ => Ok(vec![text(value)?]),
    }
}

/// Each of a list.
fn list<T>(
    value: &Spanned<DeValue<'_>>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    if value.get_ref().is_str() {
        return Err((value.span(), "this is a list: write it in `[ ]`".to_owned()));
    }
    let texts = texts(value)?;
    let one = |text: &Spanned<String>| read(text.get_ref()).map_err(|why| (text.span(), why));
    texts.iter().map(one).collect()
}

fn one<T>(
    value: &Spanned<DeValue<'_>>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => read(text).map_err(|why| (value.span(), why)),
        _ => Err((value.span(), "this is text in quotes".to_owned())),
    }
}

fn number(value: &Spanned<DeValue<'_>>) -> Result<u32, Wrong> {
    let number = match value.get_ref() {
        DeValue::Integer(number) => {
            u32::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
        }
        _ => None,
    };
    number.filter(|number| *number > 0).ok_or_else(|| {
        let why = format!("this is a whole number from 1 to {}", u32::MAX);
        (value.span(), why)
    })
}

/// Names of users, or their numbers.
fn people(value: &Spanned<DeValue<'_>>) -> Result<Vec<Who>, Wrong> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err((value.span(), "this is a list: write it in `[ ]`".to_owned()));
    };
    let who = |item: &Spanned<DeValue<'_>>| {
        let uid = |digits: &str| digits.replace('_', "").parse().ok().map(Who::Uid);
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = |text: &str| {
            !text.is_empty()
                && !text
                    .contains(|c: char| c.is_whitespace() || c.is_control() || ":/,".contains(c))
        };
        let found = match item.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => uid(number.as_str()),
            DeValue::String(text) if is_name(text) && is_number(text) => uid(text),
            DeValue::String(text) if is_name(text) => Some(Who::Name(text.to_string())),
            _ => None,
        };
        found.ok_or_else(|| {
            let why = "this is the name of a user of this machine, or a user's number";
            (item.span(), why.to_owned())
        })
    };
    items.iter().map(who).collect()
}

fn some_text(text: &str) -> Result<String, String> {
    let plain = text.trim();
    if plain.is_empty() || plain.chars().any(char::is_control) {
        return Err("this is the name or the id of a group".to_owned());
    }
    Ok(plain.to_owned())
}

/// One of a few words.
fn word(text: &str, known: &[&'static str]) -> Result<String, String> {
    named(text, known, |word| word).map(str::to_owned)
}

fn named<T: Copy>(text: &str, known: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    if let Some(found) = known.iter().find(|known| name(**known) == text) {
        return Ok(*found);
    }
    let names: Vec<String> = known
        .iter()
        .map(|known| format!("`{}`", name(*known)))
        .collect();
    let shown: String = text.chars().take(LONGEST_NAME).collect();
    Err(format!("`{shown}` is none of {}", names.join(", ")))
}

/// The rule that a slip of the pen is near to.
fn nearest(given: &str) -> Option<&'static str> {
    if given.len() > LONGEST_NAME {
        return None;
    }
    let wanted = given.replace('-', "_").to_ascii_lowercase();
    let names: BTreeSet<&'static str> = Rule::ALL.into_iter().map(Rule::name).collect();
    names
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}
