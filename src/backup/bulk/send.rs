//! Sending a bulk request into an empty draft, and taking one out again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::look::{LookForRequest, LookForRequestGone};
use super::{Bulk, BulkOrder, MOST_INPUTS, bulk_path, unresolved};
use crate::backup::part::{Part, Stage};
use crate::backup::recall::creation;
use crate::backup::search::{LONGEST_RETENTION, Prefer};
use crate::backup::{BackupError, Destination, Service, Session};
use crate::changes::{Change, Class, Covered, Key, Terms};
use crate::graph::{Call, GraphError, Json};
use crate::instant;
use crate::policy::{Act, Deed};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    display_name: &'a str,
    protection_time_period: Period,
    restore_point_preference: Prefer,
    destination_type: Destination,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    start_date_time: String,
    end_date_time: String,
}

impl Session {
    /// Puts a bulk request into this session, which must be an empty draft.
    ///
    /// # Errors
    /// Ours before anything is sent: too many inputs or none, a session that holds something; then what the service says.
    pub(crate) async fn add_bulk(&self, mut order: BulkOrder) -> Result<Json, BackupError> {
        if order.inputs.is_empty() {
            return Err(BackupError::NoInputs);
        }
        if order.inputs.len() > MOST_INPUTS {
            let count = order.inputs.len();
            return Err(BackupError::TooManyInputs { count });
        }
        let _editing = self.editing.lock().await;
        let part = match &self.parts()[..] {
            [] => self.empty_part().await?,
            [part] => part.clone(),
            [.., last] => {
                let session = last.id.clone();
                return Err(BackupError::NotEmpty { session });
            }
        };
        self.hold(order.destination)?;
        let asked = order.inputs.len();
        self.service
            .leave_out_held_inputs(self.workload, &part.id, &mut order)
            .await?;
        if order.inputs.is_empty() {
            return Err(BackupError::Overlaps {
                session: part.id.clone(),
                count: asked,
                by: "others at this moment, or were by the same order before",
            });
        }
        self.service.add_bulk(&part, &order).await
    }

    /// Makes as many sessions of 10,000 inputs as it takes, and activates them; each waits for the one before it.
    ///
    /// # Errors
    /// As [`Session::activate`]. Drafts that were not activated restore nothing.
    pub(crate) async fn restore_bulk(&self, mut order: BulkOrder) -> Result<(), BackupError> {
        self.hold(order.destination)?;
        // Of all of it, before the first session is made.
        let deed = self.service.deed_of_bulk(self.workload, &order).await?;
        let most = self.service.door.guard().session_size().min(MOST_INPUTS);
        let deed = deed.in_sessions_of(most);
        self.service.judge(Act::Draft, &deed)?;
        let service = &self.service;
        service
            .leave_out_held_inputs(self.workload, &self.mark, &mut order)
            .await?;
        let done = self.restore_taken(&order, most).await;
        if done.is_err() {
            let to = order.destination.name();
            service
                .give_back_inert(self.workload, to, &order.inputs)
                .await;
        }
        done
    }

    async fn restore_taken(&self, order: &BulkOrder, most: usize) -> Result<(), BackupError> {
        for inputs in order.inputs.chunks(most) {
            let part = self.empty_part().await?;
            let order = BulkOrder {
                inputs: inputs.to_vec(),
                ..order.clone_without_inputs()
            };
            self.service.add_bulk(&part, &order).await?;
        }
        self.activate().await
    }

    async fn empty_part(&self) -> Result<Arc<Part>, BackupError> {
        let key = creation(&self.mark, self.parts().len());
        let part = self
            .service
            .create(self.workload, &self.manner, key, &[])
            .await?;
        self.adopt(part.clone());
        Ok(part)
    }

    /// The bulk requests of its parts as the service has them now, each with our own copy of its inputs.
    pub(crate) async fn bulk_requests(&self) -> Result<Vec<(Json, Vec<String>)>, BackupError> {
        let mut all = Vec::new();
        for part in self.parts() {
            let listed = async { Ok(self.service.bulk_requests(&part).await?) };
            let requests: Vec<Json> = self.service.learn("requests", &part.id, listed).await?;
            let content = part.content.lock().await;
            for request in requests {
                let id = request.string("id");
                let own = content
                    .bulk
                    .as_ref()
                    .filter(|bulk| Some(&bulk.id) == id.as_ref());
                let inputs = own.map_or_else(Vec::new, |bulk| {
                    bulk.inputs.iter().map(|input| input.text.clone()).collect()
                });
                all.push((request, inputs));
            }
        }
        Ok(all)
    }

