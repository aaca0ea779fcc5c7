//! Whether restore points that were chosen some time ago are still what the service finds.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt as _;
use futures::stream;
use jiff::{SignedDuration, Timestamp};

use super::search::{Found, Prefer, Query};
use super::{BackupError, Service};
use crate::graph::{GraphError, Json};
use crate::instant;

/// On both sides of a point's instant.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// A point as it was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) unit: String,
    pub(crate) point: String,
    /// Its `protectionDateTime`, as the service sent it.
    pub(crate) taken: String,
}

/// What searching it again shows.
#[derive(Clone, Debug)]
pub(crate) enum Recheck {
    /// It is there: the point as it is now.
    Same(Json),
    /// It is gone, or another one is in its place.
    Changed(String),
    /// The service does not say.
    Unclear(String),
}

impl Service {
    /// Searches each point at its own instant and compares it by id; the answers come in order.
    ///
    /// # Errors
    /// Only what makes every answer worthless: no sign-in, no permission, no network, a stop.
    pub(crate) async fn recheck(&self, chosen: &[Chosen]) -> Result<Vec<Recheck>, BackupError> {
        let mut answers: Vec<Option<Recheck>> = vec![None; chosen.len()];
        // Equal instants share requests.
        let mut instants: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
        for (at, chosen) in chosen.iter().enumerate() {
            if let Some(taken) = instant::parse(&chosen.taken) {
                instants.entry(taken).or_default().push(at);
            } else {
                let why = format!("`{}` is no instant to search at", chosen.taken);
                answers[at] = Some(Recheck::Unclear(why));
            }
        }
        let bar = self.talk.bar(
            "searching the planned restore points again",
            Some(chosen.len() as u64),
        );
        let bar = &*bar;
        let searches: Vec<_> = instants
            .into_iter()
            .map(|(taken, places)| async move {
                let mut units: Vec<String> =
                    places.iter().map(|&at| chosen[at].unit.clone()).collect();
                units.sort_unstable();
                units.dedup();
                let found = self.found_at(units, taken).await;
                bar.add(places.len() as u64);
                found.map(|found| (places, found))
            })
            .collect();
        let mut searches = stream::iter(searches).buffer_unordered(self.in_flight);
        while let Some(searched) = searches.next().await {
            let (places, found) = searched?;
            for at in places {
                answers[at] = found
                    .get(&chosen[at].unit)
                    .map(|found| judge(&chosen[at], found));
            }
        }
        let unanswered = || Recheck::Unclear("the service said nothing of it".to_owned());
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(unanswered))
            .collect())
    }

    /// What the service finds of each unit at an instant, or why it does not say.
    async fn found_at(
        &self,
        units: Vec<String>,
        taken: Timestamp,
    ) -> Result<HashMap<String, Result<Found, String>>, BackupError> {
        let query = Query {
            after: taken.checked_sub(TOLERANCE).ok(),
            before: taken.saturating_add(TOLERANCE).unwrap_or(Timestamp::MAX),
            prefer: Prefer::Latest,
            tags: None,
            version: None,
        };
        match self.search(units.clone(), &query, &|_| ()).await {
            Ok(found) => {
                return Ok(found
                    .into_iter()
                    .map(|(unit, found)| (unit, Ok(found)))
                    .collect());
            }
            Err(error) if is_fatal(&error) => return Err(error),
            Err(error) if units.len() == 1 => {
                let why = error.to_string();
                return Ok(units
                    .into_iter()
                    .map(|unit| (unit, Err(why.clone())))
                    .collect());
            }
            Err(_) => {}
        }
        // One of them spoils it for the others.
        let mut all = HashMap::new();
        for unit in units {
            let found = match self.search(vec![unit.clone()], &query, &|_| ()).await {
                Ok(mut found) => found
                    .remove(&unit)
                    .ok_or_else(|| "the service said nothing of it".to_owned()),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => Err(error.to_string()),
            };
            all.insert(unit, found);
        }
        Ok(all)
    }
}

fn judge(chosen: &Chosen, found: &Result<Found, String>) -> Recheck {
    match found {
        Ok(Found::Point(point)) if point.string("id").as_deref() == Some(&*chosen.point) => {
            Recheck::Same(point.detached())
        }
        Ok(Found::Point(_)) => Recheck::Changed(format!(
            "another restore point is in the place of that of {}",
            chosen.taken
        )),
        Ok(Found::Nothing) => {
            Recheck::Changed(format!("its restore point of {} is gone", chosen.taken))
        }
        Ok(Found::Refused { message, .. }) => Recheck::Changed(format!(
            "the service does not know its unit any more: {message}"
        )),
        Ok(Found::Unanswered { tries }) => Recheck::Unclear(format!(
            "the service said nothing of it, asked {tries} times"
        )),
        Err(why) => Recheck::Unclear(why.clone()),
    }
}

/// No point could be told from any other by going on.
fn is_fatal(error: &BackupError) -> bool {
    match error.graph() {
        Some(
            GraphError::SignIn { .. }
            | GraphError::Setup { .. }
            | GraphError::Stopped { .. }
            | GraphError::Unreachable { .. },
        ) => true,
        Some(error) => matches!(error.status(), Some(401 | 403)),
        None => matches!(error, BackupError::Change(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_compared_by_its_id() {
        let chosen = Chosen {
            unit: "u".to_owned(),
            point: "p".to_owned(),
            taken: "2026-11-20T03:00:00Z".to_owned(),
        };
        let point = |id: &str| Ok(Found::Point(Json::of(&serde_json::json!({ "id": id }))));
        let refused = Found::Refused {
            code: "InvalidProtectionUnitId".to_owned(),
            message: "no".to_owned(),
        };
        let word = |found: Result<Found, String>| match judge(&chosen, &found) {
            Recheck::Same(_) => "same",
            Recheck::Changed(_) => "changed",
            Recheck::Unclear(_) => "unclear",
        };
        assert_eq!(word(point("p")), "same");
        assert_eq!(word(point("P")), "changed");
        assert_eq!(word(Ok(Found::Nothing)), "changed");
        assert_eq!(word(Ok(refused)), "changed");
        assert_eq!(word(Err("503".to_owned())), "unclear");
        assert_eq!(word(Ok(Found::Unanswered { tries: 4 })), "unclear");
    }
}
