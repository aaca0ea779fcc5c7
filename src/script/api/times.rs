//! `datetime`, `duration`, `now` and what can be done with them.

use rhai::{Dynamic, FuncRegistration, ImmutableString, NativeCallContext};

use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::time::BadTime;
use crate::script::values::{Datetime, Duration};

pub(crate) fn register(library: &mut Library) {
    library.type_name::<Datetime>("datetime");
    library.type_name::<Duration>("duration");
    making(library);
    parts(library);
    arithmetic(library);
    scaling(library);
}

fn making(library: &mut Library) {
    library.function(
        "",
        "datetime",
        &["text: text", "-> datetime"],
        "A point in time, from RFC 3339 text with an offset.\n\n- Throws `BadTime` where the text is no such time, or does not say in which zone.\n- Policy class: none.\n\n```rhai\nlet incident = datetime(\"2026-11-20T03:00:00Z\");\nprint(now() - incident);\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<Datetime> { datetime(&text).raise(&ctx) },
    );
    library.function(
        "",
        "datetime",
        &["time: datetime", "-> datetime"],
        "",
        |time: Datetime| time,
    );
    library.function(
        "",
        "now",
        &["-> datetime"],
        "The current time. A resumed run sees what the first run saw.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet yesterday = now() - duration(\"1d\");\n```",
        |ctx: NativeCallContext| -> Raised<Datetime> {
            let host = Host::of(&ctx);
            (host.now)().map(Datetime).raise(&ctx)
        },
    );
    library.function(
        "",
        "duration",
        &["text: text", "-> duration"],
        "A length of time: `250ms 90s 15m 36h 2d 1w`, combined (`1d12h`) or ISO 8601 (`PT36H`); `-` in front makes it negative.\n\n- Throws `BadDuration` where the text is none; a number has no unit.\n- Policy class: none.\n\n```rhai\nlet before = now() - duration(\"1d12h\");\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<Duration> { duration(&text).raise(&ctx) },
    );
    library.function(
        "",
        "duration",
        &["length: duration", "-> duration"],
        "",
        |length: Duration| length,
    );
    library.function(
        "",
        "duration",
        &["seconds: number"],
        "",
        |ctx: NativeCallContext, number: i64| -> Raised<Duration> {
            Err(
                Failure::new("BadDuration", format!("`{number}` has no unit"))
                    .hint(format!(
                        "write `duration(\"{number}s\")` for seconds, `m`, `h`, `d` for longer"
                    ))
                    .raise(&ctx),
            )
        },
    );
}

pub(crate) fn datetime(text: &str) -> Result<Datetime, Failure> {
    Datetime::read(text).map_err(|bad| {
        let failure = Failure::new("BadTime", format!("`{text}` is no datetime"));
        let text = text.trim();
        match bad {
            BadTime::NoOffset if text.len() > 10 => {
                failure.hint(format!("say in which zone: `{text}Z` is UTC"))
            }
            BadTime::NoOffset => failure.hint(format!(
                "say at what time and in which zone: `{text}T00:00:00Z`"
            )),
            BadTime::Unreadable => {
                failure.hint("write it as `2026-11-20T03:00:00Z` or `2026-11-20T04:00:00+01:00`")
            }
        }
    })
}

pub(crate) fn duration(text: &str) -> Result<Duration, Failure> {
    Duration::read(text).ok_or_else(|| {
        Failure::new("BadDuration", format!("`{text}` is no duration"))
            .hint("write `90s`, `15m`, `36h`, `2d`, `1w`, `1d12h` or `PT36H`")
    })
}

fn parts(library: &mut Library) {
    // Whole numbers, as "36 hours" is said; the rest is cut off, `.total_seconds` keeps it.
    library.property(
        "duration",
        "hours",
        "whole number",
        "whole hours; the rest is cut off",
        |length: &mut Duration| length.0.as_hours(),
    );
    library.property(
        "duration",
        "minutes",
        "whole number",
        "whole minutes",
        |length: &mut Duration| length.0.as_mins(),
    );
    library.property(
        "duration",
        "seconds",
        "whole number",
        "whole seconds",
        |length: &mut Duration| length.0.as_secs(),
    );
    library.property(
        "duration",
        "days",
        "whole number",
        "whole days of 24 hours",
        |length: &mut Duration| length.0.as_hours() / 24,
    );
    library.property(
        "duration",
        "total_seconds",
        "number",
        "seconds with their fraction",
        |length: &mut Duration| length.seconds(),
    );

    library.property(
        "datetime",
        "date",
        "text",
        "the day in UTC, `2026-11-20`",
        |time: &mut Datetime| time.date(),
    );
    library.property(
        "datetime",
        "day",
        "datetime",
        "00:00 UTC of its day",
        |time: &mut Datetime| time.day(),
    );
    library.property(
        "datetime",
        "year",
        "whole number",
        "in UTC",
        |time: &mut Datetime| i64::from(time.civil().year()),
    );
    library.property(
        "datetime",
        "month",
        "whole number",
        "1 to 12, in UTC",
        |time: &mut Datetime| i64::from(time.civil().month()),
    );
    library.property(
        "datetime",
        "hour",
        "whole number",
        "0 to 23, in UTC",
        |time: &mut Datetime| i64::from(time.civil().hour()),
    );
    library.property(
        "datetime",
        "weekday",
        "text",
        "in UTC",
        |time: &mut Datetime| time.weekday(),
    );
    library.property(
        "datetime",
        "unix",
        "whole number",
        "seconds since 1970",
        |time: &mut Datetime| time.0.as_second(),
    );

    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |time: &mut Datetime| {
            time.to_string()
        });
        library.hidden(FuncRegistration::new(name), |length: &mut Duration| {
            length.to_string()
        });
    }
    library.method(
        "duration",
        "abs",
        &["-> duration"],
        "The length without its sign.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint(duration(\"-36h\").abs());\n```",
        |length: &mut Duration| Duration(length.0.abs()),
    );
}

