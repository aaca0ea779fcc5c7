//! What somebody has approved of: a plan's items and calls, and whether a run keeps to them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Class, Covered};
use crate::error::{Exit, Fault};

/// An item of a plan, or of a run that has to keep to one.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// As [`aim`] makes it.
    pub(crate) item: String,
    /// Of the input of a bulk restore.
    pub(crate) terms: Option<Arc<Terms>>,
}

/// By what the service chooses the points of a bulk restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// When this was said, by the service's clock.
    pub(crate) at: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) prefer: String,
    pub(crate) tags: Option<String>,
}

impl Terms {
    /// Whether a run may say these where a plan has said `planned`. A window that ends with the moment ends with another one by
    /// then; every other one is as it was approved.
    fn follow(&self, planned: &Self) -> bool {
        let length = |terms: &Self| terms.end.duration_since(terms.start);
        let has_moved_on = planned.ends_now() && self.ends_now();
        let is_window = (self.start, self.end) == (planned.start, planned.end)
            || has_moved_on && (self.start == planned.start || length(self) == length(planned));
        is_window && self.prefer == planned.prefer && self.tags == planned.tags
    }

    /// Whether it has no end but the moment at which it was said.
    fn ends_now(&self) -> bool {
        (SignedDuration::ZERO..=SLACK).contains(&self.at.duration_since(self.end))
    }
}

/// Between the line that takes the hour and the one that says it.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// An item as it is the same in a plan and in the run of that plan.
///
/// The input of a bulk restore is all there is to know of it: its unit and its point are the service's choice.
pub(crate) fn aim(
    workload: &str,
    unit: Option<&str>,
    point: Option<&str>,
    destination: Option<&str>,
    input: Option<&str>,
) -> String {
    let unit = unit.filter(|_| input.is_none() || point.is_some());
    let destination = destination.map(str::to_lowercase);
    let input = input.map(|input| input.trim_end_matches('/').to_lowercase());
    serde_json::json!([workload, unit, point, destination, input]).to_string()
}

/// What somebody has approved of: the items of a plan, and the calls beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approved {
    /// As [`aim`] makes them, with the terms of each bulk restore that it is in.
    pub(crate) items: HashMap<String, Vec<Arc<Terms>>>,
    /// As [`crate::graph::Call::words`] makes them, in the order in which they were planned.
    pub(crate) calls: Vec<String>,
    /// The plan's hash, or enough of it.
    pub(crate) plan: String,
}

impl Aim {
    fn words(&self) -> String {
        let Some(terms) = &self.terms else {
            return self.item.clone();
        };
        let tags = terms.tags.as_deref().unwrap_or("any");
        format!(
            "{}, {} point from {} to {}, tags {tags}",
            self.item, terms.prefer, terms.start, terms.end
        )
    }
}

impl Approved {
    /// Whether a call is planned, and not before what was sent to its path already: of two changes of one thing the later one
    /// counts, so each is let through once and in its order.
    pub(super) fn is_next(&self, call: &str, spent: &mut HashMap<String, usize>) -> bool {
        let path: String = call.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let next = spent.entry(path).or_default();
        let mut rest = self.calls.iter().enumerate().skip(*next);
        let found = rest.find(|(_, planned)| *planned == call);
        if let Some((at, _)) = found {
            *next = at + 1;
        }
        found.is_some()
    }

    fn holds(&self, aim: &Aim) -> bool {
        let Some(planned) = self.items.get(&aim.item) else {
            return false;
        };
        match &aim.terms {
            None => planned.is_empty(),
            Some(terms) => planned.iter().any(|planned| terms.follow(planned)),
        }
    }

