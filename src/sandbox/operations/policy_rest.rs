//! What else hangs on a policy, for reading only: the rule and the bulk job by which the seeded units came into the active
//! policy, and in beta who is excluded from it, and by which job. Other policies have none.

use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query, texts};
use crate::sandbox::present::Present;
use crate::sandbox::protections::Policy;
use crate::sandbox::workload::Workload;
use crate::sandbox::{Sandbox, lock, refusals};

use super::{policies, units};

/// The policy that was there from the beginning, and protects.
const SEEDED: u32 = 0;
/// So many people or sites are excluded, of those that were never protected.
const EXCLUDED: usize = 2;
/// So many inputs a job was given.
const INPUTS: usize = 3;
const PAGE: usize = 100;

/// What hangs on a policy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Rule,
    Job,
    Exclusion,
    ExclusionJob,
}

impl Sort {
    fn kind(self, workload: &Workload) -> Kind {
        match self {
            Self::Rule => Kind::Rule(workload.number),
            Self::Job => Kind::Job(workload.number),
            Self::Exclusion => Kind::Exclusion(workload.number),
            Self::ExclusionJob => Kind::ExclusionJob(workload.number),
        }
    }

    fn segment(self, workload: &Workload) -> &'static str {
        match self {
            Self::Rule => workload.rules,
            Self::Job => workload.jobs,
            Self::Exclusion => workload.exclusions,
            Self::ExclusionJob => workload.exclusion_jobs,
        }
    }

    fn type_name(self, workload: &Workload) -> String {
        match self {
            Self::Rule => format!("{}ProtectionRule", stem(workload)),
            // The type is one of them, the segment all.
            _ => self.segment(workload).trim_end_matches('s').to_owned(),
        }
    }
}

/// `mailbox`, `drive`, `site`.
fn stem(workload: &Workload) -> &'static str {
    workload.unit_type.trim_end_matches("ProtectionUnit")
}

pub(super) fn rules(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    list(sandbox, call, Sort::Rule)
}

pub(super) fn jobs(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    list(sandbox, call, Sort::Job)
}

pub(super) fn exclusions(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    list(sandbox, call, Sort::Exclusion)
}

pub(super) fn exclusion_jobs(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    list(sandbox, call, Sort::ExclusionJob)
}

pub(super) fn rule(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let (malformed, missing) = (refusals::RULE_ID, refusals::RULE_NOT_FOUND);
    one(sandbox, call, Sort::Rule, malformed, missing)
}

pub(super) fn job(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    without_code(sandbox, call, Sort::Job)
}

pub(super) fn exclusion(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    without_code(sandbox, call, Sort::Exclusion)
}

pub(super) fn exclusion_job(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    without_code(sandbox, call, Sort::ExclusionJob)
}

/// No page names a code.
fn without_code(sandbox: &Sandbox, call: &Call, sort: Sort) -> Result<Answer, Refusal> {
    let malformed = Refusal::bad_request("The ID is invalid.");
    one(sandbox, call, sort, malformed, refusals::NOT_FOUND)
}

/// What a policy has of a sort: the positions of excluded people or sites, of the others a number.
fn slots(
    sandbox: &Sandbox,
    present: &Present,
    workload: &'static Workload,
    policy: &Policy,
    sort: Sort,
) -> Vec<u32> {
    if policy.number != SEEDED {
        return Vec::new();
    }
    if sort != Sort::Exclusion {
        return vec![0];
    }
    let tenant = &sandbox.tenant;
    let known = if workload.of_people {
        tenant.users()
    } else {
        tenant.positions(workload)
    };
    let is_free = |index: &u32| present.unit(tenant, workload, *index).is_none();
    (0..known).filter(is_free).take(EXCLUDED).collect()
}

fn list(sandbox: &Sandbox, call: &Call, sort: Sort) -> Result<Answer, Refusal> {
    let query = Query::none(call)?;
    let workload = call.workload()?;
    let store = lock(&sandbox.store);
    let policy = policies::find(sandbox, &store, call)?;
    let slots = slots(sandbox, &store.present, workload, policy, sort);
    let context = context(sandbox, workload, policy, sort);
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: &context,
        count: Some(slots.len()),
    };
    Ok(list.answer((0..).zip(slots), |out, slot| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, call, policy, (sort, slot));
        object.end();
    }))
}

