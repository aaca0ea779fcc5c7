//! The mass search for restore points, and its trap.
//!
//! At most 20 units go in, at most five points come out, unpaged. A unit that is neither among the results nor among those
//! without one was not answered: it is asked again, in a smaller group. Nobody is called "without a point" unless the
//! service listed them there.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::point::{taken_at, unit_of};
use super::workload::ROOT;
use super::{BackupError, Service};
use crate::graph::{Call, GraphError, Json, Version};
use crate::instant;

/// Most units of one search. Source: "Search restore points", request body.
const MOST_UNITS: usize = 20;
/// Most points of one answer, whatever the number of units. Source: the same page.
const MOST_POINTS: usize = 5;
/// How often one unit alone is asked for before we say that the service does not answer.
const TRIES_ALONE: u32 = 4;
/// The longest retention that can be set: nothing older exists.
pub(super) const LONGEST_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 3650);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Prefer {
    #[default]
    Latest,
    Oldest,
}

impl Prefer {
    /// As the service writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Oldest => "oldest",
        }
    }
}

/// Which point of each unit is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    /// Inclusive.
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Timestamp,
    pub(crate) prefer: Prefer,
    pub(crate) tags: Option<String>,
    pub(crate) version: Option<Version>,
}

/// What the service said of one unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Found {
    Point(Json),
    /// The service listed the unit among those without a point.
    Nothing,
    /// The service does not take this unit; its code and words.
    Refused {
        code: String,
        message: String,
    },
    /// The service listed the unit neither with a point nor among those without one, however often it was asked.
    Unanswered {
        tries: u32,
    },
}

/// How many units a search may hold so that all of them are answered: 20, until the service turns out to answer fewer.
pub(crate) struct GroupSize {
    size: AtomicUsize,
    seen: AtomicBool,
}

impl Default for GroupSize {
    fn default() -> Self {
        Self {
            size: AtomicUsize::new(MOST_UNITS),
            seen: AtomicBool::new(false),
        }
    }
}

impl GroupSize {
    fn get(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Nobody has yet seen a large group answered, fully or not.
    fn is_a_guess(&self) -> bool {
        !self.seen.load(Ordering::Relaxed)
    }

    /// A group of `asked` units was answered fully.
    fn keep(&self, asked: usize) {
        if asked > MOST_POINTS {
            self.seen.store(true, Ordering::Relaxed);
        }
    }

    /// A group of `asked` units was not answered fully: 20 → 5 → 1.
    fn shrink_below(&self, asked: usize) {
        let next = if asked > MOST_POINTS { MOST_POINTS } else { 1 };
        self.size.fetch_min(next, Ordering::Relaxed);
        self.seen.store(true, Ordering::Relaxed);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    protection_unit_ids: &'a [String],
    protection_time_period: Period,
    restore_point_preference: Prefer,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    start_date_time: String,
    end_date_time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(borrow, default)]
    search_results: Option<Vec<Hit<'a>>>,
    #[serde(default)]
    no_result_protection_unit_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hit<'a> {
    #[serde(borrow, default)]
    restore_point: Option<&'a RawValue>,
}

/// What one group's answer holds.
struct GroupAnswer {
    found: Vec<(String, Found)>,
    /// The points of these lie at the end of the window or beyond it, which is too late.
    too_late: Vec<String>,
}

/// One group on its way.
struct Group {
    units: Vec<String>,
    /// The window ends a millisecond earlier: the service counted its end in.
    earlier: bool,
}

/// A search under way: who is still to be asked, and what has been answered.
struct Hunt {
    answers: HashMap<String, Found>,
    waiting: VecDeque<String>,
    retries: VecDeque<Group>,
    /// How often a unit was asked for alone and not answered.
    alone: HashMap<String, u32>,
}

impl Hunt {
    fn new(units: Vec<String>) -> Self {
        Self {
            answers: HashMap::with_capacity(units.len()),
            waiting: units.into(),
            retries: VecDeque::new(),
            alone: HashMap::new(),
        }
    }

    fn next_group(&mut self, size: usize) -> Option<Group> {
        if let Some(group) = self.retries.pop_front() {
            return Some(group);
        }
        let size = size.min(self.waiting.len());
        (size > 0).then(|| Group {
            units: self.waiting.drain(..size).collect(),
            earlier: false,
        })
    }

    /// Enters an answer and queues who was not answered. Gives those whom only a list can answer.
    fn take(&mut self, group: &Group, answer: GroupAnswer, size: &GroupSize) -> Vec<String> {
        let asked = group.units.len();
        let mut open: HashSet<&String> = group.units.iter().collect();
        for (unit, found) in answer.found {
            open.remove(&unit);
            self.answers.insert(unit, found);
        }
        for unit in &answer.too_late {
            open.remove(unit);
        }
        if open.is_empty() {
            size.keep(asked);
        } else {
            size.shrink_below(asked);
        }
        for unit in open {
            if asked == 1 {
                let tries = self.alone.entry(unit.clone()).or_default();
                *tries += 1;
                if *tries >= TRIES_ALONE {
                    let silence = Found::Unanswered { tries: *tries };
                    self.answers.insert(unit.clone(), silence);
                    continue;
                }
            }
            if group.earlier {
                let units = vec![unit.clone()];
                self.retries.push_back(Group {
                    units,
                    earlier: true,
                });
            } else {
                self.waiting.push_back(unit.clone());
            }
        }
        if group.earlier {
            return answer.too_late;
        }
        for units in answer.too_late.chunks(MOST_POINTS) {
            let units = units.to_vec();
            self.retries.push_back(Group {
                units,
                earlier: true,
            });
        }
        Vec::new()
    }

