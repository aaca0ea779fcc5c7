//! Changing a draft: artifacts come and go in a delta.

use serde_json::{Map, Value, json};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, check_type, only};
use crate::sandbox::json::Object;
use crate::sandbox::session::{Job, Wanted, What};
use crate::sandbox::store::Store;
use crate::sandbox::{Sandbox, lock, refusals};

use super::artifact_input::{PATCH, check_list};
use super::delta::{Failure, removal};
use super::sessions::{NEVER_MIXED, check_service, check_size, draft, policy as policy_of, read};
use super::{artifacts, granular};

pub(super) fn update(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let mut store = lock(&sandbox.store);
    let (malformed_id, not_draft) = (refusals::SESSION_ID, refusals::PATCH_NOT_DRAFT);
    let session = draft(sandbox, &store, call, malformed_id, not_draft)?;
    let serial = session.serial;
    let malformed = |why: &str| refusals::PATCH_INVALID.because(why);
    if session.job == Job::Bulk {
        return Err(malformed(
            "a session with a bulk request takes no artifacts",
        ));
    }
    let body = call.object(&refusals::PATCH_INVALID)?;
    check_type(&body, workload.session_type, &refusals::PATCH_INVALID)?;
    let [whole, granular] =
        [workload.artifacts, workload.granular_artifacts].map(|name| format!("{name}@delta"));
    only(
        &body,
        &[&whole, &granular, "@odata.type"],
        &refusals::PATCH_INVALID,
    )?;
    let (job, delta) = match (body.contains_key(&whole), body.contains_key(&granular)) {
        (true, true) => return Err(malformed(NEVER_MIXED)),
        (false, true) => (Job::Granular, granular),
        _ => (Job::Standard, whole),
    };
    if job != session.job && !session.artifacts.is_empty() {
        return Err(malformed(NEVER_MIXED));
    }
    let items = body
        .get(&delta)
        .and_then(Value::as_array)
        .filter(|items| !items.is_empty());
    let items = items.ok_or(PATCH.empty)?;
    check_size(sandbox, items.len(), &PATCH)?;
    check_service(&store)?;
    let (removed, added): (Vec<&Value>, Vec<&Value>) = items
        .iter()
        .partition(|item| item.get("@removed").is_some());
    let removed = removed
        .into_iter()
        .map(|item| removal(item, &refusals::PATCH_INVALID))
        .collect::<Result<Vec<_>, _>>()?;
    let added = read(sandbox, &store, call, job, added, &PATCH)?;
    let gone: Vec<(String, Option<usize>)> = removed
        .into_iter()
        .map(|id| {
            let place = store.artifact_place(&sandbox.tenant, session, &id);
            (id, place)
        })
        .collect();
    let kept = session.artifacts.len() > gone.iter().filter(|(_, place)| place.is_some()).count();
    let destination = session.destination().filter(|_| kept);
    check_list(&added, destination, &session.artifacts)?;
    if let Some(policy) = session.policy {
        let policy = json!({ "policyId": policy.to_string() });
        policy_of(sandbox, policy.as_object().unwrap_or(&Map::new()), &added)?;
    }
    let change = Change {
        job,
        delta,
        added,
        gone,
    };
    Ok(apply(sandbox, &mut store, call, serial, change))
}

/// A delta that has been checked.
struct Change {
    job: Job,
    /// The property that it came in.
    delta: String,
    added: Vec<Wanted>,
    /// Ids to remove, with their places where there are such artifacts.
    gone: Vec<(String, Option<usize>)>,
}

/// Changes the draft. Removed artifacts are not echoed; what could not be removed is, as a failure inside the 200.
fn apply(sandbox: &Sandbox, store: &mut Store, call: &Call, serial: u32, change: Change) -> Answer {
    let Change {
        job,
        delta,
        added,
        gone,
    } = change;
    let mut first = usize::MAX;
    if let Some(session) = store.session_mut(serial) {
        session.modified = call.now;
        session.job = job;
        let mut places: Vec<usize> = gone.iter().filter_map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        for place in places.into_iter().rev() {
            session.artifacts.remove(place);
        }
        first = session.artifacts.len();
        for wanted in added {
            session.add(wanted);
        }
    }
    let session = store.session(serial);
    let new = session.into_iter().flat_map(|session| {
        session
            .artifacts
            .iter()
            .skip(first)
            .map(move |new| (session, new))
    });
    let mut missing: Vec<&String> = gone
        .iter()
        .filter(|(_, place)| place.is_none())
        .map(|(id, _)| id)
        .collect();
    missing.dedup();
    let items = new.map(Ok).chain(missing.into_iter().map(Err));
    Answer::object(200, |reply| {
        let context = format!(
            "solutions/backupRestore/{}/$entity",
            call.workload.map_or("", |one| one.sessions)
        );
        reply.text("@odata.context", call.context(&context));
        reply.array(&delta, items, |out, item| {
            let mut object = Object::new(out);
            match item {
                Ok((session, artifact)) if matches!(artifact.what, What::Item(_)) => {
                    granular::fill(&mut object, sandbox, store, call, session, artifact);
                }
                Ok((session, artifact)) => {
                    artifacts::fill(
                        &mut object,
                        sandbox,
                        store,
                        call,
                        (session, artifact),
                        artifacts::Detail::Reference,
                    );
                }
                Err(id) => Failure::no_such_artifact(id.clone()).fill(&mut object),
            }
            object.end();
        });
    })
}