fn one(
    sandbox: &Sandbox,
    call: &Call,
    sort: Sort,
    malformed: Refusal,
    missing: Refusal,
) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let workload = call.workload()?;
    let store = lock(&sandbox.store);
    let policy = policies::find(sandbox, &store, call)?;
    let id = call.uuid(1, malformed)?;
    let slots = slots(sandbox, &store.present, workload, policy, sort);
    let found = slots
        .into_iter()
        .find(|slot| id_of(sandbox, policy, (sort, *slot)) == id);
    let slot =
        found.ok_or_else(|| missing.because(format!("there is nothing with the id `{id}`")))?;
    let context = format!("{}/$entity", context(sandbox, workload, policy, sort));
    Ok(Answer::object(200, |object| {
        object.text("@odata.context", call.context(&context));
        fill(object, sandbox, call, policy, (sort, slot));
    }))
}

fn context(sandbox: &Sandbox, workload: &Workload, policy: &Policy, sort: Sort) -> String {
    let (collection, id) = (workload.policies, policies::id(sandbox, policy));
    let segment = sort.segment(workload);
    format!("solutions/backupRestore/{collection}('{id}')/{segment}")
}

fn id_of(sandbox: &Sandbox, policy: &Policy, (sort, slot): (Sort, u32)) -> Uuid {
    let kind = sort.kind(policy.workload);
    sandbox
        .tenant
        .ids
        .make(kind, policy.number, u64::from(slot))
}

fn fill(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    call: &Call,
    policy: &Policy,
    (sort, slot): (Sort, u32),
) {
    let workload = policy.workload;
    let type_name = sort.type_name(workload);
    object.text("@odata.type", format!("#microsoft.graph.{type_name}"));
    object.plain("id", id_of(sandbox, policy, (sort, slot)));
    match sort {
        Sort::Rule => rule_of(object, sandbox, workload),
        Sort::Exclusion => excluded(object, sandbox, call, policy, slot),
        Sort::Job | Sort::ExclusionJob => job_of(object, sandbox, workload, sort),
    }
    let (created, by) = policy.created;
    object.object("createdBy", |set| sandbox.access.fill(set, by));
    object.time("createdDateTime", created);
    object.object("lastModifiedBy", |set| sandbox.access.fill(set, by));
    object.time("lastModifiedDateTime", created);
    units::error(object, None);
}

/// A static one: it was applied once, so its units are there by hand as far as their sources say.
fn rule_of(object: &mut Object<'_>, sandbox: &Sandbox, workload: &Workload) {
    let expression = if workload.of_people {
        let group = sandbox.tenant.group_id(0);
        format!("(memberOf -any (group.id -in ['{group}']))")
    } else {
        "displayName -contains 'Finance'".to_owned()
    };
    object.text(&format!("{}Expression", stem(workload)), expression);
    object.boolean("isAutoApplyEnabled", false);
    object.text("status", "completed");
}

/// Names and addresses of people are filled for signed-in callers only, as those of units are.
fn excluded(object: &mut Object<'_>, sandbox: &Sandbox, call: &Call, policy: &Policy, index: u32) {
    let tenant = &sandbox.tenant;
    let workload = policy.workload;
    object.plain("policyId", policies::id(sandbox, policy));
    if !workload.of_people {
        let site = tenant.site(index);
        object.text("siteId", tenant.site_id(index));
        object.text("siteName", site.name());
        object.text("siteWebUrl", site.url());
        return;
    }
    let person = tenant.person(index);
    let is_told = call.by().person.is_some();
    let told = |text: String| if is_told { text } else { String::new() };
    object.plain("directoryObjectId", person.id());
    object.text("displayName", told(person.display_name()));
    object.text("email", told(person.mail().unwrap_or_default()));
    if stem(workload) == "mailbox" {
        object.text("mailboxType", "user");
    }
}

fn job_of(object: &mut Object<'_>, sandbox: &Sandbox, workload: &'static Workload, sort: Sort) {
    let is_exclusion = sort == Sort::ExclusionJob;
    let tenant = &sandbox.tenant;
    let chosen = (0..tenant.positions(workload))
        .filter(|index| tenant.unit(workload, *index).is_none() == is_exclusion);
    let (name, inputs): (_, Vec<String>) = if workload.of_people {
        let known = chosen.filter(|index| *index < tenant.users());
        let mails = known.filter_map(|index| tenant.person(index).mail());
        let name = if is_exclusion {
            "left out"
        } else {
            "first people"
        };
        (name, mails.take(INPUTS).collect())
    } else {
        let urls = chosen.map(|index| tenant.site(index).url());
        let name = if is_exclusion {
            "left out"
        } else {
            "first sites"
        };
        (name, urls.take(INPUTS).collect())
    };
    object.text("displayName", name);
    object.text("status", "completed");
    object.array(workload.inputs, inputs, texts);
    if !is_exclusion {
        object.array(workload.input_ids, Vec::<String>::new(), texts);
    }
}
