//! Verify before activate: what is in the draft must be what was asked for, no more, no less.
//!
//! This catches the late twin: a PATCH that was cut at 504 can land after we looked and sent it again.

use std::collections::HashMap;
use std::sync::Arc;

use super::part::{ArtifactKey, Content, Part};
use super::{BackupError, Service};
use crate::changes::{Class, Covered, Key};

/// How often a draft is mended before we give up.
const ROUNDS: u32 = 6;

/// What has to be done to a draft so that it is what was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Repair {
    /// Ids of copies that are too many.
    surplus: Vec<String>,
    /// Positions in what was placed.
    missing: Vec<usize>,
    /// Ids of artifacts that nobody here asked for.
    foreign: Vec<String>,
}

/// Compares what is listed (id and key) with what was placed (key). Of several copies the first stays.
fn compare(
    listed: &[(String, ArtifactKey)],
    placed: &[ArtifactKey],
    unwanted: &[ArtifactKey],
) -> Repair {
    let mut wanted: HashMap<&ArtifactKey, usize> = placed
        .iter()
        .enumerate()
        .map(|(at, key)| (key, at))
        .collect();
    let all = wanted.clone();
    let mut repair = Repair::default();
    for (id, key) in listed {
        if wanted.remove(key).is_none() {
            if all.contains_key(key) || unwanted.contains(key) {
                repair.surplus.push(id.clone());
            } else {
                repair.foreign.push(id.clone());
            }
        }
    }
    repair.missing = wanted.into_values().collect();
    repair.missing.sort_unstable();
    repair
}

impl Service {
    /// Brings a draft to what was asked for, and reads the ids of its artifacts.
    ///
    /// # Errors
    /// [`BackupError::ForeignArtifacts`] where there is something that is not ours: it is left alone.
    pub(super) async fn verify(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
    ) -> Result<(), BackupError> {
        if content.bulk.is_some() {
            return self.verify_bulk(part, content).await;
        }
        let unwanted = self.drop_taken(part, content);
        for _ in 0..ROUNDS {
            let listed = self.artifacts(part).await?;
            let listed: Vec<(String, ArtifactKey)> = listed
                .into_iter()
                .map(|artifact| {
                    let key = artifact.key();
                    (artifact.id, key)
                })
                .collect();
            let placed: Vec<ArtifactKey> = content
                .placed
                .iter()
                .map(super::part::Placed::key)
                .collect();
            let repair = compare(&listed, &placed, &unwanted);
            if !repair.foreign.is_empty() {
                return Err(BackupError::foreign(&part.id, &listed, &repair.foreign));
            }
            if repair == Repair::default() {
                let items: HashMap<&ArtifactKey, usize> = placed
                    .iter()
                    .zip(content.placed.iter().map(|placed| placed.item))
                    .collect();
                content.ids = listed
                    .iter()
                    .filter_map(|(id, key)| Some((id.clone(), *items.get(key)?)))
                    .collect();
                return Ok(());
            }
            self.mend(part, content, repair).await?;
        }
        let session = part.id.clone();
        Err(BackupError::CannotVerify {
            session,
            rounds: ROUNDS,
        })
    }

    async fn mend(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
        repair: Repair,
    ) -> Result<(), BackupError> {
        if !repair.surplus.is_empty() {
            let text = format!(
                "draft `{}` holds {} artifacts too many: removing them",
                part.id,
                repair.surplus.len()
            );
            self.talk.note(&text);
            // Undoing a double of our own is part of drafting.
            let key = Key::Among(format!("remove/{}", part.id));
            let (surplus, nothing) = (&repair.surplus, Covered::default());
            self.patch_out(part, surplus, Class::Draft, &key, nothing)
                .await?;
        }
        if repair.missing.is_empty() {
            return Ok(());
        }
        let text = format!(
            "draft `{}` lacks {} artifacts: adding them",
            part.id,
            repair.missing.len()
        );
        self.talk.note(&text);
        let missing: Vec<_> = repair
            .missing
            .iter()
            .map(|&at| content.placed[at].clone())
            .collect();
        for batch in missing.chunks(super::create::BATCH) {
            let refused = self.patch_in(part, batch).await?;
            for placed in batch {
                if let Some((code, message)) = refused.get(&placed.key()) {
                    let outcome = super::books::Outcome::Failed;
                    let (code, message) = (Some(code.clone()), Some(message.clone()));
                    let end = (outcome, code.clone(), message.clone());
                    content.out.push((placed.key(), end));
                    self.books
                        .end(placed.item, outcome, code, message, Some(&part.id));
                    content.placed.retain(|kept| kept.item != placed.item);
                }
            }
        }
        Ok(())
    }

    /// Takes out what another session of this run has been activated with: the same point to the same place twice is what
    /// must never happen. Gives the keys that the draft still holds.
    fn drop_taken(&self, part: &Part, content: &mut Content) -> Vec<ArtifactKey> {
        let taken: Vec<_> = content
            .placed
            .extract_if(.., |placed| self.books.taken(placed.item, &part.id))
            .collect();
        if !taken.is_empty() {
            let count = part.count(taken.len());
            let text = format!(
                "{count} of draft `{}` are restored by another session of this run: left out",
                part.id
            );
            self.talk.note(&text);
        }
        let taken = taken.iter().map(super::part::Placed::key);
        taken
            .chain(content.out.iter().map(|(key, _)| key.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(point: &str) -> ArtifactKey {
        (point.to_owned(), "new".to_owned())
    }

    fn listed(entries: &[(&str, &str)]) -> Vec<(String, ArtifactKey)> {
        entries
            .iter()
            .map(|(id, point)| ((*id).to_owned(), key(point)))
            .collect()
    }

    #[test]
    fn copies_go_the_absent_come_and_the_foreign_are_named() {
        let placed = [key("a"), key("b"), key("c")];
        let repair = compare(
            &listed(&[("1", "a"), ("2", "a"), ("3", "c"), ("4", "z")]),
            &placed,
            &[],
        );
        let expected = Repair {
            surplus: vec!["2".to_owned()],
            missing: vec![1],
            foreign: vec!["4".to_owned()],
        };
        assert_eq!(repair, expected);
        assert_eq!(
            compare(&listed(&[("1", "c"), ("2", "b"), ("3", "a")]), &placed, &[]),
            Repair::default()
        );
        let unwanted = compare(&listed(&[("1", "a"), ("2", "x")]), &[key("a")], &[key("x")]);
        assert_eq!(unwanted.surplus, ["2"]);
    }
}
