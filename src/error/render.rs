//! A fault as a person reads it.
//!
//! ```text
//! error: session `959ba739` was not activated: 25 restore sessions are already active
//!   --> night.rhai:41:17
//!    |
//! 41 |         session.activate();
//!    |                 ^
//!    = in `restore_wave`, called at night.rhai:57
//!    = request-id 5f1c…e2
//!
//! hint: …
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Fault, Place};
use crate::text::{self, Paint};

/// A source line longer than this is shown in part, around the place. (A generated script can be one line.)
const SOURCE_COLUMNS: usize = 120;

/// Characters of a message, a fact or a hint.
const LONGEST: usize = 2_000;

impl Fault {
    /// The whole message, ending in a line feed.
    pub(crate) fn render(&self, paint: Paint) -> String {
        self.render_as(&paint.red("error:"), paint)
    }

    /// As [`Fault::render`]; a warning has another `lead` than an error.
    pub(crate) fn render_as(&self, lead: &str, paint: Paint) -> String {
        let message = paint.bold(&line(&self.message));
        let mut out = format!("{lead} {message}\n");
        let gutter = self
            .place
            .as_ref()
            .map_or(2, |place| place.line.to_string().len());
        if let Some(place) = &self.place {
            place.render(&mut out, gutter, paint);
        }
        let answer = self
            .status
            .iter()
            .map(|status| format!("the service answered {status} {}", self.code));
        let request_id = self.request_id.iter().map(|id| match &self.time {
            Some(time) => format!("request-id {id}, {time}"),
            None => format!("request-id {id}"),
        });
        for fact in self.context.iter().cloned().chain(answer).chain(request_id) {
            let _ = writeln!(out, "{:gutter$} {} {}", "", paint.blue("="), line(&fact));
        }
        if !self.hints.is_empty() {
            out.push('\n');
        }
        for hint in &self.hints {
            let _ = writeln!(out, "{} {}", paint.green("hint:"), line(hint));
        }
        out
    }
}

impl Place {
    fn render(&self, out: &mut String, gutter: usize, paint: Paint) {
        let arrow = paint.blue("-->");
        let file = text::one_line(&self.file);
        let _ = writeln!(
            out,
            "{:gutter$}{arrow} {file}:{}:{}",
            "", self.line, self.column
        );
        let Some(source) = &self.text else { return };
        let (source, before) = window(source, self.column);
        let bar = paint.blue("|");
        let _ = writeln!(out, "{:gutter$} {bar}", "");
        let _ = writeln!(
            out,
            "{} {bar} {source}",
            paint.blue(&format!("{:gutter$}", self.line))
        );
        let _ = writeln!(out, "{:gutter$} {bar} {:before$}{}", "", "", paint.red("^"));
    }
}

/// One line, cut where it is longer than anybody reads: a name of a megabyte is repeated in a message about it.
fn line(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => text::one_line(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text::one_line(&text[..end]))),
    }
}

/// The part of a source line to show, and how many columns stand before `column` (which counts characters, from 1).
fn window(source: &str, column: usize) -> (String, usize) {
    let source = source.trim_end();
    let at = column.saturating_sub(1).min(source.chars().count());
    // The rest of a line of a megabyte is not even looked at.
    let first = at.saturating_sub(SOURCE_COLUMNS);
    let mut chars = source.chars().skip(first);
    // Each character as it is shown: tabs as four spaces, so that the caret stands where the eye sees the place.
    let cells: Vec<String> = chars
        .by_ref()
        .take(2 * SOURCE_COLUMNS)
        .map(|c| {
            if c == '\t' {
                "    ".to_owned()
            } else {
                text::shown(c.encode_utf8(&mut [0; 4])).into_owned()
            }
        })
        .collect();
    let goes_on = chars.next().is_some();
    let at = at - first;
    let wide = |cells: &[String]| cells.iter().map(|cell| text::width(cell)).sum::<usize>();
    if first == 0 && !goes_on && wide(&cells) <= SOURCE_COLUMNS {
        return (cells.concat(), wide(&cells[..at]));
    }
    let start = at.saturating_sub(SOURCE_COLUMNS / 2);
    let end = (start + SOURCE_COLUMNS).min(cells.len());
    let lead = if first + start > 0 { "… " } else { "" };
    let tail = if goes_on || end < cells.len() {
        " …"
    } else {
        ""
    };
    let shown = format!("{lead}{}{tail}", cells[start..end].concat());
    (shown, text::width(lead) + wide(&cells[start..at]))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::error::Exit;

    fn at(line: usize, column: usize, text: &str) -> Fault {
        Fault::new(Exit::Unstarted, "Test", "it went wrong").at(Place {
            file: "night.rhai".into(),
            line,
            column,
            text: Some(text.into()),
        })
    }

    #[test]
    fn a_fault_says_what_where_why_and_what_to_type() {
        let mut fault = Fault::new(
            Exit::Stopped,
            "TooManyActiveRestoreSessions",
            "session `959ba739` was not activated: 25 restore sessions are already active",
        )
        .at(Place {
            file: "night.rhai".into(),
            line: 41,
            column: 17,
            text: Some("        session.activate();".into()),
        })
        .context("in `restore_wave`, called at night.rhai:57")
        .context("mailbox wave 3 of 12, 0 of 50 mailboxes started")
        .hint("`runback runs` shows what is running")
        .hint("nothing was lost");
        fault.request_id = Some("5f1c-e2".into());
        assert_snapshot!(fault.render(Paint::Plain), @r"
        error: session `959ba739` was not activated: 25 restore sessions are already active
          --> night.rhai:41:17
           |
        41 |         session.activate();
           |                 ^
           = in `restore_wave`, called at night.rhai:57
           = mailbox wave 3 of 12, 0 of 50 mailboxes started
           = request-id 5f1c-e2

        hint: `runback runs` shows what is running
        hint: nothing was lost
        ");
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_caret_in_its_place() {
        assert_snapshot!(at(7, 13, "\tlet 名前 = öffne(1);").render(Paint::Plain), @r"
        error: it went wrong
         --> night.rhai:7:13
          |
        7 |     let 名前 = öffne(1);
          |                  ^
        ");
    }

    #[test]
    fn a_place_behind_the_end_of_its_line_points_there() {
        assert_snapshot!(at(100, 99, "foo(").render(Paint::Plain), @r"
        error: it went wrong
           --> night.rhai:100:99
            |
        100 | foo(
            |     ^
        ");
    }

    #[test]
    fn a_very_long_line_is_shown_around_the_place() {
        let line = format!("{}HERE{}", "a".repeat(5_000), "b".repeat(5_000));
        let said = at(1, 5_001, &line).render(Paint::Plain);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines.iter().all(|line| line.chars().count() < 140),
            "{said}"
        );
        let column = lines[4].chars().position(|c| c == '^').unwrap();
        assert_eq!(
            lines[3].chars().skip(column).take(4).collect::<String>(),
            "HERE"
        );
    }

    #[test]
    fn a_fault_without_a_place_is_one_line() {
        let fault = Fault::new(Exit::Unstarted, "Test", "two\nlines\u{1b}[2J");
        assert_eq!(fault.render(Paint::Plain), "error: two lines\\u{1b}[2J\n");
    }

    #[test]
    fn colours_are_there_only_when_asked_for() {
        let said = at(1, 1, "x").hint("y").render(Paint::Coloured);
        assert!(said.starts_with("\u{1b}[1;31merror:\u{1b}[0m"));
        assert!(
            !at(1, 1, "x")
                .hint("y")
                .render(Paint::Plain)
                .contains('\u{1b}')
        );
    }
}
