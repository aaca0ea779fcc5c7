//! The record of a run, as functions of a script go through it: each call that learns something is answered from it where it
//! can be, and each call that changes something knows its place in it.

mod codec;
mod lanes;
mod quiet;
mod reading;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, RhaiFunc, Shared};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use lanes::{Looping, step};
pub(crate) use quiet::Quiet;
pub(crate) use reading::{Tape, tape};

use super::failure::{Failure, Kept, Raise as _, Raised};
use super::help::Reach;
use super::host::Host;
use super::lane;
use crate::changes::{Origin, origin};
use crate::policy::{Act, Deed};

/// How a function stands to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It learns nothing, or what it calls is recorded by itself.
    Plain,
    /// Its value is kept, and it is not called again.
    Learns,
    /// It gives a stream, which is recorded as it is read.
    Opens,
    /// It is carried out again: what it does to sessions is remembered below it.
    Acts,
    /// It is carried out again and has no place: it writes a file, or into the books.
    Leaves,
}

impl Manner {
    /// Of a function by its help: its class, and what it gives.
    pub(crate) fn of(
        namespace: &str,
        receiver: Option<&str>,
        name: &str,
        reach: Reach,
        returns: &str,
    ) -> Self {
        match (namespace, name) {
            ("", "now" | "confirm" | "sleep") | ("csv" | "json", "read") | ("runs", "failed") => {
                return Self::Learns;
            }
            ("", "skip") | ("csv" | "json", "write" | "writer") => return Self::Leaves,
            _ => {}
        }
        let of_a_session = matches!(receiver, Some("session" | "browse session"));
        match reach {
            Reach::Read if returns.starts_with("stream") => Self::Opens,
            // They show the newest state of what they are called on, and so act on that.
            Reach::Read if of_a_session && matches!(name, "wait" | "refresh") => Self::Acts,
            // A request of a session stands for the session.
            Reach::Read if of_a_session && name == "bulk_requests" => Self::Acts,
            Reach::Read => Self::Learns,
            Reach::Draft | Reach::Activate | Reach::Delete | Reach::Path => Self::Acts,
            Reach::Nothing | Reach::Closure | Reach::Stream => Self::Plain,
        }
    }
}

/// A function that goes through the record. `reads`: the policy is asked first whether scripts may read at all.
pub(crate) fn recorded(
    operation: String,
    manner: Manner,
    reads: bool,
    function: RhaiFunc,
) -> RhaiFunc {
    let (inner, is_method) = match function {
        RhaiFunc::Pure { func, .. } => (func, false),
        RhaiFunc::Method { func, .. } => (func, true),
        other => return other,
    };
    let around = move |ctx: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
        let Some(ctx) = ctx else {
            return inner(None, args);
        };
        let host = Host::of(&ctx);
        if reads {
            let judged = host.tenant.door.judge(Act::Read, &Deed::default());
            judged.map_err(|_| Failure::stopped()).raise(&ctx)?;
        }
        if manner == Manner::Leaves {
            lane::touch();
            return inner(Some(ctx), args);
        }
        let origin = place(&ctx);
        if !host.history.is_kept() {
            return origin::within(origin, || inner(Some(ctx), args));
        }
        let digest = codec::digest(args);
        let known = host
            .history
            .ask_same(&origin, &operation, digest)
            .map_err(|fault| host.end(fault).unplaced())?;
        if manner != Manner::Learns {
            if known.is_none() {
                host.history
                    .tell(&origin, "", &operation, digest, Vec::new());
            }
            if manner == Manner::Acts {
                lane::touch();
            }
            let opens = (manner == Manner::Opens).then(|| (host.clone(), origin.clone()));
            return reading::opening(opens, || origin::within(origin, || inner(Some(ctx), args)));
        }
        if let Some(known) = known
            && let Some(outcome) = recall(&host, &ctx, &origin, &known.body)
        {
            return outcome;
        }
        let outcome = origin::within(origin.clone(), || inner(Some(ctx), args));
        if let Some(body) = remember(&outcome) {
            host.history.tell(&origin, "", &operation, digest, body);
        }
        outcome
    };
    let (func, has_context, is_pure, is_volatile) = (Shared::new(around), true, true, true);
    if is_method {
        RhaiFunc::Method {
            func,
            has_context,
            is_pure,
            is_volatile,
        }
    } else {
        RhaiFunc::Pure {
            func,
            has_context,
            is_pure,
            is_volatile,
        }
    }
}

/// The place of a call that begins now.
fn place(ctx: &NativeCallContext) -> Origin {
    let place = ctx.call_position().line().map(|line| {
        let file = ctx.call_source().unwrap_or("the script");
        format!("{file}:{line}")
    });
    Origin {
        lane: lane::current(),
        number: lane::next_call(),
        place,
    }
}

/// What a call came to.
#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, rename = "ok")]
    value: Option<&'a RawValue>,
    #[serde(rename = "err")]
    failure: Option<Kept>,
}

#[derive(Serialize)]
struct Failed {
    #[serde(rename = "err")]
    failure: Kept,
}

/// The bytes of what a call came to; `None` where the run is being stopped, or the script's own mistake ended it.
fn remember(outcome: &Raised<Dynamic>) -> Option<Vec<u8>> {
    match outcome {
        Ok(value) => {
            let value = codec::encode(value);
            debug_assert!(value.is_ok(), "a value that lives in this process alone");
            Some(of_value(&value.ok()?))
        }
        Err(error) => of_error(error),
    }
}

fn of_value(value: &[u8]) -> Vec<u8> {
    [b"{\"ok\":", value, b"}"].concat()
}

fn of_error(error: &EvalAltResult) -> Option<Vec<u8>> {
    let EvalAltResult::ErrorRuntime(thrown, _) = error.unwrap_inner() else {
        return None;
    };
    let failure = thrown.read_lock::<Failure>()?.kept();
    serde_json::to_vec(&Failed { failure }).ok()
}

/// What the record says of a call; `None` where it is to be made anew: an error that ended the run may be over.
fn recall(
    host: &Host,
    ctx: &NativeCallContext,
    origin: &Origin,
    body: &[u8],
) -> Option<Raised<Dynamic>> {
    let outcome: Outcome = serde_json::from_slice(body).ok()?;
    match outcome {
        Outcome {
            value: Some(value), ..
        } => {
            let value = codec::decode(value.get().as_bytes(), &host.tenant.backup).ok()?;
            Some(Ok(value))
        }
        Outcome {
            failure: Some(failure),
            ..
        } if host.history.went_on(origin) => Some(Err(Failure::again(failure).raise(ctx))),
        _ => None,
    }
}
