//! How far a restore session is.

use crate::graph::Json;
use crate::script::values::Object;

/// `[=======>    ] 7 of 12, 1 failed`; `None` for what is no restore session, or does not count.
pub(super) fn bar(object: &Object, columns: usize) -> Option<String> {
    let is_draft = || object.string("status").as_deref() == Some("draft");
    if !object.kind().is_a("restoreSessionBase") || is_draft() {
        return None;
    }
    progress(&object.json(), columns)
}

/// The same of a session's JSON.
pub(crate) fn progress(session: &Json, columns: usize) -> Option<String> {
    let counts = session.property("restoreSessionArtifactCount")?;
    let count = |name: &str| -> Option<usize> { counts.property(name)?.text().parse().ok() };
    let total = count("total").filter(|total| *total > 0)?;
    let (completed, failed) = (
        count("completed").unwrap_or(0),
        count("failed").unwrap_or(0),
    );
    let done = (completed + failed).min(total);
    let filled = done * columns / total;
    let mut bar = "=".repeat(filled);
    if filled < columns {
        bar.push('>');
        bar.push_str(&" ".repeat(columns - filled - 1));
    }
    let failed = if failed > 0 {
        format!(", {failed} failed")
    } else {
        String::new()
    };
    Some(format!("[{bar}] {done} of {total}{failed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_up_and_says_what_failed() {
        let shown = |completed: u32, failed: u32| {
            let json = serde_json::json!({"restoreSessionArtifactCount":
                {"total": 12, "completed": completed, "inProgress": 1, "failed": failed}});
            progress(&Json::of(&json), 12).unwrap()
        };
        assert_eq!(shown(0, 0), "[>           ] 0 of 12");
        assert_eq!(shown(6, 1), "[=======>    ] 7 of 12, 1 failed");
        assert_eq!(shown(12, 0), "[============] 12 of 12");
        assert!(progress(&Json::of(&serde_json::json!({})), 12).is_none());
    }
}