    /// Deletes a bulk request; the service allows that after it has resolved it. What it could not resolve stays in the books.
    ///
    /// # Errors
    /// The service's `InvalidStateForBulkRequestDeletion`, `BulkRestoreArtifactsNotFound`.
    pub(crate) async fn remove_bulk(&self, id: &str) -> Result<(), BackupError> {
        let parts = self.parts();
        let mut missing = None;
        for part in &parts {
            let found = async { Ok(self.service.bulk_request(part, id).await?) };
            let request: Json = match self.service.learn("request", &part.id, found).await {
                Ok(request) => request,
                Err(error) if error.graph().is_some_and(GraphError::is_not_found) => {
                    missing = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            return self.service.remove_bulk(part, id, &request).await;
        }
        Err(missing.unwrap_or(BackupError::NoInputs))
    }
}

impl BulkOrder {
    fn clone_without_inputs(&self) -> Self {
        Self {
            name: self.name.clone(),
            tags: self.tags.clone(),
            inputs: Vec::new(),
            ..*self
        }
    }
}

impl Service {
    async fn add_bulk(&self, part: &Arc<Part>, order: &BulkOrder) -> Result<Json, BackupError> {
        let mut content = part.content.lock().await;
        self.read_content(part, &mut content).await?;
        let session = part.id.clone();
        if content.stage != Stage::Draft {
            let status = part.status();
            return Err(BackupError::NotDraft { session, status });
        }
        if content.bulk.is_some() {
            return Err(BackupError::HasBulk { session });
        }
        if part.granular || !content.placed.is_empty() {
            return Err(BackupError::NotEmpty { session });
        }
        let sequence = self.bulk_requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mark = format!("[runback {}#{sequence}]", self.settings.run);
        let name = order.name.as_deref().map_or("bulk restore", str::trim);
        let name = format!("{name} {mark}");
        let terms = self.terms(order);
        let call = bulk_call(part, order, &terms, &name);
        let look = LookForRequest::new(self.me(), part, self.settings.run.clone());
        let key = Key::Once(format!("bulk/{}", part.id));
        let change = Change::draft(call, key)
            .about(self.deed_of_bulk(part.workload, order).await?)
            .noted(order.inputs.len(), name.as_str().into());
        let hold = self.hold_session(&part.id).await?;
        let settled = match self.door.send(change, &look).await {
            Ok(settled) => settled,
            Err(refusal) => return Err(self.or_locked(refusal).await),
        };
        drop(hold);
        for input in &order.inputs {
            self.books.place(input.item, &part.id);
        }
        content.bulk = Some(Bulk {
            id: settled.json.string("id").unwrap_or_default(),
            name: settled.json.string("displayName").unwrap_or(name),
            destination: Some(order.destination),
            window: order.window(),
            terms: Some(Arc::new(terms)),
            are_taken: order.are_taken,
            inputs: order.inputs.clone(),
            unresolved: None,
        });
        Ok(settled.json)
    }

    fn terms(&self, order: &BulkOrder) -> Terms {
        let end = order.before.unwrap_or_else(|| self.client.service_now());
        let start = order
            .after
            .unwrap_or_else(|| end.checked_sub(LONGEST_RETENTION).unwrap_or(Timestamp::MIN));
        // "Before" is strict everywhere else; here only the window can say so.
        let end = match order.before {
            Some(before) => before - SignedDuration::from_millis(1),
            None => end,
        };
        Terms {
            at: self.client.service_now(),
            start,
            end,
            prefer: order.prefer.name().to_owned(),
            tags: order.tags.clone(),
        }
    }

    async fn remove_bulk(
        &self,
        part: &Arc<Part>,
        id: &str,
        request: &Json,
    ) -> Result<(), BackupError> {
        let call = Call::delete("delete bulk request", bulk_path(part, id)).version(part.version);
        let name = request.string("displayName").unwrap_or_default();
        let key = Key::Once(format!("remove-bulk/{}/{id}", part.id));
        let change = Change {
            class: Class::Delete,
            covered: Covered {
                question: format!("delete bulk request `{name}` of session `{}`", part.id),
                keys: vec![id.to_owned()],
                ..Covered::default()
            },
            deed: Deed::nothing(part.workload.name),
            ..Change::draft(call, key)
        };
        let look = LookForRequestGone {
            service: self.me(),
            part,
            id,
        };
        let hold = self.hold_session(&part.id).await?;
        self.door.send(change, &look).await?;
        drop(hold);
        // The service forgets with it what it could not resolve.
        let mut content = part.content.lock().await;
        if let Some(bulk) = content.bulk.as_mut().filter(|bulk| bulk.id == id) {
            bulk.unresolved.get_or_insert_with(|| unresolved(request));
        }
        Ok(())
    }
}

fn bulk_call(part: &Part, order: &BulkOrder, terms: &Terms, name: &str) -> Call {
    let body = Body {
        display_name: name,
        protection_time_period: Period {
            start_date_time: instant::for_request(terms.start),
            end_date_time: instant::for_request(terms.end),
        },
        restore_point_preference: order.prefer,
        destination_type: order.destination,
        tags: order.tags.as_deref(),
    };
    let mut body = serde_json::to_value(body).unwrap_or_default();
    let texts: Vec<&str> = order.inputs.iter().map(|input| &*input.text).collect();
    body[part.workload.inputs] = texts.into();
    let path = part.workload.inside(&part.id, part.workload.bulk);
    part.call(Call::post("create bulk request", path).making().json(&body))
}