    /// One unit of the group is not to the service's liking: halve until it stands alone.
    fn halve(&mut self, group: Group, error: &GraphError) {
        let mut units = group.units;
        if units.len() > 1 {
            let second = units.split_off(units.len() / 2);
            let halves = [units, second].map(|units| Group {
                units,
                earlier: group.earlier,
            });
            self.retries.extend(halves);
            return;
        }
        let (code, message) = (error.code().to_owned(), error.to_string());
        let refused = units.into_iter().map(|unit| {
            let (code, message) = (code.clone(), message.clone());
            (unit, Found::Refused { code, message })
        });
        self.answers.extend(refused);
    }
}

impl Service {
    /// Searches a point for each of these units. Every unit is in the answer, also one of which the service says nothing.
    ///
    /// # Errors
    /// What Graph refused; [`BackupError::Unanswered`] where an answer is none to a search.
    pub(crate) async fn search(
        &self,
        units: Vec<String>,
        query: &Query,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<HashMap<String, Found>, BackupError> {
        let (recalled, units) = self.recall_search(units, query);
        done(recalled.len());
        let mut hunt = Hunt::new(units);
        hunt.answers = recalled;
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.in_flight {
                // A probe: while it is not known whether 20 are answered, one group goes alone and the rest waits for
                // what it shows. Otherwise 32 groups of 20 would each bring five points where five would do.
                let probing = self.group_size.is_a_guess() && hunt.waiting.len() > MOST_POINTS;
                if probing && !running.is_empty() {
                    break;
                }
                let Some(group) = hunt.next_group(self.group_size.get()) else {
                    break;
                };
                running.push(self.search_group(group, query));
            }
            let Some((group, outcome)) = running.next().await else {
                break;
            };
            let known = hunt.answers.len();
            let asked = group.units.clone();
            match outcome {
                Ok(answer) => {
                    for unit in hunt.take(&group, answer, &self.group_size) {
                        // The service does not keep to its window: a list with `lt` is the other way to ask.
                        let found = self.newest_listed(&unit, query).await?;
                        hunt.answers.insert(unit, found);
                    }
                }
                Err(BackupError::Graph(error)) if error.is("InvalidProtectionUnitId") => {
                    hunt.halve(group, &error);
                }
                Err(error) => return Err(error),
            }
            self.keep_search(&asked, query, &hunt.answers);
            done(hunt.answers.len() - known);
        }
        Ok(hunt.answers)
    }

    async fn search_group(
        &self,
        group: Group,
        query: &Query,
    ) -> (Group, Result<GroupAnswer, BackupError>) {
        let answer = self.ask_group(&group, query).await;
        (group, answer)
    }

    async fn ask_group(&self, group: &Group, query: &Query) -> Result<GroupAnswer, BackupError> {
        let end = if group.earlier {
            query.before - SignedDuration::from_millis(1)
        } else {
            query.before
        };
        let start = query
            .after
            .unwrap_or_else(|| end.checked_sub(LONGEST_RETENTION).unwrap_or(Timestamp::MIN));
        let body = Body {
            protection_unit_ids: &group.units,
            protection_time_period: Period {
                start_date_time: instant::for_request(start),
                end_date_time: instant::for_request(end),
            },
            restore_point_preference: query.prefer,
            tags: query.tags.as_deref(),
        };
        let call = Call::post(
            "search restore points",
            format!("{ROOT}/restorePoints/search"),
        )
        .json(&body)
        .version(query.version);
        let json = self.client.read(call).await?.json();
        let response: Response<'_> =
            serde_json::from_str(json.text()).map_err(|error| BackupError::Unanswered {
                units: format!("{} units ({error})", group.units.len()),
                tries: 1,
            })?;

        let asked: HashSet<&str> = group.units.iter().map(String::as_str).collect();
        let mut best: HashMap<String, (Option<Timestamp>, Json)> = HashMap::new();
        for hit in response.search_results.unwrap_or_default() {
            let Some(point) = hit.restore_point.map(|raw| json.part(raw)) else {
                continue;
            };
            let Some(unit) = unit_of(&point).filter(|unit| asked.contains(unit.as_str())) else {
                continue;
            };
            let taken = taken_at(&point);
            let better = best.get(&unit).is_none_or(|(known, _)| match query.prefer {
                Prefer::Latest => taken > *known,
                Prefer::Oldest => taken < *known,
            });
            if better {
                best.insert(unit, (taken, point));
            }
        }
        let mut answer = GroupAnswer {
            found: Vec::new(),
            too_late: Vec::new(),
        };
        for unit in response.no_result_protection_unit_ids.unwrap_or_default() {
            if asked.contains(unit.as_str()) && !best.contains_key(&unit) {
                answer.found.push((unit, Found::Nothing));
            }
        }
        for (unit, (taken, point)) in best {
            if taken.is_some_and(|taken| taken >= query.before) {
                answer.too_late.push(unit);
            } else {
                answer.found.push((unit, Found::Point(point)));
            }
        }
        Ok(answer)
    }

    /// The newest point before the window's end, by listing.
    async fn newest_listed(&self, unit: &str, query: &Query) -> Result<Found, BackupError> {
        let filter = super::point::PointFilter {
            after: query.after,
            before: Some(query.before),
            tags: query.tags.clone(),
            version: query.version,
        };
        let mut points = self.me().points(unit, filter);
        let mut last = Found::Nothing;
        while let Some(point) = points.next().await {
            last = Found::Point(point?);
            if query.prefer == Prefer::Latest {
                break;
            }
        }
        Ok(last)
    }
}
