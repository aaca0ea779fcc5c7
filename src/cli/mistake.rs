//! What is wrong with a command line, said as the command line itself asks for.

use std::ffi::OsString;

use crate::error::{Exit, Fault};
use crate::talk::{Loudness, Manner, Voice};
use crate::text::Paint;
use crate::world::World;

/// Prints help or version on stdout, a mistake on stderr, and ends the process.
///
/// A mistake is one JSON object where `--log-format json` was given: whoever reads stderr as JSON reads all of it so.
pub(super) fn exit(error: &clap::Error, words: &[OsString], world: &World) -> ! {
    if error.use_stderr() && asks_for_json(words) {
        let manner = Manner {
            loudness: Loudness::Normal,
            paint: Paint::Plain,
            json: true,
            bars: false,
        };
        let fault = fault(error);
        Voice::new(manner, world.clone()).fault(&fault);
        std::process::exit(fault.exit.code().into());
    }
    error.exit()
}

/// The line could not be read, so it is only looked at.
fn asks_for_json(words: &[OsString]) -> bool {
    let words: Vec<_> = words
        .iter()
        .take_while(|word| *word != "--")
        .map(|word| word.to_string_lossy())
        .collect();
    words.iter().any(|word| word == "--log-format=json")
        || words
            .windows(2)
            .any(|pair| pair[0] == "--log-format" && pair[1] == "json")
}

/// clap's message as one of ours: its first paragraph, its tips as hints, without usage.
pub(super) fn fault(error: &clap::Error) -> Fault {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let fault = Fault::new(Exit::Unstarted, "BadCommandLine", message);
    let tips = paragraphs
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    tips.fold(fault, |fault, tip| fault.hint(tip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_json_is_seen_on_a_line_that_cannot_be_read() {
        let rows: [(&[&str], bool); 5] = [
            (&["run", "--log-format", "json", "--nope"], true),
            (&["--nope", "--log-format=json"], true),
            (&["run", "x", "--", "--log-format=json"], false),
            (&["--log-format", "text", "json"], false),
            (&[], false),
        ];
        for (words, expected) in rows {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(asks_for_json(&words), expected, "{words:?}");
        }
    }
}
