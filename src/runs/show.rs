//! One run in words, for somebody who was not there.

use std::fmt::Write as _;

use serde_json::Value;

use super::doubt::Doubt;
use super::follow::progress;
use super::standing::Standing;
use super::view::View;
use super::{resume_command, shown};
use crate::backup::books::SessionSummary;
use crate::error::Exit;
use crate::report::exit_meaning;
use crate::text;

/// What is shown of a run, in the order in which it is printed.
pub(crate) struct Shown {
    pub(crate) head: String,
    pub(crate) sessions: Vec<Vec<Value>>,
    /// What is left to do; empty where nothing is.
    pub(crate) tail: String,
}

impl Shown {
    pub(crate) const COLUMNS: [&'static str; 6] = [
        "session",
        "workload",
        "status",
        "artifacts",
        "succeeded",
        "failed",
    ];

    /// `folder`: the state folder, where it is not the usual one.
    pub(crate) fn of(view: &View, folder: Option<&str>) -> Self {
        Self {
            head: head(view),
            sessions: view.outcome.sessions.iter().map(cells).collect(),
            tail: tail(view, folder),
        }
    }
}

fn cells(session: &SessionSummary) -> Vec<Value> {
    vec![
        session.id.as_str().into(),
        session.workload.as_str().into(),
        session.status.as_str().into(),
        session.artifacts.total.into(),
        session.artifacts.succeeded.into(),
        session.artifacts.failed.into(),
    ]
}

fn head(view: &View) -> String {
    let (row, outcome) = (&view.row, &view.outcome);
    let mut lines = vec![
        ("run", row.id.clone()),
        (
            "script",
            format!(
                "{} (sha256 {:.12}…)",
                text::one_line(&row.script),
                row.sha256
            ),
        ),
        ("state", state(view)),
        ("started", format!("{} by {}", shown(row.started), by(view))),
    ];
    if let Some(ended) = row.ended.filter(|_| view.is_final) {
        lines.push(("ended", shown(ended)));
    }
    let books = &outcome.books;
    let sum = format!(
        "asked {} = succeeded {} + failed {} + skipped {} + unknown {}",
        books.asked, books.succeeded, books.failed, books.skipped, books.unknown
    );
    lines.push(("books", sum));
    if !view.is_final && books.asked > 0 {
        lines.push(("so far", progress(&outcome.items)));
    }
    for error in outcome.errors() {
        let place = error.place().map(|place| format!(" ({place})"));
        let said = text::one_line(&error.message).into_owned();
        lines.push((
            "error",
            format!("{}: {said}{}", error.code, place.unwrap_or_default()),
        ));
    }
    let mut out = String::new();
    for (name, value) in lines {
        let _ = writeln!(out, "{name:<9} {value}");
    }
    out.trim_end().to_owned()
}

fn state(view: &View) -> String {
    match &view.standing {
        Standing::Running(holder) => {
            let paused = if view.is_paused { ", paused" } else { "" };
            let (pid, host) = (holder.pid, text::one_line(&holder.host).into_owned());
            format!(
                "running: process {pid} on {host}, since {}{paused}",
                shown(holder.since)
            )
        }
        Standing::Open if view.is_final => format!("open: {}; it can be resumed", exit(view)),
        Standing::Open => "open: its process is gone; it can be resumed".to_owned(),
        Standing::Ended => format!("ended: {}", exit(view)),
    }
}

fn exit(view: &View) -> String {
    let code = view.outcome.exit;
    format!("exit {}, {}", code.code(), exit_meaning(code))
}

fn by(view: &View) -> String {
    let (user, host) = (
        text::one_line(&view.row.user),
        text::one_line(&view.row.host),
    );
    match &*user {
        "" => format!("process {} on {host}", view.row.pid),
        user => format!("{user} on {host}, process {}", view.row.pid),
    }
}

fn tail(view: &View, folder: Option<&str>) -> String {
    let mut out = String::new();
    let doubts = &view.doubts;
    if !doubts.is_empty() {
        let _ = writeln!(
            out,
            "of {} {} nobody knows whether it has happened:",
            doubts.len(),
            if doubts.len() == 1 {
                "change"
            } else {
                "changes"
            }
        );
        for doubt in doubts {
            tell(&mut out, doubt);
        }
    }
    let run = &view.row.id;
    match &view.standing {
        Standing::Running(_) => {
            let _ = writeln!(out, "look on: runback runs {run} --follow");
            let _ = writeln!(out, "end it: runback stop {run}");
        }
        Standing::Open => {
            if !doubts.is_empty() {
                out.push_str("`resume` looks at each of them again, and sends nothing that may have happened\n");
            }
            let _ = writeln!(out, "go on with: {}", resume_command(run, folder));
        }
        Standing::Ended if view.outcome.exit == Exit::Unknown => {
            let _ = writeln!(out, "the items: runback runs {run} --unknown");
        }
        Standing::Ended => {}
    }
    out.trim_end().to_owned()
}

fn tell(out: &mut String, doubt: &Doubt) {
    let place = doubt.place.as_deref().map(|place| format!(", {place}"));
    let _ = writeln!(
        out,
        "  {}: {} {}{}",
        doubt.operation,
        doubt.method,
        text::one_line(&doubt.path),
        place.unwrap_or_default()
    );
    let items = match doubt.items {
        0 => String::new(),
        1 => ", 1 item".to_owned(),
        count => format!(", {count} items"),
    };
    let _ = writeln!(
        out,
        "    sent {} (by the service's clock; {} by ours){items}",
        shown(doubt.at),
        shown(doubt.clock)
    );
    if let Some(id) = &doubt.request_id {
        let _ = writeln!(out, "    request-id {id}");
    }
    let _ = writeln!(out, "    why: {}", text::one_line(&doubt.why));
    let _ = writeln!(out, "    look at {}", doubt.look);
}
