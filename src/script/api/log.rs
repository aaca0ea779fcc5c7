//! `log::`: lines for whoever reads the log, on stderr and in a watched run's `run.log`.

use rhai::{Dynamic, NativeCallContext};

use crate::script::convert;
use crate::script::host::{Host, Level};
use crate::script::library::Library;

pub(crate) fn register(library: &mut Library) {
    let levels = [
        (
            "debug",
            Level::Debug,
            "Writes a line into the log that only `-v` shows.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlog::debug(\"looking for Finance\");\n```",
        ),
        (
            "info",
            Level::Info,
            "Writes a line into the log.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlog::info(`${rows.len()} mailboxes found`);\n```",
        ),
        (
            "warn",
            Level::Warn,
            "Writes a warning into the log.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlog::warn(\"the newest point is older than a day\");\n```",
        ),
        (
            "error",
            Level::Error,
            "Writes an error into the log. The script goes on; `throw` ends it.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlog::error(\"nobody can be restored\");\n```",
        ),
    ];
    for (name, level, doc) in levels {
        library.function(
            "log",
            name,
            &["value"],
            doc,
            move |ctx: NativeCallContext, value: Dynamic| {
                Host::of(&ctx).output.log(level, &convert::show(&value));
            },
        );
    }
}
