//! `parallel` and `try_parallel`: closures on several threads, results in the order of the items.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use super::api::{globals, objects};
use super::closure::Closure;
use super::failure::{Failure, Raise as _, Raised};
use super::host::Host;
use super::library::Library;
use super::record::Looping;
use super::{engine, explain, lane, trace};
use crate::text;

/// The most threads of one loop; each waits for the tenant nearly all its time, and `--in-flight` bounds the calls of all.
const MOST: usize = 64;

const DOC: &str = "Calls the closure for each item, up to `limit` at once, and returns the results in the items' order.

- `items`: an array, a list or a stream.
- `limit`: how many at once; at most 64 threads, and `--in-flight` bounds the calls of all.
- `closure`: sees captured variables as they were at the call; what it assigns to them is lost (`check` refuses it).
- Throws the first error, which also stops new work; of several, that of the lowest item. `BadArgument` where the limit is below 1.
- Policy class: that of what the closure calls.

```rhai
let points = parallel(groups::members(\"Finance\"), 8, |user| attempt(|| exchange::latest_point(user)).value);
```";

const TRY_DOC: &str = "As `parallel`, but an error stays with its item: one row `#{item, value, error}` for each, in order.

- `items`: an array, a list or a stream.
- `error` is `()` or has `.code`, `.message` and so on; `value` is `()` then.
- Throws only what reading `items` itself throws, and `BadArgument` where the limit is below 1.
- Policy class: that of what the closure calls.

```rhai
for row in try_parallel(groups::members(\"Finance\"), 8, |user| exchange::unit(user)) {
    if row.error != () { print(`${row.item.displayName}: ${row.error.message}`); }
}
```";

pub(crate) fn register(library: &mut Library) {
    let params = [
        "items: list",
        "limit: whole number",
        "closure: |item| value",
    ];
    let with = |returns: &'static str| [params[0], params[1], params[2], returns];
    library.function(
        "",
        "parallel",
        &with("-> array"),
        DOC,
        |ctx: NativeCallContext, items: Dynamic, limit: i64, closure: FnPtr| -> Raised<Array> {
            let outcomes = run(&ctx, &items, limit, closure, true)?;
            outcomes.into_iter().map(|(_, outcome)| outcome).collect()
        },
    );
    library.function(
        "",
        "try_parallel",
        &with("-> rows"),
        TRY_DOC,
        |ctx: NativeCallContext, items: Dynamic, limit: i64, closure: FnPtr| -> Raised<Array> {
            let outcomes = run(&ctx, &items, limit, closure, false)?;
            Ok(outcomes
                .into_iter()
                .map(|(item, outcome)| row(item, outcome))
                .collect())
        },
    );
}

fn row(item: Dynamic, outcome: Raised<Dynamic>) -> Dynamic {
    let (value, error) = match outcome {
        Ok(value) => (value, Dynamic::UNIT),
        Err(error) => (Dynamic::UNIT, Dynamic::from(caught(&error))),
    };
    Map::from([
        ("item".into(), item),
        ("value".into(), value),
        ("error".into(), error),
    ])
    .into()
}

/// An error as `catch` would show it.
pub(crate) fn caught(error: &EvalAltResult) -> Failure {
    let mut failure = explain::failure(error);
    if failure.origin.is_none() {
        let mut source = String::new();
        let mut at = error;
        while let EvalAltResult::ErrorInFunctionCall(_, called, inner, _) = at {
            source.clone_from(called);
            at = inner;
        }
        failure.origin = Some((source, at.position()));
    }
    failure
}

type Outcome = (Dynamic, Raised<Dynamic>);

/// What the workers take from and put into.
struct Loop<'c> {
    feed: Mutex<Feed>,
    outcomes: Mutex<Vec<(usize, Outcome)>>,
    /// Nobody begins another item.
    over: AtomicBool,
    until_the_first_error: bool,
    looping: Looping,
    touched: AtomicBool,
    host: &'c Host,
    ctx: &'c NativeCallContext<'c>,
    closure: Closure,
    /// How many items there are, where that is known before they are read.
    total: Option<usize>,
}

struct Feed {
    items: Box<dyn Iterator<Item = Result<Dynamic, Failure>> + Send>,
    next: usize,
    broken: Option<Failure>,
}

