//! What activating asks for: the set that consent covers, and what a policy judges by.

use std::collections::HashSet;
use std::sync::Arc;

use super::artifact::Destination;
use super::part::{Content, Part};
use super::workload::Workload;
use super::{BackupError, Service};
use crate::changes::{Aim, Covered};
use crate::policy::{Deed, Items, Matter};

/// Parts that are to be activated, being looked at.
#[derive(Default)]
pub(super) struct Asking {
    covered: Covered,
    in_place: bool,
    /// Bulk requests of which only their makers know whom they name.
    of_others: Vec<String>,
    items: Items,
    untold: Option<Matter>,
    pub(super) parts: Vec<Arc<Part>>,
}

/// What is asked for, once for all parts.
pub(super) struct Asked {
    pub(super) covered: Covered,
    pub(super) deed: Deed,
    known: HashSet<String>,
}

/// What consent is remembered by, of everything in a part.
fn keys(content: &Content) -> impl Iterator<Item = String> {
    let placed = content.placed.iter().map(|placed| {
        let (point, destination) = placed.key();
        format!("{point}/{destination}")
    });
    let inputs = content.bulk.iter().flat_map(super::bulk::Bulk::keys);
    placed.chain(inputs)
}

impl Asking {
    pub(super) async fn add(
        &mut self,
        service: &Service,
        part: &Arc<Part>,
        content: &Content,
    ) -> Result<(), BackupError> {
        self.covered.keys.extend(keys(content));
        let over = Some(Destination::InPlace);
        self.in_place |= content
            .placed
            .iter()
            .any(|placed| placed.destination == over);
        if let Some(bulk) = &content.bulk {
            self.in_place |= bulk.destination == over;
            if bulk.inputs.is_empty() {
                self.of_others.push(bulk.name.clone());
            }
        }
        if service.door.is_planned() {
            let terms = content.bulk.as_ref().and_then(|bulk| bulk.terms.clone());
            let aims = content.items().map(|item| Aim {
                item: service.books.planned(item),
                terms: terms.clone(),
            });
            self.covered.aims.extend(aims);
        }
        let unknown = service.weigh(part, content, &mut self.items).await?;
        self.untold = self.untold.take().or(unknown);
        self.parts.push(part.clone());
        Ok(())
    }

    pub(super) async fn end(
        mut self,
        service: &Service,
        workload: &'static Workload,
        granular: bool,
    ) -> Result<Asked, BackupError> {
        let what = if self.of_others.is_empty() {
            workload.count_in(granular, self.covered.keys.len())
        } else {
            let (nouns, names) = (workload.nouns, self.of_others.join("`, `"));
            format!("the {nouns} that bulk request `{names}` names")
        };
        self.covered.question = question(&what, self.in_place, self.parts.len());
        self.items.in_day += service.activated_today(&self.parts).await?;
        Ok(Asked {
            known: self.covered.keys.iter().cloned().collect(),
            covered: self.covered,
            deed: Deed {
                workload: Some(workload.name),
                matter: self.untold.unwrap_or(Matter::Items(self.items)),
            },
        })
    }
}

impl Asked {
    /// Whether everything in a part was asked for: another line of the script may have added to it while somebody thought.
    pub(super) fn holds(&self, content: &Content) -> bool {
        keys(content).all(|key| self.known.contains(&key))
    }
}

impl Service {
    /// Asks anew, for one part as it is now.
    pub(super) async fn ask_for(
        &self,
        part: &Arc<Part>,
        content: &Content,
    ) -> Result<Asked, BackupError> {
        let mut asking = Asking::default();
        asking.add(self, part, content).await?;
        asking.end(self, part.workload, part.granular).await
    }
}

/// `inPlace` is named: it overwrites.
fn question(what: &str, in_place: bool, sessions: usize) -> String {
    let where_to = if in_place {
        "IN PLACE, over what is there now"
    } else {
        "to a new place"
    };
    let sessions = if sessions == 1 {
        "1 session".to_owned()
    } else {
        format!("{sessions} sessions")
    };
    format!("restore {what} {where_to}, in {sessions} (cannot be cancelled once active)")
}
