//! Which input of a bulk request became which artifact.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Input, Unresolved};
use crate::backup::artifact::Artifact;
use crate::backup::books::{ItemPoint, Outcome};
use crate::backup::verdict::verdict;

/// What one artifact came to, without its JSON: ten thousand of those are ten megabytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) unit: Option<String>,
    /// The directory's id of the user or site, in lower case.
    pub(super) owner: Option<String>,
    /// The address or URL of the unit: only delegated calls get it.
    pub(super) text: Option<String>,
    pub(super) point: Option<ItemPoint>,
    pub(super) outcome: Outcome,
    pub(super) code: Option<String>,
    pub(super) reason: Option<String>,
}

impl End {
    pub(super) fn of(artifact: &Artifact, owner: &str) -> Self {
        let point = artifact.json.property("restorePoint");
        let unit = point
            .as_ref()
            .and_then(|point| point.property("protectionUnit"));
        let of_unit = |name: &str| {
            let text = unit.as_ref()?.string(name)?;
            Some(text.to_lowercase()).filter(|text| !text.is_empty())
        };
        let (outcome, code, reason) = verdict(artifact);
        Self {
            unit: unit.as_ref().and_then(|unit| unit.string("id")),
            owner: of_unit(owner),
            text: of_unit("email").or_else(|| of_unit("siteWebUrl")),
            point: artifact.point.clone().map(|id| ItemPoint {
                id,
                protection_date_time: point.and_then(|point| point.string("protectionDateTime")),
            }),
            outcome,
            code,
            reason,
        }
    }
}

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// This artifact's end.
    To(usize),
    /// The service could not resolve it; which of its words.
    Unresolved(usize),
    /// The session says of no artifact whose it is, but each of them was restored, and there is one for each input.
    Restored,
    /// There are artifacts of which the session does not say whose they are.
    Untold,
    Nothing,
}

/// Inputs by what they are known by, sorted; borrowed where it is written so: of ten thousand, two maps would take megabytes.
type Index<'i> = Vec<(Cow<'i, str>, usize)>;

/// Whose an artifact is. Two inputs can name one owner: by mail and by principal name.
struct Whose<'i> {
    by_owner: Index<'i>,
    by_text: Index<'i>,
}

impl<'i> Whose<'i> {
    fn of(inputs: &'i [Input]) -> Self {
        let all = || inputs.iter().enumerate();
        let by_owner = all().filter_map(|(at, input)| Some((lower(input.owner.as_ref()?), at)));
        let by_text = all().map(|(at, input)| (plainly(&input.text), at));
        let mut whose = Self {
            by_owner: by_owner.collect(),
            by_text: by_text.collect(),
        };
        whose.by_owner.sort();
        whose.by_text.sort();
        whose
    }

    fn inputs(&self, end: &End) -> &[(Cow<'i, str>, usize)] {
        let by_owner = end
            .owner
            .as_ref()
            .map_or(&[][..], |owner| equal(&self.by_owner, owner));
        match &end.text {
            Some(text) if by_owner.is_empty() => self.named(text),
            _ => by_owner,
        }
    }

    /// The last of those that are written so.
    fn named(&self, text: &str) -> &[(Cow<'i, str>, usize)] {
        let named = equal(&self.by_text, &plainly(text));
        &named[named.len().saturating_sub(1)..]
    }
}

fn equal<'a, 'i>(index: &'a Index<'i>, key: &str) -> &'a [(Cow<'i, str>, usize)] {
    let begin = index.partition_point(|(known, _)| &**known < key);
    let end = index.partition_point(|(known, _)| &**known <= key);
    &index[begin..end]
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) {
        return text.to_lowercase().into();
    }
    text.into()
}

fn plainly(text: &str) -> Cow<'_, str> {
    lower(text.trim().trim_end_matches('/'))
}

/// In the form in which two spellings of one address or URL are the same.
pub(in crate::backup) fn plain(text: &str) -> String {
    plainly(text).into_owned()
}

/// Brings inputs and artifacts together.
pub(super) fn ends_of(inputs: &[Input], ends: &[End], unresolved: &[Unresolved]) -> Vec<Came> {
    let whose = Whose::of(inputs);
    let mut came = vec![Came::Nothing; inputs.len()];
    let mut nobodys: Vec<&End> = Vec::new();
    for (at, end) in ends.iter().enumerate() {
        let own = whose.inputs(end);
        if own.is_empty() {
            nobodys.push(end);
        }
        for &(_, input) in own {
            // Of two artifacts of one input the one that succeeded counts.
            let better = match came[input] {
                Came::To(known) => ends[known].outcome != Outcome::Succeeded,
                _ => true,
            };
            if better {
                came[input] = Came::To(at);
            }
        }
    }
    for (at, lost) in unresolved.iter().enumerate() {
        if let [(_, input)] = *whose.named(&lost.input)
            && came[input] == Came::Nothing
        {
            came[input] = Came::Unresolved(at);
        }
    }
    let open = came.iter().filter(|came| **came == Came::Nothing).count();
    let restored =
        nobodys.len() == open && nobodys.iter().all(|end| end.outcome == Outcome::Succeeded);
    for came in came.iter_mut().filter(|came| **came == Came::Nothing) {
        *came = match (nobodys.is_empty(), restored) {
            (true, _) => Came::Nothing,
            (false, true) => Came::Restored,
            (false, false) => Came::Untold,
        };
    }
    came
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(texts: &[&str]) -> Vec<Input> {
        let input = |(at, text): (usize, &&str)| Input {
            item: at,
            text: (*text).to_owned(),
            owner: text.starts_with("id").then(|| (*text).to_uppercase()),
        };
        texts.iter().enumerate().map(input).collect()
    }

    fn end(owner: &str, text: &str, outcome: Outcome) -> End {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        End {
            unit: None,
            owner: some(owner),
            text: some(text),
            point: None,
            outcome,
            code: None,
            reason: None,
        }
    }

    fn came(texts: &[&str], ends: &[End], lost: &[&str]) -> Vec<Came> {
        let inputs = inputs(texts);
        let lost: Vec<Unresolved> = lost
            .iter()
            .map(|input| Unresolved {
                input: (*input).to_owned(),
                code: "UserNotBackedup".to_owned(),
                reason: String::new(),
            })
            .collect();
        ends_of(&inputs, ends, &lost)
    }

    #[test]
    fn inputs_find_their_artifacts_by_owner_or_address() {
        let ends = [
            end("id-b", "", Outcome::Failed),
            end("", "A@x", Outcome::Succeeded),
            end("id-b", "", Outcome::Succeeded),
            end("id-b", "", Outcome::Failed),
        ];
        assert_eq!(
            came(
                &["a@X", "id-b", "https://x/s/", "d@x"],
                &ends,
                &["HTTPS://x/s"]
            ),
            [Came::To(1), Came::To(2), Came::Unresolved(0), Came::Nothing]
        );
    }

    #[test]
    fn artifacts_of_nobody_are_told_only_where_all_were_restored() {
        let good = || end("", "", Outcome::Succeeded);
        let bad = end("", "", Outcome::Failed);
        let [a, b] = ["a@x", "b@x"];
        assert_eq!(came(&[a, b], &[good(), good()], &[]), [Came::Restored; 2]);
        assert_eq!(came(&[a, b], &[good(), bad], &[]), [Came::Untold; 2]);
        assert_eq!(came(&[a, b], &[good()], &[]), [Came::Untold; 2]);
        assert_eq!(
            came(&[a, b], &[good()], &["b@X"]),
            [Came::Restored, Came::Unresolved(0)]
        );
    }
}
