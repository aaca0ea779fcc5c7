//! Comparing: what can be compared is, what cannot is an error with a hint, and nothing is silently false.
//!
//! Rhai answers `"7" > 5` by itself, `false`, unless `fast_operators` is off. Then each operator is looked up (and cached), and
//! these functions are reached; what that costs stands at [`super::engine::parser`].

use std::cmp::Ordering;

use rhai::{Dynamic, FuncRegistration, NativeCallContext};

use super::failure::{Failure, Raise as _, Raised};
use super::library::Library;
use super::values::{Datetime, Duration, List, Object};
use super::words;

pub(crate) fn register(library: &mut Library) {
    let mut order = |name: &'static str, holds: fn(Ordering) -> bool| {
        let compare =
            move |ctx: NativeCallContext, left: Dynamic, right: Dynamic| -> Raised<bool> {
                Ok(order(&left, &right).raise(&ctx)?.is_some_and(holds))
            };
        library.hidden(FuncRegistration::new(name), compare);
    };
    order("<", Ordering::is_lt);
    order("<=", Ordering::is_le);
    order(">", Ordering::is_gt);
    order(">=", Ordering::is_ge);
    library.hidden(
        FuncRegistration::new("=="),
        |ctx: NativeCallContext, left: Dynamic, right: Dynamic| -> Raised<bool> {
            equal(&left, &right).raise(&ctx)
        },
    );
    library.hidden(
        FuncRegistration::new("!="),
        |ctx: NativeCallContext, left: Dynamic, right: Dynamic| -> Raised<bool> {
            Ok(!equal(&left, &right).raise(&ctx)?)
        },
    );
}

/// The order of two values; `None` where a number is not a number.
///
/// # Errors
/// `NotComparable` where they are of different kinds, or of a kind without an order.
pub(crate) fn order(left: &Dynamic, right: &Dynamic) -> Result<Option<Ordering>, Failure> {
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(left.partial_cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Datetime>(), right.read_lock::<Datetime>())
    {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Ok(left), Ok(right)) = (
        left.as_immutable_string_ref(),
        right.as_immutable_string_ref(),
    ) {
        return Ok(Some(left.as_str().cmp(right.as_str())));
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Duration>(), right.read_lock::<Duration>())
    {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Some(left), Some(right)) = (text(left), text(right)) {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Ok(left), Ok(right)) = (left.as_bool(), right.as_bool()) {
        return Ok(Some(left.cmp(&right)));
    }
    Err(not_comparable(left, right))
}

/// Are two values equal? `()` may be asked about anything.
///
/// # Errors
/// `NotComparable` where they are of different kinds.
pub(crate) fn equal(left: &Dynamic, right: &Dynamic) -> Result<bool, Failure> {
    equality(left, right).ok_or_else(|| not_comparable(left, right))
}

/// As [`equal`], but what cannot be compared is different: looking for a value in an array of several kinds is no mistake.
pub(crate) fn same(left: &Dynamic, right: &Dynamic) -> bool {
    equality(left, right).unwrap_or(false)
}

fn equality(left: &Dynamic, right: &Dynamic) -> Option<bool> {
    if left.is_unit() || right.is_unit() {
        return Some(left.is_unit() && right.is_unit());
    }
    if let (Ok(left), Ok(right)) = (
        left.as_immutable_string_ref(),
        right.as_immutable_string_ref(),
    ) {
        return Some(*left == *right);
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Object>(), right.read_lock::<Object>()) {
        return Some(*left == *right);
    }
    if let (Some(left), Some(right)) = (items(left), items(right)) {
        return Some(
            left.len() == right.len()
                && left
                    .iter()
                    .zip(&right)
                    .all(|(left, right)| same(left, right)),
        );
    }
    if let (Ok(left), Ok(right)) = (left.as_map_ref(), right.as_map_ref()) {
        let same_values = || {
            left.iter()
                .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        };
        return Some(left.len() == right.len() && same_values());
    }
    if let Ok(order) = order(left, right) {
        return Some(order.is_some_and(Ordering::is_eq));
    }
    if left.type_id() != right.type_id() {
        return None;
    }
    if let (Ok(left), Ok(right)) = (left.as_blob_ref(), right.as_blob_ref()) {
        return Some(*left == *right);
    }
    // Ranges and closures: the same text is the same thing.
    Some(left.to_string() == right.to_string())
}

fn items(value: &Dynamic) -> Option<Vec<Dynamic>> {
    if let Some(list) = value.read_lock::<List>() {
        return Some(list.to_array());
    }
    value.as_array_ref().ok().map(|items| items.clone())
}

#[allow(clippy::cast_precision_loss)] // as the language itself compares whole numbers with others
fn number(value: &Dynamic) -> Option<f64> {
    value
        .as_float()
        .ok()
        .or_else(|| value.as_int().ok().map(|number| number as f64))
}

fn text(value: &Dynamic) -> Option<String> {
    if let Ok(letter) = value.as_char() {
        return Some(letter.to_string());
    }
    value
        .as_immutable_string_ref()
        .ok()
        .map(|text| text.to_string())
}

fn not_comparable(left: &Dynamic, right: &Dynamic) -> Failure {
    let text = [left, right].into_iter().find_map(|side| {
        side.as_immutable_string_ref()
            .ok()
            .map(|text| text.to_string())
    });
    let (one, other) = (words::kind(left), words::kind(right));
    let failure = incomparable(one, other, text.as_deref());
    let is_object = left.is::<Object>() || right.is::<Object>();
    if one == other {
        failure.hint("compare one of its properties")
    } else if is_object && text.is_some() {
        failure.hint("compare one of its properties, such as `.id` or `.status`")
    } else {
        failure
    }
}

/// That values of these kinds have no order and are never equal. `text`: what stands there, where one of them is a text.
pub(crate) fn incomparable(one: &str, other: &str, text: Option<&str>) -> Failure {
    let message = if one == other {
        format!("{} has no order", words::article(one))
    } else {
        format!(
            "{} cannot be compared with {}",
            words::article(one),
            words::article(other)
        )
    };
    let failure = Failure::new("NotComparable", message);
    let text = text.map_or_else(|| "…".to_owned(), |text| format!("\"{text}\""));
    match (one, other) {
        ("datetime", "text") | ("text", "datetime") => failure.hint(format!("write `datetime({text})`, with the time and its offset")),
        ("duration", "text") | ("text", "duration") => failure.hint(format!("write `duration({text})`")),
        ("whole number", "text") | ("text", "whole number") => failure.hint(format!("write `parse_int({text})`")),
        ("number", "text") | ("text", "number") => failure.hint(format!("write `parse_float({text})`")),
        ("duration", "whole number" | "number") | ("whole number" | "number", "duration") => {
            failure.hint("write `duration(\"36h\")`, or take `.hours`, `.minutes`, `.seconds` of the duration")
        }
        ("`()`", _) | (_, "`()`") => failure.hint("one side is absent: test it by `!= ()` first, or give a value by `?? …`"),
        _ => failure,
    }
}
