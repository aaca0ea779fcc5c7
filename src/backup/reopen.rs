//! The books and sessions of a run that goes on without being carried out again: a conversation whose process is gone.
//!
//! What was on its way is looked for, and never sent again: whoever typed it is not there to be asked.

use std::sync::Arc;

use super::artifact::Artifact;
use super::books::{Item, ItemId, SessionSummary};
use super::bulk::Input;
use super::part::{Content, Part, Placed, Stage, Thing};
use super::recall::activation;
use super::service::workload_of;
use super::{BackupError, EXCHANGE, ROOT, Service, Workload, encoded};
use crate::changes::{Resettled, Verdict};
use crate::graph::{Call, GraphError, Json};
use crate::journal::{ChangeRow, State};

/// What the journal has of a run.
pub(crate) struct Remains {
    pub(crate) items: Vec<Item>,
    pub(crate) sessions: Vec<SessionSummary>,
    pub(crate) changes: Vec<ChangeRow>,
}

impl Service {
    /// Finds out what became of what was on its way, and takes the run's sessions back as they were. [`Service::close`]
    /// then waits for them.
    ///
    /// # Errors
    /// The service does not answer: nothing is lost by trying again.
    pub(crate) async fn reopen(&self, remains: Remains) -> Result<(), BackupError> {
        let own = self.books().reopen(remains.items);
        let mut activated: Vec<String> = Vec::new();
        for row in &remains.changes {
            let is_open = row
                .outcome
                .as_ref()
                .is_none_or(|outcome| outcome.state == State::Unknown);
            let session = row.intent.part.strip_prefix(&activation(""));
            let happened = if is_open && !superseded(row, &remains.changes) {
                self.door.wait_for_settling(row).await?;
                let look = self.look_back(row).await;
                match self.door.resettle(row, look)? {
                    Resettled::Happened => true,
                    Resettled::Not => {
                        if let Some(session) = session {
                            self.books().not_activated(&own, session);
                        }
                        false
                    }
                    Resettled::Unknown => false,
                }
            } else {
                row.outcome
                    .as_ref()
                    .is_some_and(|outcome| outcome.state == State::Done)
            };
            if let Some(session) = session.filter(|_| happened)
                && !activated.iter().any(|known| known == session)
            {
                activated.push(session.to_owned());
            }
        }
        for summary in remains.sessions {
            self.books().session(summary);
        }
        for session in activated {
            self.take_up(&session, &own).await?;
        }
        Ok(())
    }

    /// Finds out what became of changes that were stopped on their way, while their sessions are at hand. Nothing is sent again.
    ///
    /// # Errors
    /// The service does not answer, or nobody wants to wait for it.
    pub(crate) async fn settle_doubts(&self, rows: &[ChangeRow]) -> Result<(), BackupError> {
        for row in rows {
            self.door.wait_for_settling(row).await?;
            let look = self.look_back(row).await;
            let settled = self.door.resettle(row, look)?;
            let session = row.intent.part.strip_prefix(&activation(""));
            let Some(part) = session.and_then(|session| self.part(session)) else {
                continue;
            };
            let mut content = part.content.lock().await;
            let items: Vec<ItemId> = content.items().collect();
            match settled {
                Resettled::Happened => {
                    let read = async || Ok(self.session_if_any(&part.id).await?);
                    if let Some(json) = self.patiently(read).await? {
                        part.keep(json);
                    }
                    self.enter_activated(&part, &mut content, self.world.clock.now());
                }
                Resettled::Not => self.books().not_activated(&items, &part.id),
                Resettled::Unknown => {}
            }
        }
        Ok(())
    }

    /// What has become of a change, as far as it can be seen.
    async fn look_back(&self, row: &ChangeRow) -> Result<Verdict, GraphError> {
        let key = row.intent.part.as_str();
        let (kind, rest) = key.split_once('/').unwrap_or((key, ""));
        let session = rest.split('/').next().unwrap_or(rest);
        let inert = |what: &str| Verdict::Not(format!("not looked for: {what} restores nothing"));
        Ok(match kind {
            "create" => inert("a draft that may be left of it"),
            "browse" => inert("a browse session that may be left of it"),
            "activate" => match self.session_if_any(session).await? {
                Some(json) if status(&json) != "draft" => {
                    let how = format!("session `{session}` was activated");
                    Verdict::Happened(json, how)
                }
                _ => Verdict::Not("looked, and it had not happened".to_owned()),
            },
            "delete" => match self.session_if_any(session).await? {
                None => Verdict::Happened(Json::of(&()), "the session is gone".to_owned()),
                Some(_) => Verdict::Not("looked, and it had not happened".to_owned()),
            },
            "add" | "remove" | "bulk" | "remove-bulk" => {
                match self.session_if_any(session).await? {
                    // What is in a session is verified before it is activated.
                    Some(json) if status(&json) != "draft" => {
                        let how = format!("session `{session}` was activated with what is in it");
                        Verdict::Happened(json, how)
                    }
                    _ => inert("the draft, which was never activated,"),
                }
            }
            _ => Verdict::Unclear("only whoever typed it knows how to look".to_owned()),
        })
    }

