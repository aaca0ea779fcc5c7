//! The plan as a document: what stands in it, its hash, how it is written and read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::estimate::{self, Seconds};
use super::planned::{Model, Planned};
use crate::backup::books::Item;
use crate::changes::Terms;
use crate::error::{Exit, Fault};
use crate::graph::Json;
use crate::instant;

/// The only schema there is.
const SCHEMA: u64 = 1;

/// A whole plan. Fields may be added; none is renamed or taken away in schema 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    schema: u64,
    /// SHA-256 of all else; see [`Plan::hash`].
    #[serde(rename = "plan")]
    pub(crate) hash: String,
    #[serde(flatten)]
    pub(crate) facts: Facts,
    pub(crate) items: Vec<Row>,
    pub(crate) totals: Totals,
    /// How many requests `apply` will need.
    pub(crate) requests: u64,
    pub(crate) seconds: Seconds,
    /// The bulk requests, which name people instead of points. Only where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bulk: Vec<Bulk>,
    /// What else the script would change: calls by their path, sessions of others. Only where there is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<String>,
}

/// What has to be known of a plan to ask for its approval; of its rows nothing is kept.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) hash: String,
    /// The resolved arguments.
    pub(crate) args: Value,
    /// Nothing in it changes anything.
    pub(crate) is_empty: bool,
}

impl Glance {
    /// Reads a plan that nobody else can have written: whether its hash is right is looked at by the run of it.
    ///
    /// # Errors
    /// No plan of ours.
    pub(crate) fn read(from: impl std::io::Read) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            plan: String,
            args: Value,
            items: Vec<Place>,
            #[serde(default)]
            bulk: Vec<serde::de::IgnoredAny>,
            #[serde(default)]
            others: Vec<serde::de::IgnoredAny>,
        }
        #[derive(Deserialize)]
        struct Place {
            part: Option<usize>,
        }
        let head: Head = serde_json::from_reader(from)?;
        let is_row = head.items.iter().any(|row| row.part.is_some());
        Ok(Self {
            hash: head.plan,
            args: head.args,
            is_empty: !is_row && head.bulk.is_empty() && head.others.is_empty(),
        })
    }
}

/// Where a plan comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The path as it was given.
    pub(crate) script: String,
    pub(crate) sha256: Option<String>,
    /// The resolved arguments.
    pub(crate) args: Value,
    #[serde(serialize_with = "instant::to_millisecond")]
    pub(crate) created: Timestamp,
    /// The token's `tid`.
    pub(crate) tenant: Option<String>,
    pub(crate) api: String,
}

/// One item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) unit: Option<String>,
    pub(crate) name: String,
    pub(crate) point: Option<String>,
    #[serde(rename = "protectionDateTime")]
    pub(crate) protection_date_time: Option<String>,
    /// How old the point is when the plan is drawn up.
    pub(crate) age_seconds: Option<i64>,
    pub(crate) tags: Option<String>,
    pub(crate) destination: Option<String>,
    /// Why it is skipped.
    pub(crate) code: Option<String>,
    /// The session that restores it, from 1; `null` where it is skipped.
    pub(crate) part: Option<usize>,
    /// Of a bulk restore the address that is sent, of a granular one the key of the file or the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    /// Skipped on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) expected: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) asked: usize,
    pub(crate) planned: usize,
    pub(crate) skipped: usize,
}

/// A bulk request: what it says beside its inputs, in Graph's words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bulk {
    pub(crate) part: usize,
    /// When it was asked for, by the service's clock: a window that hangs on the hour moves on from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Timestamp>,
    /// The rest of the body.
    #[serde(flatten)]
    pub(crate) body: serde_json::Map<String, Value>,
}

impl Plan {
    /// What the books of a planned run hold, as a plan.
    pub(crate) fn draw_up(facts: Facts, items: &[Item], planned: &Planned) -> Self {
        let model = planned.model();
        let rows: Vec<Row> = items
            .iter()
            .map(|item| row(item, &model, facts.created))
            .collect();
        let chosen = rows.iter().filter(|row| row.part.is_some()).count();
        let mut plan = Self {
            schema: SCHEMA,
            hash: String::new(),
            totals: Totals {
                asked: rows.len(),
                planned: chosen,
                skipped: rows.len() - chosen,
            },
            requests: estimate::requests(&rows, &model),
            seconds: estimate::seconds(&rows),
            bulk: bulk(&model),
            others: model.others.clone(),
            items: rows,
            facts,
        };
        plan.hash = hash(plan.to_value());
        plan
    }

