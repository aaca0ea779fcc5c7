//! Loops and steps in the record: what a finished item or step came to is kept as one answer, and its closure is not run again.
//!
//! Where the closure has changed the tenant, written a file or booked something, it is run again: its calls are answered one
//! by one, and so sessions, books and files become what they were.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{codec, of_error, of_value, place};
use crate::changes::Origin;
use crate::script::closure::Closure;
use crate::script::failure::{Failure, Kept, Raised};
use crate::script::host::Host;
use crate::script::lane;

/// What a lane came to.
#[derive(Deserialize)]
struct Ended<'a> {
    #[serde(borrow, default)]
    ok: Option<&'a RawValue>,
    #[serde(default)]
    err: Option<Kept>,
}

/// What a loop came to whose first error ended it.
#[derive(Serialize, Deserialize)]
struct Broken {
    /// The item whose error was thrown.
    item: usize,
}

/// One loop as the record knows it.
pub(crate) struct Looping {
    host: Arc<Host>,
    origin: Origin,
    /// `L/k`.
    lane: String,
    /// An earlier life has seen it end with the error of this item.
    broken: Option<usize>,
}

impl Looping {
    pub(crate) fn begin(ctx: &NativeCallContext, operation: &str) -> Self {
        let host = Host::of(ctx);
        let (lane, origin) = (lane::next_loop(), place(ctx));
        host.history.opens(&origin, operation, &lane);
        let known = host.history.ask(&origin.lane, origin.number, "broken");
        let broken = known.and_then(|known| serde_json::from_slice::<Broken>(&known.body).ok());
        Self {
            broken: broken
                .filter(|_| host.history.went_on(&origin))
                .map(|broken| broken.item),
            host,
            origin,
            lane,
        }
    }

    /// Whether an item is left out because the loop had ended before it was begun.
    pub(crate) fn leaves_out(&self, item: usize) -> bool {
        self.broken.is_some_and(|broken| {
            item != broken && !self.host.history.has_begun(&self.lane_of(item))
        })
    }

    fn lane_of(&self, item: usize) -> String {
        format!("{}.{item}", self.lane)
    }

    /// Runs the closure for an item, or answers from the record. `keeps_errors`: an error is the item's own, and the loop
    /// goes on.
    pub(crate) fn item(
        &self,
        item: usize,
        keeps_errors: bool,
        run: impl FnOnce() -> Raised<Dynamic>,
    ) -> Raised<Dynamic> {
        in_lane(&self.host, self.lane_of(item), keeps_errors, run)
    }

    /// The loop has ended with the error of an item.
    pub(crate) fn broke(&self, item: usize) {
        let body = serde_json::to_vec(&Broken { item }).unwrap_or_default();
        self.host
            .history
            .tell(&self.origin, "broken", "broken", [0; 16], body);
    }
}

/// Runs something in a lane of its own, or answers from the record.
fn in_lane(
    host: &Host,
    lane: String,
    keeps_errors: bool,
    run: impl FnOnce() -> Raised<Dynamic>,
) -> Raised<Dynamic> {
    let history = &host.history;
    if !history.is_kept() {
        return lane::enter(lane, run).0;
    }
    if let Some(known) = history.end_of(&lane)
        && let Ok(ended) = serde_json::from_slice::<Ended>(&known.body)
    {
        if let Some(failure) = ended.err {
            return Err(Failure::again(failure).unplaced());
        }
        if let Some(value) = ended.ok
            && let Ok(value) = codec::decode(value.get().as_bytes(), &host.tenant.backup)
        {
            return Ok(value);
        }
    }
    let (outcome, touched) = lane::enter(lane.clone(), run);
    if host.stop.is_set() {
        return outcome;
    }
    match &outcome {
        Ok(value) => match codec::encode(value) {
            Ok(bytes) if !touched => history.end(&lane, of_value(&bytes), true),
            _ => history.end(&lane, b"{}".to_vec(), false),
        },
        Err(error) if keeps_errors => {
            let body = if touched { None } else { of_error(error) };
            let whole = body.is_some();
            history.end(&lane, body.unwrap_or_else(|| b"{}".to_vec()), whole);
        }
        Err(_) => {}
    }
    outcome
}

/// `step(name, closure)`: done once in a run.
pub(crate) fn step(ctx: &NativeCallContext, name: &str, closure: FnPtr) -> Raised<Dynamic> {
    let closure = Closure::new(closure).apart();
    let host = Host::of(ctx);
    if name.is_empty() || name.contains(['/', '#']) || name.chars().any(char::is_control) {
        let failure = Failure::new(
            "BadArgument",
            format!("`{name}` cannot be the name of a step"),
        );
        return Err(failure
            .hint("a name is a word or a few, without `/` and `#`")
            .raise(ctx));
    }
    let lane = format!("{}/{name}", lane::current());
    if let Some(kept) = host.steps.get(&lane) {
        return kept.ok_or_else(|| {
            let failure =
                Failure::new("StepInItself", format!("step `{name}` is still being done"));
            failure.hint("give the inner step another name").raise(ctx)
        });
    }
    host.history.opens(&place(ctx), "step", &lane);
    host.steps.begin(&lane);
    let outcome = in_lane(&host, lane.clone(), false, || closure.call(ctx, []));
    host.steps.end(&lane, outcome.as_ref().ok());
    outcome.map_err(|error| placed(error, ctx))
}

/// An error that came out of the record has no place yet.
#[allow(clippy::unnecessary_box_returns)] // the engine's own error type is boxed
fn placed(error: Box<EvalAltResult>, ctx: &NativeCallContext) -> Box<EvalAltResult> {
    if error.position().is_none() {
        let mut error = error;
        error.set_position(ctx.call_position());
        return error;
    }
    error
}
