//! `:tour`: a restore in the sandbox, in ten steps that the newcomer types.

use rhai::Dynamic;

use super::{Outcome, Repl, Then};
use crate::error::{Exit, Fault};
use crate::script::values::{Object, Stream};

/// Where somebody is on the tour.
pub(super) struct Tour {
    step: usize,
}

struct Step {
    /// What it is about.
    say: &'static str,
    /// What to type.
    example: &'static str,
    done: fn(&Repl, &str) -> bool,
}

const STEPS: [Step; 10] = [
    Step {
        say: "Everything that talks to the tenant lives in a namespace. See who there is.",
        example: "users::list()",
        done: |_, typed| typed.contains("users::list"),
    },
    Step {
        say: "That was the first page of a stream. The last value is `it`. Type `it.` and press Tab to see what it can do; then take three of it.",
        example: "it.first(3)",
        done: |_, typed| typed.contains("it."),
    },
    Step {
        say: "Names are kept with `let`. Whose mailboxes shall come back? A group's.",
        example: "let people = groups::members(\"Executives\")",
        done: |repl, _| {
            held(repl, "people", |value| {
                value.is::<Stream>() || value.is_array()
            })
        },
    },
    Step {
        say: "A question mark behind a name is help, also behind a cmdlet of Graph PowerShell.",
        example: "exchange::latest_points?",
        done: |_, typed| super::asked(typed).is_some() || typed.starts_with(":doc "),
    },
    Step {
        say: "Find the newest restore point of each person: one row for everybody, also for those who have none.",
        example: "let rows = exchange::latest_points(people)",
        done: |repl, _| held(repl, "rows", Dynamic::is_array),
    },
    Step {
        say: "Look at them. Where there is no point, `code` says why.",
        example: "rows",
        done: |_, typed| typed.starts_with("rows"),
    },
    Step {
        say: "Put the rows into a draft. A draft restores nothing, and can be deleted.",
        example: "let session = exchange::create_session(rows, \"new\")",
        done: |repl, _| held(repl, "session", Dynamic::is::<Object>),
    },
    Step {
        say: "Activating starts the restore and cannot be taken back: so it asks first, with the numbers. Answer `y`.",
        example: "session.activate()",
        done: |repl, _| {
            held(repl, "session", |value| {
                let status = value
                    .read_lock::<Object>()
                    .and_then(|session| session.get("status").ok());
                let status = status.and_then(|status| status.into_string().ok());
                status.is_some_and(|status| status != "draft")
            })
        },
    },
    Step {
        say: "Wait for its end, and see how it ended for each mailbox. (Ctrl-C would end the waiting, not the restore.)",
        example: "session.wait().artifacts()",
        done: |_, typed| typed.contains("artifacts"),
    },
    Step {
        say: "Keep what you did as a runbook, for the night when it is needed.",
        example: ":save tour.rhai",
        done: |_, typed| typed.starts_with(":save"),
    },
];

pub(super) fn command(repl: &mut Repl, rest: &str) -> Outcome {
    let fault = |message: &str| Fault::new(Exit::Unstarted, "BadCommand", message);
    match rest {
        "" => {}
        "stop" => {
            repl.tour = None;
            repl.screen.say("the tour is over; `:tour` begins it anew");
            return Ok(Then::On);
        }
        "skip" => {
            if repl.tour.is_none() {
                return Err(vec![fault("you are on no tour").hint("`:tour` begins it")]);
            }
            advance(repl);
            return Ok(Then::On);
        }
        _ => return Err(vec![fault("`:tour` takes `stop` or `skip`, or nothing")]),
    }
    if !repl.is_sandbox {
        return Err(vec![
            fault("the tour restores mailboxes, and this is a real tenant")
                .hint("`runback repl --sandbox` is a simulated one"),
        ]);
    }
    if repl.tour.is_none() {
        repl.tour = Some(Tour { step: 0 });
        repl.screen
            .say("Ten steps; you type them. `:tour skip` goes on without, `:tour stop` ends it.");
    }
    show(repl);
    Ok(Then::On)
}

/// After each thing that was typed: whether it was the step.
pub(super) fn look(repl: &mut Repl, typed: &str, worked: bool) {
    let Some(tour) = &repl.tour else { return };
    if typed.starts_with(":tour") || !worked {
        return;
    }
    if (STEPS[tour.step].done)(repl, typed) {
        advance(repl);
    }
}

fn advance(repl: &mut Repl) {
    let Some(tour) = &mut repl.tour else { return };
    tour.step += 1;
    if tour.step == STEPS.len() {
        repl.tour = None;
        repl.screen.say(&format!(
            "\n{}\nThat is all. `runback run tour.rhai --sandbox` does it again; `:help` lists the rest; on a real tenant a\nconversation is read-only until you type `:arm`.",
            repl.screen.paint.green("Done: a restore from the first look to the runbook.")
        ));
        return;
    }
    show(repl);
}

fn show(repl: &Repl) {
    let Some(tour) = &repl.tour else { return };
    let step = &STEPS[tour.step];
    let paint = repl.screen.paint;
    let title = format!("Step {} of {}.", tour.step + 1, STEPS.len());
    repl.screen.say(&format!(
        "\n{} {}\n\n    {}\n",
        paint.green(&title),
        step.say,
        paint.cyan(step.example)
    ));
}

fn held(repl: &Repl, name: &str, is_right: fn(&Dynamic) -> bool) -> bool {
    let value = repl.talk.console().variable(name);
    value.is_some_and(|value| is_right(&value))
}