    /// The document, a row a line.
    pub(crate) fn text(&self) -> String {
        let Value::Object(mut fields) = self.to_value() else {
            unreachable!("a plan is an object");
        };
        let mut out = String::from("{\n");
        let order = [
            "schema", "plan", "script", "sha256", "args", "created", "tenant", "api", "items",
            "totals", "requests", "seconds", "bulk", "others",
        ];
        let mut separator = "";
        for name in order {
            let Some(value) = fields.remove(name) else {
                continue;
            };
            let _ = write!(out, "{separator}  \"{name}\": ");
            match value {
                Value::Array(_) if name == "items" => {
                    // In the order in which people read them, which a tree has not.
                    let row = |row: &Row| format!("\n    {}", Json::of(row).text());
                    let rows: Vec<String> = self.items.iter().map(row).collect();
                    let _ = write!(out, "[{}\n  ]", rows.join(","));
                }
                value => {
                    let _ = write!(out, "{value}");
                }
            }
            separator = ",\n";
        }
        out.push_str("\n}\n");
        out
    }

    /// Reads a plan and checks that it is as it was written.
    ///
    /// # Errors
    /// Exit 2: no plan, of a later schema, edited.
    pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let no_plan = |why: String| {
            let message = format!("`{name}` is no plan: {why}");
            Fault::new(Exit::Unstarted, "NotAPlan", message)
                .hint("`runback plan SCRIPT --out FILE` writes one")
        };
        // What is read is what was hashed: not the text, in which a name could stand twice.
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| no_plan(error.to_string()))?;
        let said = value.get("plan").and_then(Value::as_str);
        let Some(said) = said.map(str::to_owned) else {
            return Err(no_plan(
                "it has no `plan`, the hash of what stands in it".to_owned(),
            ));
        };
        let schema = value.get("schema").cloned().unwrap_or_default();
        if schema != SCHEMA {
            return Err(no_plan(format!(
                "its schema is {schema}, and this runback knows schema {SCHEMA}"
            )));
        }
        if hash(value.clone()) != said {
            let message = format!(
                "`{name}` was edited after it was written: what stands in it does not have its hash `{}`",
                short(&said)
            );
            return Err(Fault::new(Exit::Unstarted, "PlanEdited", message)
                .hint("nothing was done; change the script or its arguments, and plan again"));
        }
        serde_json::from_value(value).map_err(|error| no_plan(error.to_string()))
    }

    /// Enough of its hash for a person.
    pub(crate) fn short_hash(&self) -> &str {
        short(&self.hash)
    }

    fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("string keys, and nothing that fails")
    }

    /// By what the service is to choose the points of its bulk restores, by their parts.
    pub(crate) fn terms(&self) -> BTreeMap<usize, Arc<Terms>> {
        let terms = self.bulk.iter().filter_map(|bulk| {
            let period = bulk.body.get("protectionTimePeriod")?;
            let instant = |name: &str| instant::parse(period.get(name)?.as_str()?);
            let text = |name: &str| Some(bulk.body.get(name)?.as_str()?.to_owned());
            let terms = Terms {
                at: bulk.asked?,
                start: instant("startDateTime")?,
                end: instant("endDateTime")?,
                prefer: text("restorePointPreference")?,
                tags: text("tags"),
            };
            Some((bulk.part, Arc::new(terms)))
        });
        terms.collect()
    }

    /// How many sessions it makes.
    pub(crate) fn parts(&self) -> usize {
        self.items
            .iter()
            .filter_map(|row| row.part)
            .max()
            .unwrap_or(0)
    }
}

