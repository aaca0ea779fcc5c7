//! The stand-in: a tenant in which every change has been made, as far as a script can see.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::session::Session;
use super::target::Target;
use crate::backup::Workload;
use crate::graph::{Call, GraphError, Json, Method, StandIn};
use crate::world::World;

/// Of all calls together, in bytes: somebody has to read them.
const MOST_SAID: usize = 4 << 20;

/// Told apart from the service's own ids by their beginning: "planned" in hexadecimal.
const ID: u64 = 0x706c_616e_6e65_6400;

/// What a plan has seen and would do.
pub(crate) struct Planned {
    world: World,
    model: Mutex<Model>,
}

#[derive(Default)]
pub(super) struct Model {
    /// In the order in which they were made; drafts that were deleted are taken out.
    pub(super) sessions: Vec<Session>,
    made: u64,
    /// The ids in the order of activation.
    pub(super) activated: Vec<String>,
    /// Restore points by their id, as the service showed them.
    pub(super) points: HashMap<String, Value>,
    /// Sessions of the service that a script has deleted.
    gone: HashSet<String>,
    /// Changes that are more than rows: "DELETE /users/…".
    pub(super) others: Vec<String>,
    /// How long those are together, in bytes.
    said: usize,
    /// How many calls of each operation were answered here, and how many went to the service.
    pub(super) changes: BTreeMap<&'static str, u64>,
    pub(super) answered: BTreeMap<&'static str, u64>,
    pub(super) passed: BTreeMap<&'static str, u64>,
}

impl Planned {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            model: Mutex::default(),
        }
    }

    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        // Each change of it is whole before the next begins.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for Planned {
    fn change(&self, call: &Call, there: Timestamp) -> Result<Json, GraphError> {
        let now = self.world.clock.now();
        let mut model = self.model();
        *model.changes.entry(call.operation).or_default() += 1;
        let answer = match (&call.method, Target::of(call.plain_path())) {
            (&Method::POST, Target::Sessions(Some(workload))) => {
                let body = body(call);
                model.made += 1;
                let id = Uuid::from_u64_pair(ID, model.made).to_string();
                let mut session = Session::new(id, workload, now);
                fill(&mut session, &body);
                let answer = session.json();
                model.sessions.push(session);
                answer
            }
            (&Method::PATCH, Target::Session(id)) => model.draft(call, id)?.edit(&body(call)),
            (&Method::POST, Target::Activate(id)) => {
                let session = model.draft(call, id)?;
                if session.is_empty() {
                    return Err(call.refused(
                        403,
                        "RestoreSessionActionNotAllowed",
                        "the session is empty",
                    ));
                }
                session.activated = Some(now);
                let answer = session.json();
                model.activated.push(id.to_owned());
                answer
            }
            (&Method::DELETE, Target::Session(id)) => {
                if model.session(id).is_some() {
                    model.draft(call, id)?;
                    model.sessions.retain(|session| session.id != id);
                } else {
                    model.other(call)?;
                    model.gone.insert(id.to_lowercase());
                }
                Value::Null
            }
            (&Method::POST, Target::BulkRequests(id)) => {
                let session = model.draft(call, id)?;
                let mut bulk = body(call);
                bulk.insert("id".to_owned(), format!("{}-bulk", session.id).into());
                session.bulk = Some(bulk);
                session.bulk_at = Some(there);
                session.bulk_json().unwrap_or_default()
            }
            (&Method::DELETE, Target::BulkRequest { session: id, .. }) => {
                match model.session(id) {
                    Some(session) if session.activated.is_none() => {
                        let why = "the bulk request has not been resolved yet";
                        return Err(call.refused(403, "InvalidStateForBulkRequestDeletion", why));
                    }
                    Some(session) => session.bulk_is_gone = true,
                    None => model.other(call)?,
                }
                Value::Null
            }
            (_, Target::Browsing) => {
                let why = "what a browse session shows is known only once the service has made it";
                return Err(call.refused(0, "NotPlannable", why));
            }
            _ => {
                model.other(call)?;
                return Ok(Json::of(&json!({})));
            }
        };
        // A call by its path is no row of the books, whatever it is about.
        if call.operation.starts_with("graph::") {
            model.other(call)?;
        }
        Ok(Json::of(&answer))
    }

    fn read(&self, call: &Call) -> Option<Result<Json, GraphError>> {
        let mut model = self.model();
        let answer = model.answer(call);
        let counts = if answer.is_some() {
            &mut model.answered
        } else {
            &mut model.passed
        };
        *counts.entry(call.operation).or_default() += 1;
        answer
    }

    fn page(&self, call: &Call, mut page: Vec<Json>, is_last: bool) -> Vec<Json> {
        let Target::Sessions(workload) = Target::of(call.plain_path()) else {
            return page;
        };
        let model = self.model();
        if !model.gone.is_empty() {
            page.retain(|session| {
                session
                    .string("id")
                    .is_none_or(|id| !model.gone.contains(&id.to_lowercase()))
            });
        }
        if is_last {
            let own = model
                .sessions
                .iter()
                .filter(|session| workload.is_none_or(|workload| *workload == *session.workload));
            page.extend(own.map(|session| Json::of(&session.json())));
        }
        page
    }

    fn learn(&self, point: &Json) {
        if let (Some(id), Ok(point)) = (point.string("id"), point.parse()) {
            self.model().points.insert(id, point);
        }
    }
}

