//! Changes of which nobody knows whether they have happened, and what a person must look at.

use jiff::Timestamp;

use crate::journal::{ChangeRow, Intent, State};

/// A change whose outcome is not known.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) items: u32,
    pub(crate) place: Option<String>,
    /// When it was about to be sent, by the service's clock and by ours.
    pub(crate) at: Timestamp,
    pub(crate) clock: Timestamp,
    pub(crate) request_id: Option<String>,
    /// Why it is not known.
    pub(crate) why: String,
    /// What a person must look at.
    pub(crate) look: String,
}

/// `is_running`: what has no outcome yet is on its way, and in no doubt.
pub(super) fn doubts(changes: &[ChangeRow], is_running: bool) -> Vec<Doubt> {
    // Before a change is sent once more, what became of the earlier try is written down: each row speaks for itself.
    changes
        .iter()
        .filter_map(|change| {
            let intent = &change.intent;
            let (why, request_id) = match &change.outcome {
                None if is_running => return None,
                None => (
                    "the run was cut off while it was on its way".to_owned(),
                    None,
                ),
                Some(outcome) if outcome.state == State::Unknown => {
                    let error = outcome.error.clone().unwrap_or_default();
                    let told: Option<serde_json::Value> = serde_json::from_str(&error).ok();
                    let told = told.and_then(|told| Some(told["message"].as_str()?.to_owned()));
                    (told.unwrap_or(error), outcome.request_id.clone())
                }
                Some(_) => return None,
            };
            Some(Doubt {
                look: look(intent),
                operation: intent.operation.clone(),
                method: intent.method.clone(),
                path: intent.path.clone(),
                items: intent.items,
                place: intent.place.clone(),
                at: intent.at,
                clock: intent.clock,
                request_id,
                why,
            })
        })
        .collect()
}

impl Doubt {
    /// Whether it would have activated this session.
    pub(super) fn activates(&self, session: &str) -> bool {
        self.path.ends_with("/activate") && session_in(&self.path) == Some(session)
    }
}

/// The session in `…/restoreSessions/ID` and `…/exchangeRestoreSessions/ID/activate`.
pub(super) fn session_in(path: &str) -> Option<&str> {
    let path = path.split('?').next()?;
    let mut words = path.split('/');
    words.find(|word| word.to_ascii_lowercase().ends_with("restoresessions"))?;
    words.next().filter(|id| !id.is_empty())
}

/// What tells whether it has happened.
fn look(intent: &Intent) -> String {
    let session = session_in(&intent.path);
    let at = intent.at;
    match (intent.operation.as_str(), session) {
        ("create session", _) => format!(
            "a draft that was created at {at} or soon after and that is not in the list above: it restores nothing, and may be deleted"
        ),
        ("activate session", Some(id)) => format!(
            "session `{id}`: where it is a `draft`, it was not activated; where it is anything else, it was, and restores"
        ),
        ("delete session", Some(id)) => {
            format!("session `{id}`: where it is still there, it was not deleted")
        }
        ("create bulk request" | "delete bulk request", Some(id)) => {
            format!("the bulk requests of session `{id}`")
        }
        (_, Some(id)) => format!("session `{id}` and what is in it"),
        ("create browse session", None) => {
            "nothing: a browse session that is left over restores nothing and ends by itself"
                .to_owned()
        }
        (_, None) => format!(
            "`{}` in the tenant, as it was at {at} or soon after",
            intent.path.split('?').next().unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::OutcomeRow;

    fn change(sequence: u64, part: &str, round: u32, state: Option<State>) -> ChangeRow {
        let at: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let intent = Intent {
            run: "r".into(),
            sequence,
            lane: String::new(),
            number: 1,
            part: part.into(),
            round,
            class: "activate".into(),
            operation: "activate session".into(),
            method: "POST".into(),
            path: format!("/solutions/backupRestore/exchangeRestoreSessions/s{sequence}/activate"),
            body_sha256: [0; 32],
            items: 3,
            place: Some("x.rhai:12".into()),
            at,
            clock: at,
        };
        let outcome = state.map(|state| OutcomeRow {
            run: "r".into(),
            sequence,
            state,
            answer: None,
            error: Some("{\"message\":\"no answer\"}".into()),
            request_id: Some("req-1".into()),
            found: false,
            at,
        });
        ChangeRow { intent, outcome }
    }

    #[test]
    fn only_what_nobody_knows_is_in_doubt() {
        let changes = vec![
            change(0, "a", 0, Some(State::Done)),
            change(1, "b", 0, Some(State::Unknown)),
            // Looked for, sent once more, and answered.
            change(2, "c", 0, Some(State::NotDone)),
            change(3, "c", 1, Some(State::Done)),
            change(4, "d", 0, None),
            // The same name again is another change.
            change(5, "e", 0, Some(State::Unknown)),
            change(6, "e", 0, Some(State::Refused)),
        ];
        let paths = |is_running| -> Vec<String> {
            doubts(&changes, is_running)
                .iter()
                .map(|doubt| doubt.path.rsplit('/').nth(1).unwrap().to_owned())
                .collect()
        };
        assert_eq!(paths(false), ["s1", "s4", "s5"]);
        assert_eq!(paths(true), ["s1", "s5"]);
        let first = &doubts(&changes, false)[0];
        assert_eq!(
            (first.why.as_str(), first.request_id.as_deref()),
            ("no answer", Some("req-1"))
        );
        assert!(
            first
                .look
                .starts_with("session `s1`: where it is a `draft`"),
            "{}",
            first.look
        );
    }
}
