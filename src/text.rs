//! Text for people: what may be shown of text from outside, how wide it is, numbers and times with units.
//!
//! Names of mailboxes, messages of the service and whatever a script prints come from others. On a terminal and in logs
//! their control and bidi characters are written out, so that a display name cannot move the cursor or turn a line round.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

/// Characters that change the direction of what stands around them, and the two line ends that no editor shows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of several lines, safe on a terminal: line feeds and tabs stay, other control and bidi characters are written out.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |c| {
        (c.is_control() && c != '\n' && c != '\t') || is_bidi(c)
    })
}

/// Text on one line, safe on a terminal: line ends and tabs become spaces.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.contains(['\n', '\r', '\t']) {
        return shown(text);
    }
    let words: Vec<&str> = text
        .split(['\n', '\r', '\t'])
        .filter(|part| !part.is_empty())
        .collect();
    Cow::Owned(shown(&words.join(" ")).into_owned())
}

/// JSON text with its bidi characters as `\uXXXX`, which means the same to a parser, and so the control characters that may stand in it.
pub(crate) fn json_shown(json: &str) -> Cow<'_, str> {
    // Those below a space have no place in a JSON text but between its parts.
    let is_unsafe = |c: char| is_bidi(c) || ('\u{7f}'..='\u{9f}').contains(&c);
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_unsafe(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Text with every character that is unsafe where it goes written out as `\u{…}`.
pub(crate) fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // A Windows line end is harmless; a lone one would overwrite the line.
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => safe.push_str("\\r"),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Columns that this text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// At most `columns` columns of the text, the cut shown by `…`.
pub(crate) fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    // Measured as a whole: an emoji of several characters is not as wide as their sum. And not more of them than letters
    // with some accents each: a thousand take no column either.
    for c in text.chars().take(columns.saturating_mul(8)) {
        cut.push(c);
        if width(&cut) >= columns {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    Cow::Owned(cut)
}

/// `5000` as `5,000`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A length of time in its two largest units: `0.4 s`, `34 s`, `3 min 5 s`, `2 h 14 min`, `1 d 3 h`.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..10 if duration.subsec_millis() >= 50 => format!("{:.1} s", duration.as_secs_f64()),
        0..60 => format!("{seconds} s"),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// Colours, or none. Every message makes sense without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("1;32", text)
    }

    pub(crate) fn blue(self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
}

/// Bytes as lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn what_could_move_the_cursor_is_written_out() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("x\r\ny\rz\tü"), "x\ny\\rz\tü");
        assert_eq!(shown("exe.\u{202e}txt"), "exe.\\u{202e}txt");
        assert_eq!(one_line("a\r\n\tb\n"), "a b");
        assert_eq!(json_shown("\"a\u{202e}\""), "\"a\\u202e\"");
    }

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日…");
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1,234,567");
        let said: Vec<String> = [400, 5_000, 59_900, 185_000, 8_040_000, 97_200_000]
            .map(|millis| time(Duration::from_millis(millis)))
            .into();
        assert_eq!(
            said,
            ["0.4 s", "5 s", "59 s", "3 min 5 s", "2 h 14 min", "1 d 3 h"]
        );
    }

    #[test]
    fn text_is_shown_whatever_comes() {
        let seeds = [
            "a\u{1b}[2Jb",
            "x\r\ny\rz\tü",
            "exe.\u{202e}txt",
            "日本語\u{301}",
            "\u{1f469}\u{200d}\u{1f680}",
        ];
        Target::new(
            "text",
            &seeds,
            &["\u{1b}[", "\u{200f}", "\u{2066}", "\u{85}", "\u{9b}"],
        )
        .attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let shown = shown(&text);
            assert!(
                !shown.contains(|c: char| is_bidi(c) || c.is_control() && c != '\n' && c != '\t'),
                "{shown:?}"
            );
            assert!(!one_line(&text).contains('\n'));
            assert!(!json_shown(&text).contains(is_bidi));
            for columns in [0, 1, 2, 10] {
                assert!(
                    width(&fit(&text, columns)) <= columns.max(1),
                    "{columns}: {text:?}"
                );
            }
            String::new()
        });
    }
}
