//! What is said when runback itself falls over: a report to send, whichever thread it happens in.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

use crate::error::bug;
use crate::talk::Voice;
use crate::world::World;

/// Variables whose values stand in no report.
const SECRETS: [&str; 3] = [
    "AZURE_CLIENT_SECRET",
    "RUNBACK_ACCESS_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
];

/// Tells every panic from now on. `command` is the name of the subcommand: arguments are not for others to read.
pub(super) fn watch(voice: &Voice, world: &World, command: &'static str) {
    let secrets: Vec<String> = SECRETS
        .iter()
        .filter_map(|name| world.variable(name))
        .collect();
    let voice = voice.clone();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let at = info.location().map_or_else(
            || "an unknown place".to_owned(),
            |location| {
                format!(
                    "{}:{}:{}",
                    location.file(),
                    location.line(),
                    location.column()
                )
            },
        );
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("without a name");
        let mut fault = bug::fault(message, &format!("{at}, in thread `{thread}`"), &secrets)
            .hint("this is no mistake of yours: please send these lines to the makers of runback; they hold no secrets and no values of arguments");
        fault.context.insert(
            0,
            format!(
                "runback {}, {} {}, command `{command}`",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::OS,
                std::env::consts::ARCH
            ),
        );
        // Captures only where RUST_BACKTRACE asks for it.
        let backtrace = Some(Backtrace::capture())
            .filter(|backtrace| backtrace.status() == BacktraceStatus::Captured);
        // Eight workers that fall over the same thing are one bug.
        if bug::all()
            .iter()
            .all(|told| told.context != fault.context && told.place != fault.place)
        {
            voice.bug(&fault, backtrace.as_ref().map(ToString::to_string));
        }
        bug::keep(fault);
    }));
}
