//! A run as it goes on: what there is to say that was not said before.

use std::collections::BTreeMap;

use super::view::View;
use crate::backup::books::{Item, Outcome as Fate};
use crate::text;

/// What was seen last.
#[derive(Default)]
pub(crate) struct Follow {
    sessions: BTreeMap<String, String>,
    progress: String,
    is_paused: bool,
}

/// What is new.
pub(crate) struct News {
    pub(crate) lines: Vec<String>,
    /// How far it is, where that has changed.
    pub(crate) progress: Option<String>,
    /// Of the items that are being restored or were, how many have come to an end.
    pub(crate) done: u64,
    pub(crate) total: u64,
}

impl Follow {
    pub(crate) fn look(&mut self, view: &View) -> News {
        let mut lines = Vec::new();
        for session in &view.outcome.sessions {
            let before = self
                .sessions
                .insert(session.id.clone(), session.status.clone());
            let (id, status) = (&session.id, &session.status);
            match before {
                None => lines.push(format!(
                    "session `{id}` ({}, {} artifacts): {status}",
                    session.workload, session.artifacts.total
                )),
                Some(before) if before != *status => {
                    lines.push(format!("session `{id}`: {before} → {status}"));
                }
                Some(_) => {}
            }
        }
        if view.is_paused != self.is_paused {
            self.is_paused = view.is_paused;
            let word = if view.is_paused {
                "paused"
            } else {
                "continues"
            };
            lines.push(word.to_owned());
        }
        let items = &view.outcome.items;
        let progress = Some(progress(items)).filter(|progress| *progress != self.progress);
        if let Some(progress) = &progress {
            self.progress.clone_from(progress);
        }
        let is_done = |item: &&Item| stage(item) != Stage::Waiting && stage(item) != Stage::Running;
        News {
            lines,
            progress,
            done: items.iter().filter(is_done).count() as u64,
            total: items.len() as u64,
        }
    }
}

/// Where an item is while its run goes on. Books that are not closed yet say of each item what it would be if they were.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In no session yet, or in a draft.
    Waiting,
    Running,
    Ended(Fate),
}

fn stage(item: &Item) -> Stage {
    match (item.outcome, item.code.as_deref()) {
        (Fate::Skipped, Some("NotActivated")) => Stage::Waiting,
        (Fate::Unknown, Some("NotAwaited")) => Stage::Running,
        (fate, _) => Stage::Ended(fate),
    }
}

/// `asked 500: 20 succeeded, 1 failed, 3 skipped, 450 being restored, 26 waiting`.
pub(super) fn progress(items: &[Item]) -> String {
    let count = |wanted: Stage| items.iter().filter(|item| stage(item) == wanted).count();
    let parts = [
        (Stage::Ended(Fate::Succeeded), "succeeded"),
        (Stage::Ended(Fate::Failed), "failed"),
        (Stage::Ended(Fate::Skipped), "skipped"),
        (Stage::Ended(Fate::Unknown), "unknown"),
        (Stage::Running, "being restored"),
        (Stage::Waiting, "waiting"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(stage, word)| (count(stage), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", text::number(count as u64)))
        .collect();
    let asked = text::number(items.len() as u64);
    if parts.is_empty() {
        format!("asked {asked}")
    } else {
        format!("asked {asked}: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_that_are_open_are_told_as_progress() {
        let item = |outcome, code: &str| Item {
            workload: "exchange".into(),
            unit: None,
            name: "x".into(),
            point: None,
            session: None,
            destination: None,
            input: None,
            outcome,
            code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            reason: None,
            expected: false,
        };
        let items = [
            item(Fate::Succeeded, ""),
            item(Fate::Unknown, "NotAwaited"),
            item(Fate::Unknown, "OutcomeUnknown"),
            item(Fate::Skipped, "NotActivated"),
            item(Fate::Skipped, "NoUnit"),
            item(Fate::Skipped, "NoUnit"),
        ];
        assert_eq!(
            progress(&items),
            "asked 6: 1 succeeded, 2 skipped, 1 unknown, 1 being restored, 1 waiting"
        );
        assert_eq!(progress(&[]), "asked 0");
    }
}
