//! Which input of a bulk request became which artifact.

use std::collections::HashMap;

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

/// Whose an artifact is. Two inputs can name one owner: by mail and by principal name.
struct Whose {
    by_owner: HashMap<String, Vec<usize>>,
    by_text: HashMap<String, usize>,
}

impl Whose {
    fn of(inputs: &[Input]) -> Self {
        let mut whose = Self {
            by_owner: HashMap::with_capacity(inputs.len()),
            by_text: HashMap::with_capacity(inputs.len()),
        };
        for (at, input) in inputs.iter().enumerate() {
            whose.by_text.insert(plain(&input.text), at);
            if let Some(owner) = &input.owner {
                let owner = owner.to_lowercase();
                whose.by_owner.entry(owner).or_default().push(at);
            }
        }
        whose
    }

    fn inputs(&self, end: &End) -> &[usize] {
        if let Some(inputs) = end
            .owner
            .as_ref()
            .and_then(|owner| self.by_owner.get(owner))
        {
            return inputs;
        }
        let by_text = || self.by_text.get(&plain(end.text.as_ref()?));
        by_text().map_or(&[], std::slice::from_ref)
    }
}

/// In the form in which two spellings of one address or URL are the same.
pub(in crate::backup) fn plain(text: &str) -> String {
    text.trim().trim_end_matches('/').to_lowercase()
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
        for &input in own {
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
        if let Some(&input) = whose.by_text.get(&plain(&lost.input))
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