impl Model {
    /// A change that is more than rows.
    fn other(&mut self, call: &Call) -> Result<(), GraphError> {
        let words = call.words();
        self.said += words.len();
        if self.said > MOST_SAID {
            let why = "it makes more calls than a plan can tell";
            return Err(call.refused(0, "NotPlannable", why));
        }
        self.others.push(words);
        Ok(())
    }

    pub(super) fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|session| session.id.eq_ignore_ascii_case(id))
    }

    /// A planned session that may still be changed.
    fn draft(&mut self, call: &Call, id: &str) -> Result<&mut Session, GraphError> {
        let Some(session) = self.session(id) else {
            let why = format!(
                "session `{id}` was not made by this script: a plan has no answer for what becomes of it"
            );
            return Err(call.refused(0, "NotPlannable", why));
        };
        if session.activated.is_some() {
            let why = format!("session `{id}` is no draft any more");
            return Err(call.refused(403, "RestoreSessionActionNotAllowed", why));
        }
        Ok(session)
    }

    fn answer(&mut self, call: &Call) -> Option<Result<Json, GraphError>> {
        let missing = |what: &str, code: &str| {
            Err(call.refused(404, code, format!("there is no such {what}")))
        };
        let list = |value: Vec<Value>| Json::of(&json!({ "value": value }));
        let target = Target::of(call.plain_path());
        let id = match target {
            Target::Session(id) | Target::Activate(id) | Target::BulkRequests(id) => id,
            Target::Artifacts { session, .. } | Target::BulkRequest { session, .. } => session,
            Target::Sessions(_) | Target::Browsing | Target::Other => return None,
        };
        if self.gone.contains(&id.to_lowercase()) {
            return Some(missing("restore session", "RestoreSessionNotFound"));
        }
        let session = self
            .sessions
            .iter()
            .find(|session| session.id.eq_ignore_ascii_case(id));
        let Some(session) = session else {
            // A draft of ours that was deleted.
            let is_ours = Uuid::parse_str(id).is_ok_and(|id| id.as_u64_pair().0 == ID);
            return is_ours.then(|| missing("restore session", "RestoreSessionNotFound"));
        };
        Some(match target {
            Target::Artifacts { granular, .. } => {
                Ok(list(session.artifact_list(granular, &self.points)))
            }
            Target::BulkRequests(_) => Ok(list(session.bulk_json().into_iter().collect())),
            Target::BulkRequest { id, .. } => {
                match session.bulk_json().filter(|bulk| bulk["id"] == id) {
                    Some(bulk) => Ok(Json::of(&bulk)),
                    None => missing("bulk request", "BulkRestoreArtifactsNotFound"),
                }
            }
            _ => Ok(Json::of(&session.json())),
        })
    }
}

impl Session {
    /// A delta PATCH.
    fn edit(&mut self, body: &Map<String, Value>) -> Value {
        let mut answer = Map::new();
        for granular in [false, true] {
            let name = format!("{}@delta", self.workload.collection(granular));
            let Some(entries) = body.get(&name).and_then(Value::as_array) else {
                continue;
            };
            let (gone, new): (Vec<Value>, Vec<Value>) = entries
                .iter()
                .cloned()
                .partition(|entry| entry.get("@removed").is_some());
            let gone: Vec<&str> = gone
                .iter()
                .filter_map(|entry| entry["id"].as_str())
                .collect();
            self.remove(&gone);
            self.granular |= granular;
            answer.insert(name, self.add(&new).into());
        }
        if let Value::Object(session) = self.json() {
            answer.extend(session);
        }
        answer.into()
    }
}

/// The artifacts of a create body.
fn fill(session: &mut Session, body: &Map<String, Value>) {
    for granular in [false, true] {
        let list = body.get(Workload::collection(session.workload, granular));
        if let Some(list) = list.and_then(Value::as_array) {
            session.granular = granular;
            session.add(list);
        }
    }
}

fn body(call: &Call) -> Map<String, Value> {
    let body = call.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or_default()
}
