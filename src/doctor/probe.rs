//! The calls: one for each thing that a restore reads. None of them changes anything, none reads more than a page.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::backup::{ROOT, WORKLOADS, Workload};
use crate::graph::{Call, Client, GraphError, Identity, Json, SignInMethod};
use crate::instant;

/// What came of one call.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    Passed(Json),
    Failed(GraphError),
}

impl Probe {
    /// The service says that we may not: 401, 403.
    pub(super) fn denial(&self) -> Option<&GraphError> {
        match self {
            Self::Failed(error) if matches!(error.status(), Some(401 | 403)) => Some(error),
            _ => None,
        }
    }

    pub(super) fn is_token_refused(&self) -> bool {
        self.denial()
            .is_some_and(|error| error.status() == Some(401))
    }

    /// Nothing came back that the service has said.
    pub(super) fn silence(&self) -> Option<&GraphError> {
        match self {
            Self::Failed(error) if error.service_error().is_none() => Some(error),
            _ => None,
        }
    }

    pub(super) fn answer(&self) -> Option<&Json> {
        match self {
            Self::Passed(json) => Some(json),
            Self::Failed(_) => None,
        }
    }
}

async fn ask(client: &Client, call: Call) -> Probe {
    match client.read(call).await {
        Ok(answer) => Probe::Passed(answer.json()),
        Err(error) => Probe::Failed(error),
    }
}

/// The service's root: shows whether it is there, whether it takes our token, and its status.
pub(super) async fn first(client: &Client) -> Probe {
    ask(client, Call::get("get service status", ROOT)).await
}

/// Most units whose points are looked at: a search gives five points at most.
const SAMPLE: usize = 5;
/// The longest retention that can be set: nothing older exists.
const LONGEST_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 3650);

/// The protection of one workload.
#[derive(Clone, Debug)]
pub(super) struct Protection {
    pub(super) workload: &'static Workload,
    /// The first page of units.
    pub(super) units: Probe,
    /// The ids of the units that were taken out of it.
    pub(super) sample: Vec<String>,
    /// Their newest points; `None` where there is no unit to ask for.
    pub(super) points: Option<Probe>,
}

/// All that was found out in the tenant.
pub(super) struct Findings {
    pub(super) identity: Identity,
    pub(super) status: Probe,
    pub(super) apps: Probe,
    pub(super) browse: Probe,
    pub(super) users: Probe,
    pub(super) groups: Probe,
    pub(super) sites: Probe,
    pub(super) protection: Vec<Protection>,
    /// When the client secret ends, where that could be asked.
    pub(super) secret_ends: Option<Timestamp>,
}

impl Findings {
    pub(super) async fn gather(client: &Arc<Client>, identity: Identity, status: Probe) -> Self {
        let get = |operation, path: String| ask(client, Call::get(operation, path));
        let secret_ends = async {
            match identity.method {
                SignInMethod::Secret => client.secret_ends().await.ok().flatten(),
                _ => None,
            }
        };
        let protection = WORKLOADS.map(|workload| protection(client, workload));
        let (apps, browse, users, groups, sites, protection, secret_ends) = tokio::join!(
            get("list service apps", format!("{ROOT}/serviceApps")),
            get("list browse sessions", format!("{ROOT}/browseSessions")),
            get("list users", "/users?$top=1&$select=id".to_owned()),
            get("list groups", "/groups?$top=1&$select=id".to_owned()),
            get("search sites", "/sites?search=runback".to_owned()),
            futures::future::join_all(protection),
            secret_ends,
        );
        Self {
            identity,
            status,
            apps,
            browse,
            users,
            groups,
            sites,
            protection,
            secret_ends,
        }
    }
}

async fn protection(client: &Client, workload: &'static Workload) -> Protection {
    let units = ask(
        client,
        Call::get("list protection units", workload.units_path()),
    )
    .await;
    let sample = units.answer().map(sample).unwrap_or_default();
    let points = if sample.is_empty() {
        None
    } else {
        let now = client.service_now();
        // A point that the service takes while we ask is not cut off.
        let end = now
            .saturating_add(SignedDuration::from_hours(24))
            .unwrap_or(now);
        let start = now.saturating_sub(LONGEST_RETENTION).unwrap_or(now);
        let body = json!({
            "protectionUnitIds": sample,
            "protectionTimePeriod": {
                "startDateTime": instant::for_request(start),
                "endDateTime": instant::for_request(end),
            },
            "restorePointPreference": "latest",
        });
        let path = format!("{ROOT}/restorePoints/search");
        Some(
            ask(
                client,
                Call::post("search restore points", path).json(&body),
            )
            .await,
        )
    };
    Protection {
        workload,
        units,
        sample,
        points,
    }
}

/// A few protected units of a page, from all over it: its beginning may be those that were protected this morning.
fn sample(page: &Json) -> Vec<String> {
    let units = page.property("value").map(|value| value.elements());
    let ids: Vec<String> = units
        .iter()
        .flatten()
        .filter(|unit| unit.string("status").as_deref() == Some("protected"))
        .filter_map(|unit| unit.string("id"))
        .collect();
    let step = ids.len().div_ceil(SAMPLE).max(1);
    ids.into_iter().step_by(step).take(SAMPLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_taken_from_all_over_the_page() {
        let page = |count: usize| {
            let units: Vec<_> = (0..count)
                .map(|n| json!({"id": n.to_string(), "status": if n % 2 == 0 { "protected" } else { "unprotected" }}))
                .collect();
            Json::of(&json!({ "value": units }))
        };
        assert_eq!(sample(&page(0)), Vec::<String>::new());
        assert_eq!(sample(&page(3)), ["0", "2"]);
        assert_eq!(sample(&page(10)), ["0", "2", "4", "6", "8"]);
        assert_eq!(sample(&page(1000)), ["0", "200", "400", "600", "800"]);
        assert_eq!(sample(&Json::of(&json!([]))), Vec::<String>::new());
    }
}