fn out_of_range() -> Failure {
    Failure::new(
        "Arithmetic",
        "the result is no time between the years -9999 and 9999",
    )
}

fn arithmetic(library: &mut Library) {
    let mut operator = |name: &str, apply: fn(Datetime, Duration) -> Option<Datetime>| {
        let apply =
            move |ctx: NativeCallContext, time: Datetime, length: Duration| -> Raised<Datetime> {
                apply(time, length).ok_or_else(out_of_range).raise(&ctx)
            };
        library.hidden(FuncRegistration::new(name), apply);
    };
    operator("+", Datetime::plus);
    operator("-", Datetime::minus);
    let plus = FuncRegistration::new("+");
    library.hidden(
        plus,
        |ctx: NativeCallContext, length: Duration, time: Datetime| -> Raised<Datetime> {
            time.plus(length).ok_or_else(out_of_range).raise(&ctx)
        },
    );
    library.hidden(
        FuncRegistration::new("-"),
        |later: Datetime, earlier: Datetime| later.since(earlier),
    );

    let mut lengths = |name: &str,
                       apply: fn(
        jiff::SignedDuration,
        jiff::SignedDuration,
    ) -> Option<jiff::SignedDuration>| {
        let apply =
            move |ctx: NativeCallContext, left: Duration, right: Duration| -> Raised<Duration> {
                apply(left.0, right.0)
                    .map(Duration)
                    .ok_or_else(out_of_range)
                    .raise(&ctx)
            };
        library.hidden(FuncRegistration::new(name), apply);
    };
    lengths("+", jiff::SignedDuration::checked_add);
    lengths("-", jiff::SignedDuration::checked_sub);
    library.hidden(FuncRegistration::new("-"), |length: Duration| {
        Duration(-length.0)
    });
    library.hidden(
        FuncRegistration::new("/"),
        |ctx: NativeCallContext, left: Duration, right: Duration| -> Raised<f64> {
            if right.0.is_zero() {
                return Err(
                    Failure::new("Arithmetic", "division by a duration of zero").raise(&ctx)
                );
            }
            Ok(left.seconds() / right.seconds())
        },
    );
}

#[allow(clippy::cast_precision_loss)]
fn float(number: i64) -> f64 {
    number as f64
}

fn scaling(library: &mut Library) {
    let scale = |ctx: &NativeCallContext, length: Duration, by: f64| -> Raised<Duration> {
        Duration::of_seconds(length.seconds() * by)
            .ok_or_else(out_of_range)
            .raise(ctx)
    };
    library.hidden(
        FuncRegistration::new("*"),
        move |ctx: NativeCallContext, length: Duration, by: i64| scale(&ctx, length, float(by)),
    );
    library.hidden(
        FuncRegistration::new("*"),
        move |ctx: NativeCallContext, by: i64, length: Duration| scale(&ctx, length, float(by)),
    );
    library.hidden(
        FuncRegistration::new("*"),
        move |ctx: NativeCallContext, length: Duration, by: f64| scale(&ctx, length, by),
    );
    library.hidden(
        FuncRegistration::new("*"),
        move |ctx: NativeCallContext, by: f64, length: Duration| scale(&ctx, length, by),
    );
    library.hidden(
        FuncRegistration::new("/"),
        move |ctx: NativeCallContext, length: Duration, by: i64| {
            scale(&ctx, length, 1.0 / float(by))
        },
    );
    library.hidden(
        FuncRegistration::new("/"),
        move |ctx: NativeCallContext, length: Duration, by: f64| scale(&ctx, length, 1.0 / by),
    );
    // A slip that deserves better than "no operator": times with text.
    for name in ["+", "-"] {
        let mixed =
            move |ctx: NativeCallContext, _: Datetime, text: ImmutableString| -> Raised<Dynamic> {
                if name == "+" && Duration::read(&text).is_none() {
                    return Err(Failure::new(
                        "WrongType",
                        "`+` cannot be used between a datetime and a text",
                    )
                    .hint("inside a text write `${…}`")
                    .raise(&ctx));
                }
                let making = if Duration::read(&text).is_some() {
                    "duration"
                } else {
                    "datetime"
                };
                Err(Failure::new(
                    "WrongType",
                    format!("`{name}` cannot be used between a datetime and a text"),
                )
                .hint(format!("write `{making}(\"{text}\")`"))
                .raise(&ctx))
            };
        library.hidden(FuncRegistration::new(name), mixed);
    }
}