    /// # Errors
    /// Exit 5, `PlanChanged`: something in it is not in the plan.
    pub(super) fn cover(
        &self,
        class: Class,
        covered: &Covered,
        call: Option<&str>,
        spent: &mut HashMap<String, usize>,
    ) -> Result<(), Fault> {
        let beyond = covered.aims.iter().find(|aim| !self.holds(aim));
        let is_in_plan = match class {
            Class::Draft => true,
            // Without items nothing says that it is in the plan.
            Class::Activate => !covered.aims.is_empty() && beyond.is_none(),
            Class::Delete if covered.is_own_draft => true,
            Class::Delete | Class::Unlisted => call.is_some_and(|call| self.is_next(call, spent)),
        };
        if is_in_plan {
            return Ok(());
        }
        let message = format!(
            "not what was approved: {} is more than plan `{}` says",
            covered.question, self.plan
        );
        let fault = Fault::new(Exit::Denied, "PlanChanged", message);
        let fault = match beyond {
            Some(aim) => fault.context(format!("not in the plan: {}", aim.words())),
            None => match call {
                Some(call) => fault.context(format!(
                    "not in the plan, or not so often, or not so late: {call}"
                )),
                None => fault,
            },
        };
        let fault =
            fault.hint("nothing of it was sent; plan again, and have the new plan approved");
        Err(match beyond.and_then(|aim| aim.terms.as_ref()) {
            Some(_) => fault.hint(
                "a window that hangs on the hour is best an argument (`//! @param before datetime = \"-36h\" …`): it is approved with its value",
            ),
            None => fault,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{Consent, Manner};
    use crate::talk::testing::Scripted;

    #[test]
    fn a_plan_covers_its_own_items_and_calls_and_drafts_of_the_run() {
        let item = |point| aim("exchange", Some("u"), Some(point), Some("inPlace"), None);
        let approved = Approved {
            items: [(item("p"), Vec::new()), (item("q"), Vec::new())].into(),
            calls: ["DELETE /users/1", "PATCH /x a", "PATCH /x b"]
                .map(str::to_owned)
                .into(),
            plan: "abc".to_owned(),
        };
        let consent =
            Consent::new(false, Arc::new(Scripted::new([]))).by(Manner::Plan(Arc::new(approved)));
        let asked = |class, call: &str, aims: &[String], is_own_draft| {
            let aims = aims.iter().map(|item| Aim {
                item: item.clone(),
                terms: None,
            });
            let covered = Covered {
                question: call.to_owned(),
                keys: vec!["k".to_owned()],
                aims: aims.collect(),
                is_own_draft,
            };
            let answer = consent.require(class, &covered, Some(call));
            answer.map(|_| ()).map_err(|fault| fault.code)
        };
        let changed = Err("PlanChanged".to_owned());
        let both = [item("p"), item("q")];
        assert_eq!(asked(Class::Activate, "", &both, false), Ok(()));
        assert_eq!(asked(Class::Activate, "", &both[..1], false), Ok(()));
        // Asked for before, and still nothing but what is in the plan.
        let more = [item("p"), item("r")];
        assert_eq!(asked(Class::Activate, "", &more, false), changed);
        assert_eq!(asked(Class::Activate, "", &[], false), changed);
        let elsewhere = aim("exchange", Some("u"), Some("p"), Some("new"), None);
        assert_eq!(asked(Class::Activate, "", &[elsewhere], false), changed);
        assert_eq!(asked(Class::Delete, "DELETE /users/1", &[], false), Ok(()));
        // Of two changes of one thing the later one counts.
        assert_eq!(asked(Class::Unlisted, "PATCH /x b", &[], false), Ok(()));
        assert_eq!(asked(Class::Unlisted, "PATCH /x a", &[], false), changed);
        // It was planned once.
        assert_eq!(asked(Class::Delete, "DELETE /users/1", &[], false), changed);
        assert_eq!(asked(Class::Delete, "DELETE /users/2", &[], false), changed);
        assert_eq!(
            asked(Class::Unlisted, "PATCH /users/1", &[], false),
            changed
        );
        assert_eq!(asked(Class::Delete, "delete draft x", &[], true), Ok(()));
        assert_eq!(asked(Class::Draft, "", &[], false), Ok(()));
    }

    #[test]
    fn a_bulk_restore_keeps_to_the_terms_of_its_plan() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let planned = Terms {
            at: at("2026-11-29T02:00:00Z"),
            start: at("2026-11-01T00:00:00Z"),
            end: at("2026-11-29T02:00:00Z"),
            prefer: "latest".to_owned(),
            tags: None,
        };
        let run = Terms {
            at: at("2026-11-29T05:00:00Z"),
            ..planned.clone()
        };
        let noon = |end: &str| Terms {
            start: at("2026-11-01T00:00:00Z"),
            end: at(end),
            ..planned.clone()
        };
        let rows = [
            // As it was, three hours later; and with its end moved along.
            (planned.clone(), run.clone(), true),
            (
                planned.clone(),
                Terms {
                    end: at("2026-11-29T05:00:00Z"),
                    ..run.clone()
                },
                true,
            ),
            (
                planned.clone(),
                Terms {
                    end: at("2026-11-29T04:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    start: at("2026-10-01T00:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    prefer: "oldest".to_owned(),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    tags: Some("fastRestore".to_owned()),
                    ..run.clone()
                },
                false,
            ),
            // An end that was chosen stays: what lies behind it may be what one wants to get rid of.
            (
                noon("2026-11-20T12:00:00Z"),
                noon("2026-11-20T12:00:00Z"),
                true,
            ),
            (
                noon("2026-11-20T12:00:00Z"),
                noon("2026-11-20T12:00:01Z"),
                false,
            ),
            (
                noon("2026-11-20T12:00:00Z"),
                Terms {
                    end: at("2026-11-29T05:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
        ];
        let item = aim("exchange", None, None, Some("new"), Some("a@x"));
        let mut approved = Approved::default();
        for (planned, terms, may) in rows {
            approved.items = [(item.clone(), vec![Arc::new(planned)])].into();
            let words = format!("{terms:?}");
            let aim = Aim {
                item: item.clone(),
                terms: Some(Arc::new(terms)),
            };
            assert_eq!(approved.holds(&aim), may, "{words}");
        }
        // A request of which nobody knows the terms.
        assert!(!approved.holds(&Aim { item, terms: None }));
    }

    #[test]
    fn an_item_is_the_same_in_a_plan_and_in_its_run() {
        let bulk = |unit, input| aim("exchange", unit, None, Some("new"), Some(input));
        assert_eq!(bulk(Some("u"), "A@x"), bulk(None, "a@X"));
        assert_ne!(bulk(None, "a@x"), bulk(None, "b@x"));
        let point = |unit, to| aim("exchange", unit, Some("p"), Some(to), None);
        assert_eq!(point(Some("u"), "inPlace"), point(Some("u"), "inplace"));
        assert_ne!(point(Some("u"), "new"), point(Some("v"), "new"));
        let file = |key| aim("onedrive", Some("u"), Some("p"), None, Some(key));
        assert_ne!(file("1"), file("2"));
    }
}