fn run(
    ctx: &NativeCallContext,
    items: &Dynamic,
    limit: i64,
    closure: FnPtr,
    until_the_first_error: bool,
) -> Raised<Vec<Outcome>> {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let limit = limit
        .ok_or_else(|| {
            Failure::new(
                "BadArgument",
                "the limit is how many run at once: at least 1",
            )
        })
        .raise(ctx)?;
    let closure = Closure::new(closure).apart();
    if !closure.may_take(ctx, 1) {
        return Err(explain::closure_arity(1).raise(ctx));
    }
    let host = Host::of(ctx);
    let workers = objects::known_len(items)
        .map_or(limit, |len| limit.min(len))
        .min(MOST);
    let work = Loop {
        feed: Mutex::new(Feed {
            items: objects::items(items).raise(ctx)?,
            next: 0,
            broken: None,
        }),
        outcomes: Mutex::default(),
        over: AtomicBool::new(false),
        until_the_first_error,
        looping: Looping::begin(
            ctx,
            if until_the_first_error {
                "parallel"
            } else {
                "try_parallel"
            },
        ),
        touched: AtomicBool::new(false),
        host: &host,
        ctx,
        closure,
        total: objects::known_len(items),
    };
    std::thread::scope(|scope| {
        for number in 0..workers {
            let thread = std::thread::Builder::new()
                .name(format!("worker {number}"))
                .stack_size(engine::WORKER_STACK);
            // Without memory for one more thread the others do the work; the last resort is this one.
            if thread.spawn_scoped(scope, || work.guarded()).is_err() {
                if number == 0 {
                    work.guarded();
                }
                break;
            }
        }
    });
    if work.touched.load(Ordering::Relaxed) {
        lane::touch();
    }
    if host.stop.is_set() {
        return Err(Failure::stopped().raise(ctx));
    }
    let mut outcomes = work
        .outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(index, _)| *index);
    let first = outcomes.iter().find(|(_, (_, outcome))| outcome.is_err());
    if until_the_first_error && let Some((item, _)) = first {
        work.looping.broke(*item);
    }
    let broken = work
        .feed
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .broken;
    match broken {
        // The list ends behind all items: an error of one of those is lower.
        Some(failure)
            if !(until_the_first_error
                && outcomes.iter().any(|(_, (_, outcome))| outcome.is_err())) =>
        {
            Err(failure.raise(ctx))
        }
        _ => Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect()),
    }
}

impl Loop<'_> {
    /// A panic in one worker ends the run, not the process.
    fn guarded(&self) {
        if trace::guarded(&self.host.stop, || self.work()).is_none() {
            self.over.store(true, Ordering::Relaxed);
        }
    }

    fn work(&self) {
        while let Some((index, item)) = self.take() {
            if self.looping.leaves_out(index) {
                continue;
            }
            let run = || self.closure.call(self.ctx, [item.clone()]);
            let keeps_errors = !self.until_the_first_error;
            let (outcome, touched) = lane::watch(|| self.looping.item(index, keeps_errors, run));
            self.touched.fetch_or(touched, Ordering::Relaxed);
            let outcome = outcome.map_err(|error| self.of_item(error, index, &item));
            if outcome.is_err() && self.until_the_first_error {
                self.over.store(true, Ordering::Relaxed);
            }
            let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push((index, (item, outcome)));
        }
    }

    /// Says in the error which item it was.
    #[allow(clippy::unnecessary_box_returns)] // the engine's own error type is boxed
    fn of_item(
        &self,
        error: Box<EvalAltResult>,
        index: usize,
        item: &Dynamic,
    ) -> Box<EvalAltResult> {
        let source = self.ctx.call_source().unwrap_or_default().to_owned();
        let mut frame = format!("{} {}", trace::ITEM, index + 1);
        if let Some(total) = self.total {
            let _ = write!(frame, " of {total}");
        }
        let name = globals::named(item);
        let _ = write!(frame, " ({})", text::fit(&text::one_line(&name), 60));
        let position = self.ctx.call_position();
        Box::new(EvalAltResult::ErrorInFunctionCall(
            frame, source, error, position,
        ))
    }

    fn take(&self) -> Option<(usize, Dynamic)> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over.load(Ordering::Relaxed) || self.host.stop.is_set() || feed.broken.is_some() {
            return None;
        }
        match feed.items.next()? {
            Ok(item) => {
                feed.next += 1;
                Some((feed.next - 1, item))
            }
            Err(failure) => {
                feed.broken = Some(failure);
                None
            }
        }
    }
}
