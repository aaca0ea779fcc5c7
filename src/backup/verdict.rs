//! What the state of an artifact or a session that has ended means for the books.

use super::artifact::{Artifact, Progress, trouble};
use super::books::Outcome;
use crate::graph::Json;

/// What an artifact's end means for the books.
pub(super) fn verdict(artifact: &Artifact) -> (Outcome, Option<String>, Option<String>) {
    match artifact.progress() {
        // What the service says of it besides is a warning.
        Progress::Succeeded => match artifact.trouble() {
            Some((code, message)) => (Outcome::Succeeded, Some(code), Some(message)),
            None => (Outcome::Succeeded, None, None),
        },
        Progress::Failed => {
            let (code, message) = artifact.failure();
            (Outcome::Failed, Some(code), Some(message))
        }
        Progress::Open | Progress::Unrecognised => {
            let status = artifact.json.string("status").unwrap_or_default();
            let reason = format!("its session runs no more, and it is `{status}`");
            (
                Outcome::Unknown,
                Some("StateUnrecognised".to_owned()),
                Some(reason),
            )
        }
    }
}

/// The `error` of a session that has completed; of one that has failed its artifacts tell.
pub(super) fn warning(session: &Json) -> Option<String> {
    let is_completed = session.string("status").as_deref() == Some("completed");
    let (code, message) = trouble(session).filter(|_| is_completed)?;
    Some(format!("{code}, {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_beside_success_is_a_warning() {
        let rows = [
            ("succeeded", "null", Outcome::Succeeded, None),
            ("succeeded", "{}", Outcome::Succeeded, None),
            (
                "succeeded",
                r#"{"code":"C","message":"m"}"#,
                Outcome::Succeeded,
                Some("C m"),
            ),
            (
                "failed",
                r#"{"code":"C","message":"m","details":[{"code":"D","target":"t"}]}"#,
                Outcome::Failed,
                Some("C m (D at `t`)"),
            ),
            (
                "failed",
                "null",
                Outcome::Failed,
                Some("UnknownError the service gave no reason"),
            ),
        ];
        for (status, error, outcome, words) in rows {
            let text = format!(r#"{{"id":"a","status":"{status}","error":{error}}}"#);
            let artifact = Artifact::of(Json::new(text.into()).unwrap()).unwrap();
            let (found, code, reason) = verdict(&artifact);
            let told = code.map(|code| format!("{code} {}", reason.unwrap_or_default()));
            assert_eq!((found, told.as_deref()), (outcome, words), "{error}");
        }
    }

    #[test]
    fn only_a_session_that_has_completed_is_warned_of() {
        let session = |status: &str| {
            let error = serde_json::json!({"code": "C", "message": "m"});
            warning(&Json::of(
                &serde_json::json!({"status": status, "error": error}),
            ))
        };
        assert_eq!(session("completed").as_deref(), Some("C, m"));
        assert_eq!(session("failed"), None);
    }
}
