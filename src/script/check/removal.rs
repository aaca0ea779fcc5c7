//! Whether the body of a PATCH, as it is written, can take something out of a session.

use rhai::Expr;

use crate::script::api::graph::{is_delta, may_take_out, takes_out};
use crate::script::convert::to_json;

/// Only a body that is written out can be told: in a variable anything may stand.
pub(super) fn is_possible(body: &Expr) -> bool {
    let Expr::Map(entries, _) = body else {
        return is_removal(body);
    };
    entries.0.iter().any(|(name, value)| {
        if !name.name.to_ascii_lowercase().ends_with("@delta") {
            return false;
        }
        match value {
            Expr::Array(items, _) => items.iter().any(is_removal),
            value => is_removal(value),
        }
    })
}

/// Whether a body that is written out says nothing but which artifacts a draft gets or loses.
pub(super) fn only_edits(body: &Expr) -> bool {
    let Expr::Map(entries, _) = body else {
        return false;
    };
    entries.0.iter().all(|(name, _)| is_delta(&name.name))
}

/// Whether something that is written here is `@removed`, or may be.
fn is_removal(item: &Expr) -> bool {
    if let Expr::Map(entries, _) = item {
        return entries.0.iter().any(|(name, _)| may_take_out(&name.name));
    }
    let value = item.get_literal_value(None);
    value.is_none_or(|value| to_json(&value).is_ok_and(|value| takes_out(&value)))
}
