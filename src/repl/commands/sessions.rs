//! `:sessions`: what is being restored, by anybody, as it goes on.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use crate::backup::workload_of;
use crate::error::Fault;
use crate::graph::Json;
use crate::repl::display::{progress, size};
use crate::repl::{Outcome, Repl, Then};
use crate::script::Failure;
use crate::text;
use crate::unix;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

pub(super) fn command(repl: &mut Repl, _: &str) -> Outcome {
    let mut drawn = 0;
    loop {
        let running = running(repl).map_err(|fault| vec![fault])?;
        let lines = lines(&running);
        if drawn > 0 {
            // Over what was drawn before.
            repl.screen.say(&format!("\u{1b}[{drawn}A\u{1b}[J{lines}"));
        } else {
            repl.screen.say(&lines);
        }
        drawn = lines.trim_end_matches('\n').lines().count();
        let is_live =
            repl.screen.is_terminal && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        if running.is_empty() || !is_live {
            return Ok(Then::On);
        }
        if is_left(repl) {
            return Ok(Then::On);
        }
    }
}

fn running(repl: &Repl) -> Result<Vec<Json>, Fault> {
    let backup = repl.talk.tenant().backup.clone();
    let all = repl.talk.ask(async move {
        let pages = backup.sessions(None, None);
        pages.collect().await.map_err(Failure::from)
    })?;
    let is_running = |session: &Json| {
        let status = session.string("status").unwrap_or_default();
        matches!(status.as_str(), "activating" | "active")
    };
    Ok(all.into_iter().filter(is_running).collect())
}

fn lines(running: &[Json]) -> String {
    let (width, height) = size();
    if running.is_empty() {
        return "no restore session runs".to_owned();
    }
    let most = height.saturating_sub(4);
    let mut out = String::new();
    for session in running.iter().take(most) {
        let get = |name: &str| session.string(name).unwrap_or_default();
        let workload = workload_of(session).map_or("", |workload| workload.name);
        let bar = progress(session, 20).unwrap_or_default();
        let line = format!("{}  {workload:10}  {:10}  {bar}", get("id"), get("status"));
        let _ = writeln!(out, "{}", text::fit(&text::one_line(&line), width));
    }
    if running.len() > most {
        let _ = writeln!(out, "… {} more", running.len() - most);
    }
    let _ = writeln!(
        out,
        "{} running; Enter or Ctrl-C ends the view",
        running.len()
    );
    out
}

/// Waits for the next look; whether somebody has seen enough.
fn is_left(repl: &Repl) -> bool {
    let world = repl.talk.world.clone();
    repl.talk.within(|| {
        let mut left = LOOK;
        let step = Duration::from_millis(50);
        while !left.is_zero() {
            if world.cancel.is_cancelled() {
                return true;
            }
            if unix::is_readable(&io::stdin(), step) {
                let mut line = String::new();
                let _ = io::stdin().read_line(&mut line);
                return true;
            }
            left = left.saturating_sub(step);
        }
        false
    })
}
