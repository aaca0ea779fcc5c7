//! What an error says beside its message: which of many inputs it is about, and the code underneath.

use serde_json::Value;

use super::words;

/// So many details are told; of ten thousand addresses all may be wrong.
const MOST: usize = 3;
/// Longest text of one of them, in characters.
const LONGEST: usize = 150;
/// Longest line of all of them.
const LINE: usize = 400;
/// How deep errors lie in one another.
const DEEPEST: usize = 4;

/// The `target`, `details[]` and inner codes of an error on one line; empty where there are none.
pub(crate) fn of(error: &Value) -> String {
    let outer = text(error, "code").unwrap_or_default();
    let mut told: Vec<String> = Vec::new();
    told.extend(text(error, "target").map(|target| format!("target `{target}`")));
    let details = list(error);
    told.extend(
        details
            .iter()
            .take(MOST)
            .filter_map(|detail| one(detail, &outer)),
    );
    if details.len() > MOST {
        told.push(format!("and {} more", details.len() - MOST));
    }
    let mut codes = vec![outer.clone()];
    let mut inner = inner_of(error);
    for _ in 0..DEEPEST {
        let Some(error) = inner else { break };
        told.extend(
            list(error)
                .iter()
                .take(MOST)
                .filter_map(|detail| one(detail, &outer)),
        );
        if let Some(code) = text(error, "code")
            && !codes.contains(&code)
        {
            let message = text(error, "message");
            let message = message.map_or_else(String::new, |message| format!(", {message}"));
            told.push(format!("inner code {code}{message}"));
            codes.push(code);
        }
        inner = inner_of(error);
    }
    words::tidy(&told.join("; "), LINE)
}

fn inner_of(error: &Value) -> Option<&Value> {
    error.get("innerError").or_else(|| error.get("innererror"))
}

fn list(error: &Value) -> &[Value] {
    let details = error.get("details").and_then(Value::as_array);
    details.map_or(&[], Vec::as_slice)
}

/// ``UserNotBackedup at `a@x`: no such user``, as far as it has these and the error itself does not say so.
fn one(detail: &Value, outer: &str) -> Option<String> {
    let target = text(detail, "target").map(|target| format!("`{target}`"));
    let code = text(detail, "code").filter(|code| code != outer);
    let head = match (code, target) {
        (Some(code), Some(target)) => Some(format!("{code} at {target}")),
        (code, target) => code.or(target),
    };
    match (head, text(detail, "message")) {
        (Some(head), Some(message)) => Some(format!("{head}: {message}")),
        (head, message) => head.or(message),
    }
}

fn text(object: &Value, name: &str) -> Option<String> {
    let text = words::tidy(object.get(name)?.as_str()?, LONGEST);
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn which_input_and_the_code_underneath_are_told_on_one_line() {
        let detail = |at: usize| json!({"code": "X", "message": "bad", "target": format!("u{at}")});
        let rows = [
            (json!({"code": "C", "message": "m"}), ""),
            (
                json!({"code": "C", "details": null, "innerError": {"date": "d"}}),
                "",
            ),
            (
                json!({"code": "C", "target": "t", "details": [detail(1), {"message": "only"}, {"target": "o"}]}),
                "target `t`; X at `u1`: bad; only; `o`",
            ),
            (
                json!({"code": "X", "details": [detail(1), {"code": "X", "message": "why"}, {"code": "X"}]}),
                "`u1`: bad; why",
            ),
            (
                json!({"code": "C", "details": [detail(1), detail(2), detail(3), detail(4), detail(5)]}),
                "X at `u1`: bad; X at `u2`: bad; X at `u3`: bad; and 2 more",
            ),
            (
                json!({"code": "C", "innererror": {"code": "I", "message": "why", "innerError": {"code": "C", "innerError": {"code": "J"}}}}),
                "inner code I, why; inner code J",
            ),
            (json!({"details": "odd", "innerError": []}), ""),
            (json!("odd"), ""),
        ];
        for (error, line) in rows {
            assert_eq!(of(&error), line, "{error}");
        }
    }

    #[test]
    fn a_line_of_details_is_bounded() {
        let long = "x".repeat(9000);
        let one = json!({"code": long, "message": long, "target": long});
        let all: Vec<_> = (0..9000).map(|_| one.clone()).collect();
        let line = of(&json!({"target": long, "details": all, "innerError": {"code": long}}));
        assert!(line.chars().count() <= LINE + 1, "{}", line.len());
        assert!(!line.contains(char::is_control));
    }
}
