//! What the name of a file in the inbox says of it.
//!
//! Names come from others, and may hold any byte but `/` and NUL.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::text;

const SCRIPT: &[u8] = b".rhai";
const ARGUMENTS: &[u8] = b".args.json";
const SIGNATURE: &[u8] = b".minisig";

/// With `.args.json.minisig` in place of `.rhai` it still is a file name.
const LONGEST: usize = 200;

/// The name under which a script is kept whose own name cannot be shown or used.
pub(crate) const NAMELESS: &str = "script.rhai";

/// The files that make one run: the script, its arguments, the signature of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub(crate) script: OsString,
    pub(crate) arguments: OsString,
    pub(crate) script_signature: OsString,
    pub(crate) arguments_signature: OsString,
}

impl Bundle {
    /// Of a script's name.
    pub(crate) fn of(script: &OsStr) -> Self {
        let stem = script
            .as_bytes()
            .strip_suffix(SCRIPT)
            .unwrap_or(script.as_bytes());
        let arguments = OsString::from_vec([stem, ARGUMENTS].concat());
        let signature = |of: &OsStr| OsString::from_vec([of.as_bytes(), SIGNATURE].concat());
        Self {
            script_signature: signature(script),
            arguments_signature: signature(&arguments),
            script: script.to_owned(),
            arguments,
        }
    }

    /// All but the script.
    pub(crate) fn companions(&self) -> [&OsStr; 3] {
        [
            &self.arguments,
            &self.arguments_signature,
            &self.script_signature,
        ]
    }
}

/// A script that is to run. Names that begin with a dot are somebody's temporary files.
pub(crate) fn is_script(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.len() > SCRIPT.len() && name.ends_with(SCRIPT) && !name.starts_with(b".")
}

/// What belongs to a script: arguments, a signature.
pub(crate) fn is_companion(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let signed = name.strip_suffix(SIGNATURE);
    let is_of_script = signed.is_some_and(|signed| is_script(OsStr::from_bytes(signed)));
    let is_of_arguments = signed.unwrap_or(name).ends_with(ARGUMENTS);
    !name.starts_with(b".") && (is_of_script || is_of_arguments)
}

/// Why nothing of this name is let in.
pub(crate) fn refusal(name: &OsStr) -> Option<&'static str> {
    let Some(text) = name.to_str() else {
        return Some("its name is no UTF-8");
    };
    if text.len() > LONGEST {
        return Some("its name is longer than 200 bytes");
    }
    (text::shown(text) != text || text.contains(['\n', '\t', '\u{feff}', '\u{200b}']))
        .then_some("its name holds control characters, or such as change the direction of writing")
}

/// A name for people: on one line, nothing in it that moves the cursor or hides.
pub(crate) fn shown(name: &OsStr) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{feff}')
            || text::shown(c.encode_utf8(&mut [0; 4])) != c.to_string()
    };
    let mut shown = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe(c) {
                shown.extend(c.escape_unicode());
            } else {
                shown.push(c);
            }
        }
        for byte in chunk.invalid() {
            use std::fmt::Write as _;
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    text::fit(&shown, 300).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ends_so_and_is_not_hidden_is_a_script() {
        let rows = [
            ("x.rhai", true, false),
            ("x.y.rhai", true, false),
            (" .rhai", true, false),
            ("-x.rhai", true, false),
            (".rhai", false, false),
            (".x.rhai", false, false),
            ("x.rhai~", false, false),
            ("x.RHAI", false, false),
            ("x.rhai.tmp", false, false),
            ("x.rhai.minisig", false, true),
            (".x.rhai.minisig", false, false),
            ("x.args.json", false, true),
            ("x.args.json.minisig", false, true),
            ("x.json", false, false),
            ("approved", false, false),
            ("", false, false),
        ];
        for (name, script, companion) in rows {
            let name = OsStr::new(name);
            assert_eq!(
                (is_script(name), is_companion(name)),
                (script, companion),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_bundle_is_named_after_its_script() {
        let bundle = Bundle::of(OsStr::new("a.b.rhai"));
        assert_eq!(
            bundle.companions().map(|name| name.to_str().unwrap()),
            ["a.b.args.json", "a.b.args.json.minisig", "a.b.rhai.minisig"]
        );
    }

    #[test]
    fn a_name_that_plays_tricks_is_refused_and_shown_harmless() {
        let rows: [(&[u8], bool, &str); 9] = [
            (b"night.rhai", true, "night.rhai"),
            ("nächtlich (2).rhai".as_bytes(), true, "nächtlich (2).rhai"),
            (b"a\nb.rhai", false, "a\\u{a}b.rhai"),
            (b"a\x1b[2Jb.rhai", false, "a\\u{1b}[2Jb.rhai"),
            (b"a\tb.rhai", false, "a\\u{9}b.rhai"),
            (
                "a\u{202e}iahr.b.rhai".as_bytes(),
                false,
                "a\\u{202e}iahr.b.rhai",
            ),
            ("a\u{200b}.rhai".as_bytes(), false, "a\\u{200b}.rhai"),
            (b"a\xffb.rhai", false, "a\\xffb.rhai"),
            (b"a\x7f.rhai", false, "a\\u{7f}.rhai"),
        ];
        for (name, is_good, seen) in rows {
            let name = OsStr::from_bytes(name);
            assert_eq!(refusal(name).is_none(), is_good, "{name:?}");
            assert_eq!(shown(name), seen);
        }
        assert!(refusal(OsStr::new(&format!("{}.rhai", "x".repeat(250)))).is_some());
    }
}
