//! Adding to a session: what several lines of a script add at once goes together, to the parts that have room and to new ones.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{NotTaken, Request, Session, lock};
use crate::backup::BackupError;
use crate::backup::part::{ArtifactKey, Part, Placed, Stage, key};
use crate::policy::Act;

/// What goes to one part, or to one that is still to be made; with the positions in the call.
type Chunk = (Option<Arc<Part>>, Vec<(usize, Request)>);

/// What waits to be sent by whoever edits the session now.
pub(super) struct Pending {
    request: Request,
    answer: oneshot::Sender<Result<Option<NotTaken>, BackupError>>,
}

impl Session {
    /// Adds artifacts. Calls that come while another one is being sent go together, 50 in one PATCH.
    ///
    /// Returns what the service did not take; that is in the books as failed.
    pub(crate) async fn add(&self, requests: Vec<Request>) -> Result<Vec<NotTaken>, BackupError> {
        self.hold_destination(&requests)?;
        let mut answers = Vec::with_capacity(requests.len());
        {
            let mut queue = lock(&self.queue);
            for request in requests {
                let (sender, receiver) = oneshot::channel();
                queue.push(Pending {
                    request,
                    answer: sender,
                });
                answers.push(receiver);
            }
        }
        let answered = async {
            let mut not_taken = Vec::new();
            for answer in answers {
                match answer.await {
                    Ok(Ok(None)) => {}
                    Ok(Ok(Some(item))) => not_taken.push(item),
                    Ok(Err(error)) => return Err(error),
                    // The editor that held it was stopped: so are we.
                    Err(_) => {
                        self.service.refuse_if_stopped()?;
                        return Err(BackupError::SessionGone {
                            session: self.id().unwrap_or_default(),
                        });
                    }
                }
            }
            Ok(not_taken)
        };
        tokio::pin!(answered);
        tokio::select! {
            biased;
            // Another editor has sent ours. Queueing for its place all the same would let every caller behind us send one
            // artifact alone: 70 requests for 92 artifacts from 8 threads, where 23 do.
            outcome = &mut answered => return outcome,
            _editor = self.editing.lock() => {
                let pending = std::mem::take(&mut *lock(&self.queue));
                if !pending.is_empty() {
                    self.send(pending).await;
                }
            }
        }
        answered.await
    }

    /// Sends what is pending: to the parts that have room, then to new ones. Parts are filled side by side.
    async fn send(&self, pending: Vec<Pending>) {
        let mut senders = Vec::with_capacity(pending.len());
        let mut requests = Vec::with_capacity(pending.len());
        for Pending { request, answer } in pending {
            requests.push(request);
            senders.push(answer);
        }
        let outcome = self.place(requests).await;
        let mut refused = match outcome {
            Ok(refused) => refused,
            Err(error) => {
                for sender in senders {
                    let _ = sender.send(Err(error.clone()));
                }
                return;
            }
        };
        for (position, sender) in senders.into_iter().enumerate() {
            let _ = sender.send(Ok(refused.remove(&position)));
        }
    }

    /// Puts requests into parts; gives what was not taken, by position.
    async fn place(&self, requests: Vec<Request>) -> Result<HashMap<usize, NotTaken>, BackupError> {
        for part in self.parts() {
            let mut content = part.content.lock().await;
            self.service.read_content(&part, &mut content).await?;
        }
        let requests = requests.into_iter().enumerate().collect();
        let (requests, refused) = self.recall(requests).await?;
        let mut refused: HashMap<usize, NotTaken> = refused.into_iter().collect();
        if requests.is_empty() {
            return Ok(refused);
        }
        let mut known: HashSet<ArtifactKey> = HashSet::new();
        let mut room = None;
        for part in self.parts() {
            let content = part.content.lock().await;
            if content.bulk.is_some() {
                return Err(BackupError::TakesBulk {
                    session: part.id.clone(),
                });
            }
            known.extend(content.placed.iter().map(Placed::key));
            // One that was activated before this life took on is full: all that was put into it was taken back above.
            let is_full = content.placed.len() >= self.size
                || self.service.was_about_to_be_activated(&part.id);
            if content.stage == Stage::Draft && !is_full {
                room = Some((part.clone(), self.size - content.placed.len()));
            } else if content.stage != Stage::Draft {
                let (session, status) = (part.id.clone(), part.status());
                return Err(BackupError::NotDraft { session, status });
            }
        }
        // The same again is one artifact: the service would refuse the second.
        let mut fresh: Vec<(usize, Request)> = requests
            .into_iter()
            .filter(|(_, request)| known.insert(key(&request.thing, request.destination)))
            .collect();
        if self.service.door.guard().policy().is_some() {
            // Of all of it, before the first fifty are sent.
            let placed: Vec<Placed> = fresh.iter().map(|(_, request)| request.placed()).collect();
            let deed = self.service.deed_of_draft(self.workload, &placed).await?;
            self.service.judge(Act::Draft, &deed)?;
        }
        let mut chunks: Vec<Chunk> = Vec::new();
        if let Some((part, room)) = room {
            let rest = fresh.split_off(room.min(fresh.len()));
            if !fresh.is_empty() {
                chunks.push((Some(part), fresh));
            }
            fresh = rest;
        }
        while !fresh.is_empty() {
            let rest = fresh.split_off(self.size.min(fresh.len()));
            chunks.push((None, fresh));
            fresh = rest;
        }
        let total: usize = chunks.iter().map(|(_, chunk)| chunk.len()).sum();
        let bar = self
            .service
            .talk
            .bar("filling sessions", Some(total as u64));
        let mut next = self.parts().len();
        let fills: Vec<_> = chunks
            .into_iter()
            .map(|(part, chunk)| {
                let number = next;
                next += usize::from(part.is_none());
                self.service.fill(self, number, part, chunk, &*bar)
            })
            .collect();
        // All are driven to their end even where one fails: a part that exists is known to the session.
        for outcome in futures::future::join_all(fills).await {
            let filled = outcome;
            if let Some(part) = filled.part {
                self.adopt(part);
            }
            if let Some(error) = filled.error {
                return Err(error);
            }
            refused.extend(filled.refused);
        }
        Ok(refused)
    }

    fn hold_destination(&self, requests: &[Request]) -> Result<(), BackupError> {
        let asked = requests.iter().filter_map(|request| request.destination);
        asked.into_iter().try_for_each(|to| self.hold(to))
    }
}
