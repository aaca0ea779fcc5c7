//! The pager: the person's own, else `less`.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Shows the text; `false` where there is no pager.
pub(super) fn show(wanted: Option<&str>, text: &str) -> bool {
    let wanted = wanted.unwrap_or("less");
    let mut words = wanted.split_whitespace();
    let Some(program) = words.next() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    // It ends by itself where all fits on one screen, shows colours, and leaves the text where it is.
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Who leaves the pager early has seen enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}