/// Of the document without `plan`, as JSON without spaces, its keys sorted, in lower case hexadecimal.
fn hash(mut value: Value) -> String {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("plan");
    }
    // Sorted because serde_json's map is a tree; a test says so too.
    Sha256::digest(value.to_string())
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Enough of a hash for a person.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn row(item: &Item, model: &Model, created: Timestamp) -> Row {
    let session = item.session.as_deref();
    let part = model
        .activated
        .iter()
        .position(|id| Some(id.as_str()) == session);
    let point = item.point.as_ref();
    let taken = point.and_then(|point| point.protection_date_time.as_deref());
    let age = taken
        .and_then(instant::parse)
        .map(|taken| created.duration_since(taken).as_secs());
    let tags = point.and_then(|point| model.points.get(&point.id)?.get("tags")?.as_str());
    Row {
        workload: item.workload.clone(),
        unit: item.unit.clone(),
        name: item.name.clone(),
        point: point.map(|point| point.id.clone()),
        protection_date_time: taken.map(str::to_owned),
        age_seconds: age,
        tags: tags.map(str::to_owned),
        destination: item.destination.clone(),
        code: item.code.clone(),
        part: part.filter(|_| item.code.is_none()).map(|at| at + 1),
        input: item.input.clone(),
        expected: item.expected,
    }
}

fn bulk(model: &Model) -> Vec<Bulk> {
    let mut all = Vec::new();
    for (at, id) in model.activated.iter().enumerate() {
        let session = model.sessions.iter().find(|session| session.id == *id);
        let Some(session) = session else { continue };
        let Some(mut body) = session.bulk.clone() else {
            continue;
        };
        // The inputs are rows; the ids are those of this plan.
        body.remove(session.workload.inputs);
        body.remove("id");
        // So is the mark behind the name, by which a run knows its requests again.
        if let Some(Value::String(name)) = body.get_mut("displayName")
            && let Some(mark) = name.rfind(" [runback ")
        {
            name.truncate(mark);
        }
        all.push(Bulk {
            part: at + 1,
            asked: session.bulk_at,
            body,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let facts = Facts {
            script: "a.rhai".to_owned(),
            sha256: None,
            args: serde_json::json!({"z": 1, "a": "ü"}),
            created: "2026-11-24T02:00:00Z".parse().unwrap(),
            tenant: None,
            api: "v1.0".to_owned(),
        };
        let item = Item {
            workload: "exchange".to_owned(),
            unit: Some("u".to_owned()),
            name: "Adele".to_owned(),
            point: None,
            session: None,
            destination: None,
            input: None,
            outcome: crate::backup::books::Outcome::Skipped,
            code: Some("NoPoint".to_owned()),
            reason: None,
            expected: false,
        };
        Plan::draw_up(facts, &[item], &Planned::new(crate::world::World::real()))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let plan = plan();
        let read = Plan::read("p", plan.text().as_bytes()).unwrap();
        assert_eq!(read.text(), plan.text());
        let glance = Glance::read(plan.text().as_bytes()).unwrap();
        assert!(glance.is_empty && glance.hash == plan.hash);
        assert_eq!(glance.args, plan.facts.args);
        assert_eq!(
            read.totals,
            Totals {
                asked: 1,
                planned: 0,
                skipped: 1
            }
        );
    }

    #[test]
    fn the_hash_does_not_mind_spaces_and_order_but_every_value() {
        let text = plan().text();
        let other =
            serde_json::to_string_pretty(&serde_json::from_str::<Value>(&text).unwrap()).unwrap();
        assert!(Plan::read("p", other.as_bytes()).is_ok());
        for (from, to) in [
            ("Adele", "Alex"),
            ("\"requests\": 0", "\"requests\": 1"),
            ("{\n", "{\"more\": 1,\n"),
        ] {
            assert!(text.contains(from), "{from}");
            let fault = Plan::read("p", text.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert_eq!(fault.code, "PlanEdited", "{from}");
        }
    }

    #[test]
    fn keys_are_sorted_before_they_are_hashed() {
        let value: Value =
            serde_json::from_str(r#"{"b":1,"plan":"x","a":{"d":2,"c":"ü"}}"#).unwrap();
        // printf '{"a":{"c":"ü","d":2},"b":1}' | sha256sum
        assert_eq!(
            hash(value),
            "08c58c0353f414b16aaa353f9d623f286ae8ff4ad4a5f83bef5cc1d78cac3716"
        );
    }

    #[test]
    fn what_is_no_plan_is_called_so() {
        for text in ["", "[]", "{}", r#"{"plan":"x","schema":2}"#] {
            assert_eq!(
                Plan::read("p", text.as_bytes()).unwrap_err().code,
                "NotAPlan",
                "{text}"
            );
        }
    }
}
