//! Single messages: a search inside the restore points of one mailbox. Single files are found by [`super::browse`].

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::point::taken_at;
use super::search::{LONGEST_RETENTION, Prefer};
use super::workload::ROOT;
use super::{BackupError, Service};
use crate::graph::{Call, Json, Version};
use crate::instant;

/// How often a search is sent again whose answer says nothing of the mailbox.
const TRIES: u32 = 4;

/// What is searched for.
#[derive(Clone, Debug)]
pub(crate) struct ItemQuery {
    /// Keyword form: `(subject -contains 'budget') -and hasAttachment -eq true`.
    pub(crate) expression: Option<String>,
    /// The same as properties; beta only.
    pub(crate) structured: Option<serde_json::Value>,
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
    pub(crate) prefer: Prefer,
    pub(crate) version: Option<Version>,
}

impl ItemQuery {
    /// The query as the books know it: the same again is the same item.
    pub(crate) fn words(&self) -> String {
        let structured = || self.structured.as_ref().map(ToString::to_string);
        self.expression
            .clone()
            .or_else(structured)
            .unwrap_or_default()
    }
}

/// A restore point in which a search has found messages.
#[derive(Clone, Debug)]
pub(crate) struct Hits {
    /// `restorePoint` and `artifactHitCount`, as the service sent them.
    pub(crate) json: Json,
    /// What a granular session names the search by.
    pub(crate) search: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    search_response_id: Option<String>,
    #[serde(borrow, default)]
    search_results: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    no_result_protection_unit_ids: Option<Vec<String>>,
}

impl Service {
    /// The points of one mailbox in which the query finds something, the preferred one first.
    ///
    /// # Errors
    /// [`BackupError::OnlyInBeta`] before anything is sent; what the service says. `None` where it says nothing of the mailbox.
    pub(crate) async fn search_items(
        &self,
        unit: &str,
        query: &ItemQuery,
    ) -> Result<Option<Vec<Hits>>, BackupError> {
        if query.structured.is_some() && !self.is_beta(query.version) {
            let what = "a query made of properties".to_owned();
            return Err(BackupError::OnlyInBeta { what });
        }
        self.judge_search(&super::EXCHANGE, unit).await?;
        let end = query.before.unwrap_or_else(|| self.client.service_now());
        let start = query
            .after
            .unwrap_or_else(|| end.checked_sub(LONGEST_RETENTION).unwrap_or(Timestamp::MIN));
        // The window counts its end in; "before" does not.
        let end = match query.before {
            Some(before) => before - SignedDuration::from_millis(1),
            None => end,
        };
        let mut artifacts = json!({"artifactType": "message"});
        if let Some(expression) = &query.expression {
            artifacts["queryExpression"] = expression.as_str().into();
        }
        if let Some(structured) = &query.structured {
            artifacts["structuredQueryExpression"] = structured.clone();
        }
        let body = json!({
            "protectionUnitIds": [unit],
            "protectionTimePeriod": {
                "startDateTime": instant::for_request(start),
                "endDateTime": instant::for_request(end),
            },
            "restorePointPreference": query.prefer,
            "artifactQuery": artifacts,
        });
        for _ in 0..TRIES {
            let call = Call::post("search items", format!("{ROOT}/restorePoints/search"))
                .json(&body)
                .version(query.version);
            let answer = self.client.read(call).await?.json();
            if let Some(hits) = read(&answer, unit, query) {
                return Ok(Some(hits));
            }
        }
        Ok(None)
    }

    /// Whether a call with this wish goes to beta.
    pub(crate) fn is_beta(&self, version: Option<Version>) -> bool {
        version.unwrap_or(self.client.version()) == Version::Beta
    }
}

/// The points with hits; `None` where the answer says nothing of the mailbox.
fn read(answer: &Json, unit: &str, query: &ItemQuery) -> Option<Vec<Hits>> {
    let response: Response<'_> = serde_json::from_str(answer.text()).ok()?;
    let results = response.search_results.unwrap_or_default();
    let named = response.no_result_protection_unit_ids.unwrap_or_default();
    if results.is_empty() && !named.iter().any(|id| id == unit) {
        return None;
    }
    let search = response.search_response_id?;
    let mut hits: Vec<(Option<Timestamp>, Hits)> = Vec::new();
    for result in results {
        let json = answer.part(result);
        let Some(point) = json.property("restorePoint") else {
            continue;
        };
        let count = json.property("artifactHitCount");
        let found = count.is_none_or(|count| count.is_null() || count.text() != "0");
        let taken = taken_at(&point);
        let late = query.before.is_some_and(|before| taken >= Some(before));
        if found && !late {
            let (search, json) = (search.clone(), json.detached());
            hits.push((taken, Hits { json, search }));
        }
    }
    hits.sort_by(|(a, _), (b, _)| match query.prefer {
        Prefer::Latest => b.cmp(a),
        Prefer::Oldest => a.cmp(b),
    });
    Some(hits.into_iter().map(|(_, hits)| hits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(prefer: Prefer) -> ItemQuery {
        ItemQuery {
            expression: Some("subject -contains 'a'".to_owned()),
            structured: None,
            after: None,
            before: "2026-11-20T00:00:00Z".parse().ok(),
            prefer,
            version: None,
        }
    }

    fn found(text: &'static str, prefer: Prefer) -> Option<Vec<String>> {
        let answer = Json::new(text.into()).unwrap();
        let hits = read(&answer, "u", &query(prefer))?;
        let ids = hits.iter().map(|hits| {
            let point = hits.json.property("restorePoint").unwrap();
            point.string("id").unwrap()
        });
        Some(ids.collect())
    }

    #[test]
    fn points_without_hits_and_late_ones_are_left_out_and_the_preferred_comes_first() {
        let answer = r#"{"searchResponseId":"s","searchResults":[
            {"artifactHitCount":3,"restorePoint":{"id":"b","protectionDateTime":"2026-11-18T00:00:00Z"}},
            {"artifactHitCount":0,"restorePoint":{"id":"c","protectionDateTime":"2026-11-18T12:00:00Z"}},
            {"artifactHitCount":9,"restorePoint":{"id":"d","protectionDateTime":"2026-11-20T00:00:00Z"}},
            {"restorePoint":{"id":"a","protectionDateTime":"2026-11-19T00:00:00Z"}}]}"#;
        assert_eq!(found(answer, Prefer::Latest).unwrap(), ["a", "b"]);
        assert_eq!(found(answer, Prefer::Oldest).unwrap(), ["b", "a"]);
    }

    #[test]
    fn silence_is_no_answer() {
        assert_eq!(
            found(
                r#"{"searchResponseId":"s","searchResults":[]}"#,
                Prefer::Latest
            ),
            None
        );
        let nothing = r#"{"searchResponseId":"s","noResultProtectionUnitIds":["u"]}"#;
        assert_eq!(found(nothing, Prefer::Latest), Some(Vec::new()));
    }
}