    async fn session_if_any(&self, id: &str) -> Result<Option<Json>, GraphError> {
        let path = format!("{ROOT}/restoreSessions/{}", encoded(id));
        match self.client.read(Call::get("get session", path)).await {
            Ok(answer) => Ok(Some(answer.json())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A session that was activated and whose end is not in the books.
    async fn take_up(&self, id: &str, own: &[ItemId]) -> Result<(), BackupError> {
        let items: Vec<ItemId> = own
            .iter()
            .copied()
            .filter(|item| self.books().is_open_in(*item, id))
            .collect();
        if items.is_empty() {
            return Ok(());
        }
        self.books().activated(items.iter().copied(), id);
        let read = async || Ok(self.session_if_any(id).await?);
        let Some(json) = self.patiently(read).await? else {
            return Err(self.book_gone(id, &items));
        };
        let workload: &'static Workload = workload_of(&json).unwrap_or(&EXCHANGE);
        let is_bulk = json.string("restoreJobType").as_deref() == Some("bulk");
        let part = Arc::new(Part::found(workload, None, (id.to_owned(), json)));
        let mut content = part.content.lock().await;
        if is_bulk {
            content.bulk = self.bulk_of_others(&part).await?;
            if let Some(bulk) = &mut content.bulk {
                bulk.inputs = self.inputs_of(&items);
            }
        } else {
            let read = async || Ok(self.artifacts(&part).await?);
            let artifacts = self.patiently(read).await?;
            self.place_again(&part, &mut content, &items, &artifacts);
        }
        content.stage = Stage::Activated;
        drop(content);
        self.know(part);
        Ok(())
    }

    fn inputs_of(&self, items: &[ItemId]) -> Vec<Input> {
        let input = |item: &ItemId| {
            let known = self.books().item(*item);
            Some(Input {
                item: *item,
                text: known.input?,
                owner: None,
            })
        };
        items.iter().filter_map(input).collect()
    }

    /// Which artifact is which item: by the point and the destination, of single files by the file.
    fn place_again(
        &self,
        part: &Part,
        content: &mut Content,
        items: &[ItemId],
        artifacts: &[Artifact],
    ) {
        let mut left: Vec<&Artifact> = artifacts.iter().collect();
        for id in items {
            let item = self.books().item(*id);
            let destination = item.destination.as_deref().and_then(|to| to.parse().ok());
            let point = item.point.map(|point| point.id);
            let of_item = |artifact: &&Artifact| {
                let (first, _) = artifact.key();
                let is_file = item.input.as_deref() == Some(first.as_str());
                is_file || point.is_some() && artifact.point == point
            };
            let Some(found) = left.iter().position(of_item) else {
                // The session lists no such artifact: told as what it is when the session has ended.
                let thing = Thing::Point(point.unwrap_or_default());
                content.placed.push(Placed {
                    item: *id,
                    thing,
                    destination,
                });
                continue;
            };
            let artifact = left.remove(found);
            let (first, second) = artifact.key();
            let thing = match (part.granular, part.workload.browse) {
                (false, _) => Thing::Point(first),
                (true, Some(_)) => Thing::Piece {
                    browse: second.into(),
                    key: first,
                },
                (true, None) => Thing::Hits {
                    search: second,
                    point: first,
                },
            };
            content.ids.insert(artifact.id.clone(), *id);
            content.placed.push(Placed {
                item: *id,
                thing,
                destination,
            });
        }
    }
}

fn status(session: &Json) -> String {
    session.string("status").unwrap_or_default()
}

/// A later try of the same change says what became of this one.
fn superseded(row: &ChangeRow, all: &[ChangeRow]) -> bool {
    all.iter().any(|later| {
        later.intent.part == row.intent.part
            && later.intent.sequence > row.intent.sequence
            && later.intent.round > 0
    })
}
