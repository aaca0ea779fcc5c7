//! Comparisons that can only fail, because their sides are of different kinds: `"7" > 5`, a time against a text.

use rhai::{Expr, FnCallExpr};

use super::kind::Kind;
use crate::script::compare;
use crate::script::failure::Failure;

/// What is wrong with a call, where it compares. `kind`: what a side is, if that is certain.
pub(super) fn judge(call: &FnCallExpr, kind: impl Fn(&Expr) -> Option<Kind>) -> Option<Failure> {
    let is_comparison = matches!(call.name.as_str(), "<" | "<=" | ">" | ">=" | "==" | "!=");
    let [left, right] = call.args.as_slice() else {
        return None;
    };
    if !is_comparison {
        return None;
    }
    let (Some(Kind::Plain(one)), Some(Kind::Plain(other))) = (kind(left), kind(right)) else {
        return None;
    };
    let number = |kind: &str| matches!(kind, "whole number" | "number");
    if one == other || number(one) && number(other) {
        return None;
    }
    let text = [left, right].into_iter().find_map(|side| match side {
        Expr::StringConstant(text, _) => Some(text.as_str()),
        _ => None,
    });
    Some(compare::incomparable(one, other, text))
}
