//! `run.log`: what a run says, at most so much of it, and nothing in it that plays tricks on a terminal.

use std::fs::File;
use std::io::{self, Read, Write as _};

use crate::text;

/// A script that says more is stopped.
pub(super) const MOST: u64 = 16 << 20;

/// How the saying ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    All,
    TooMuch,
    /// The disk is full: the run goes on, its log does not.
    Lost,
}

/// Copies everything until nobody writes any more. `too_much` is called once, when the limit is passed; what comes then is
/// read and dropped, so that nobody waits for us.
pub(super) fn keep(mut from: impl Read, mut to: File, too_much: impl FnOnce()) -> Said {
    let mut too_much = Some(too_much);
    let mut said = Said::All;
    let mut written = 0;
    let mut text = Text::default();
    let mut buffer = vec![0; 32 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        if said != Said::All {
            continue;
        }
        let mut safe = text.take(&buffer[..count]);
        written += safe.len() as u64;
        if written > MOST {
            said = Said::TooMuch;
            "\n[runback: the log ends here, at 16 MiB; the run was told to stop]\n"
                .clone_into(&mut safe);
        }
        if to.write_all(safe.as_bytes()).is_err() {
            said = Said::Lost;
        }
        if said == Said::TooMuch
            && let Some(tell) = too_much.take()
        {
            tell();
        }
    }
    if said == Said::All {
        let _ = to.write_all(text.rest().as_bytes());
    }
    said
}

/// Bytes as they come, to text that is safe to show: a character may come in two parts.
#[derive(Default)]
struct Text {
    begun: Vec<u8>,
}

impl Text {
    fn take(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(_) => self.begun.len(),
            // No length: more bytes may make it a character.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                let tail = self.begun.len().saturating_sub(3);
                let start = (tail..self.begun.len()).find(|&at| self.begun[at] >= 0xc0);
                start
                    .filter(|&at| {
                        std::str::from_utf8(&self.begun[at..])
                            .is_err_and(|e| e.error_len().is_none())
                    })
                    .unwrap_or(self.begun.len())
            }
        };
        // A carriage return at the end may be the first half of a line's end.
        let whole = match self.begun[..whole].last() {
            Some(b'\r') => whole - 1,
            _ => whole,
        };
        let rest = self.begun.split_off(whole);
        let part = std::mem::replace(&mut self.begun, rest);
        text::shown(&String::from_utf8_lossy(&part)).into_owned()
    }

    fn rest(&mut self) -> String {
        let part = std::mem::take(&mut self.begun);
        text::shown(&String::from_utf8_lossy(&part)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_parts(bytes: &[u8], length: usize) -> String {
        let mut text = Text::default();
        let mut whole: String = bytes.chunks(length).map(|part| text.take(part)).collect();
        whole.push_str(&text.rest());
        whole
    }

    #[test]
    fn what_is_kept_does_not_depend_on_how_it_came() {
        let rows: [(&[u8], &str); 6] = [
            ("grün €5 🎉\n".as_bytes(), "grün €5 🎉\n"),
            (b"a\r\nb\rc", "a\nb\\rc"),
            (b"\x1b[31mred", "\\u{1b}[31mred"),
            ("\u{202e}x".as_bytes(), "\\u{202e}x"),
            (b"\xff\xfe.", "\u{fffd}\u{fffd}."),
            (b"end \xe2\x82", "end \u{fffd}"),
        ];
        for (bytes, expected) in rows {
            for length in 1..=bytes.len() {
                assert_eq!(in_parts(bytes, length), expected, "{length}");
            }
        }
    }

    #[test]
    fn too_much_is_cut_and_told_once() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("run.log");
        let mut told = 0;
        let endless = io::repeat(b'x').take(MOST * 3);
        let said = keep(endless, File::create(&path).unwrap(), || told += 1);
        assert_eq!((said, told), (Said::TooMuch, 1));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() as u64 <= MOST + 100 && text.ends_with("told to stop]\n"));
        let said = keep(&b"hi\n"[..], File::create(&path).unwrap(), || ());
        assert_eq!(said, Said::All);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hi\n");
    }
}
