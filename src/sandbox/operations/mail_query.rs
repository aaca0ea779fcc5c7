//! `artifactQuery`: which mails of a mailbox are looked for.
//!
//! Two generations of pages document the expression: `subject -contains 'x'`, `sender -eq 'x'`, `recipient -eq 'x'`, and
//! the newer `Subject -like 'x*'`, `Sender -like`, `Participants -like`, `HasAttachment -eq 'true'`, `MessageKind -eq
//! 'Email'`. Both are taken, and nothing else.
//!
//! Source: Graph docs, "Filtering mailbox artifacts with granular search queries", read 2026-11-24.

use serde_json::{Map, Value};

use crate::sandbox::answer::Refusal;
use crate::sandbox::call::only;
use crate::sandbox::expression::{Expression, Operand, Term};
use crate::sandbox::id::mix;
use crate::sandbox::refusals;

/// Comparisons of one property that may be joined.
const MOST_OF_A_KIND: usize = 3;
const KINDS: [&str; 5] = ["Email", "Note", "Task", "Contact", "Calendar"];
/// Members of `granularRestoreItems`.
const ITEMS: [&str; 5] = ["email", "note", "contact", "task", "calendar"];

fn invalid(why: impl Into<String>) -> Refusal {
    refusals::SEARCH_INVALID.because(why)
}

/// Reads the query of a search, mixed into a number: equal queries find the same mails.
pub(super) fn read(query: &Value, beta: bool) -> Result<u64, Refusal> {
    let query = query
        .as_object()
        .ok_or_else(|| invalid("artifactQuery is not an object"))?;
    let mut known = vec!["queryExpression", "artifactType", "@odata.type"];
    if beta {
        known.push("structuredQueryExpression");
    }
    only(query, &known, &refusals::SEARCH_INVALID)?;
    match query.get("artifactType").map(Value::as_str) {
        None | Some(Some("message")) => {}
        Some(_) => return Err(invalid("artifactType is message")),
    }
    let text = match query.get("queryExpression") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            check(text)?;
            Some(text.clone())
        }
        Some(other) => return Err(invalid(format!("queryExpression {other} is not a text"))),
    };
    let structured = match query.get("structuredQueryExpression") {
        None | Some(Value::Null) => None,
        Some(Value::Object(structured)) => {
            check_structured(structured)?;
            Some(Value::Object(structured.clone()).to_string())
        }
        Some(other) => {
            return Err(invalid(format!(
                "structuredQueryExpression {other} is not an object"
            )));
        }
    };
    let text = text
        .or(structured)
        .ok_or_else(|| invalid("artifactQuery has no queryExpression"))?;
    Ok(text.bytes().fold(0, |key, byte| mix(key, u64::from(byte))))
}

fn check(text: &str) -> Result<(), Refusal> {
    let wrong = |why: &str| invalid(format!("queryExpression: {why}"));
    let expression = Expression::parse(text).map_err(|error| wrong(&error))?;
    let terms = expression.terms();
    for term in &terms {
        if !is_known(term) {
            let Term {
                property, operator, ..
            } = term;
            return Err(wrong(&format!(
                "`{property} -{operator}` with this value is not supported"
            )));
        }
        let same = terms
            .iter()
            .filter(|other| other.property.eq_ignore_ascii_case(&term.property));
        if same.count() > MOST_OF_A_KIND {
            return Err(wrong(&format!(
                "`{}` occurs more than {MOST_OF_A_KIND} times",
                term.property
            )));
        }
    }
    match has_any(&expression) {
        true => Err(wrong("`-any` is not supported")),
        false => Ok(()),
    }
}

fn has_any(expression: &Expression) -> bool {
    match expression {
        Expression::And(one, other) | Expression::Or(one, other) => has_any(one) || has_any(other),
        Expression::Any(..) => true,
        Expression::Term(_) => false,
    }
}

fn is_known(term: &Term) -> bool {
    let property = term.property.to_ascii_lowercase();
    match (property.as_str(), term.operator.as_str(), &term.value) {
        ("subject", "like" | "contains", Operand::Text(text))
        | ("sender", "like" | "eq", Operand::Text(text))
        | ("recipient", "eq", Operand::Text(text))
        | ("participants", "like", Operand::Text(text)) => !text.trim().is_empty(),
        ("hasattachment", "eq", Operand::Flag(_)) => true,
        ("hasattachment", "eq", Operand::Text(text)) => {
            ["true", "false"].contains(&text.to_ascii_lowercase().as_str())
        }
        ("messagekind", "eq", Operand::Text(text)) => {
            KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(text))
        }
        _ => false,
    }
}

fn check_structured(query: &Map<String, Value>) -> Result<(), Refusal> {
    let lists = ["items", "recipients", "senders", "subjects"];
    only(
        query,
        &[
            "items",
            "recipients",
            "senders",
            "subjects",
            "hasAttachment",
            "@odata.type",
        ],
        &refusals::SEARCH_INVALID,
    )?;
    let wrong = |name: &str| {
        invalid(format!(
            "{name} of structuredQueryExpression cannot be read"
        ))
    };
    for name in lists {
        let values = match query.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(values)) => values,
            Some(_) => return Err(wrong(name)),
        };
        let fits = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| name != "items" || ITEMS.contains(&text))
        };
        if !values.iter().all(fits) {
            return Err(wrong(name));
        }
    }
    match query.get("hasAttachment") {
        None | Some(Value::Null | Value::Bool(_)) => Ok(()),
        Some(_) => Err(wrong("hasAttachment")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_generations_of_the_documentation_are_understood() {
        for text in [
            "((subject -contains 'Finance')  -or  (subject -contains 'Legal')) -and (sender -eq 'alex@contoso.com') -and (recipient -eq 'carol@contoso.com') -and hasAttachment -eq true",
            "(Sender -like 'abc@contoso.com') -and (HasAttachment -eq 'true')",
            "(Subject -like 'Project Alpha*') -and (Participants -like 'john@contoso.com' -and Participants -like 'sarah@contoso.com')",
            "(MessageKind -eq 'Contact') -and (Subject -like 'Smith*')",
        ] {
            assert!(
                read(&json!({ "queryExpression": text }), false).is_ok(),
                "{text}"
            );
        }
        let structured = json!({ "structuredQueryExpression": { "subjects": ["a"], "items": ["email"], "hasAttachment": true } });
        assert!(read(&structured, true).is_ok());
        assert!(read(&structured, false).is_err());
    }

    #[test]
    fn everything_else_is_turned_down() {
        for query in [
            json!("subject -like 'a'"),
            json!({}),
            json!({ "queryExpression": "" }),
            json!({ "queryExpression": "subject:a" }),
            json!({ "queryExpression": "body -like 'a'" }),
            json!({ "queryExpression": "subject -eq 'a'" }),
            json!({ "queryExpression": "subject -like ''" }),
            json!({ "queryExpression": "hasAttachment -eq 'maybe'" }),
            json!({ "queryExpression": "messageKind -eq 'Chat'" }),
            json!({ "queryExpression": "sender -any (subject -like 'a')" }),
            json!({ "queryExpression": "(subject -contains ‘Finance’)" }),
            json!({ "queryExpression": "subject -like 'a' -and subject -like 'b' -and subject -like 'c' -and subject -like 'd'" }),
            json!({ "queryExpression": "subject -like 'a'", "artifactType": "file" }),
            json!({ "queryExpression": "subject -like 'a'", "colour": "red" }),
        ] {
            assert!(read(&query, true).is_err(), "{query}");
        }
        for structured in [
            json!({ "items": ["chat"] }),
            json!({ "senders": "a" }),
            json!({ "senders": [1] }),
            json!({ "hasAttachment": "yes" }),
            json!({ "body": [] }),
        ] {
            let query = json!({ "structuredQueryExpression": structured });
            assert!(read(&query, true).is_err(), "{query}");
        }
    }
}
