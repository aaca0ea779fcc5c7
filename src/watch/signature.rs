//! Signatures of scripts, arguments and plans, as minisign makes them.
//!
//! A trusted comment is signed too. Ours holds `key:value` fields between tabs; minisign's own fields may stand among them.

use jiff::Timestamp;
use minisign_verify::{PublicKey as Key, Signature};

use super::claim::hash;
use crate::error::{Exit, Fault};
use crate::instant;
use crate::policy::PublicKey;

/// A document with its signature.
#[derive(Clone, Copy)]
pub(super) struct Signed<'s> {
    /// The file's name, ready to be shown.
    pub(super) name: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) signature: Option<&'s [u8]>,
}

/// What a signature that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// The key's id, as minisign shows it.
    pub(super) key: String,
    fields: Vec<(String, String)>,
}

impl Seal {
    fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// What was signed of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warrant {
    /// The key that signed the script.
    pub(super) key: String,
    /// The key that signed the arguments, where there are any.
    pub(super) arguments_key: Option<String>,
    pub(super) expires: Timestamp,
    pub(super) nonce: String,
}

/// Whether these bytes are a whole signature.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    decode(bytes).is_some()
}

fn decode(bytes: &[u8]) -> Option<Signature> {
    Signature::decode(std::str::from_utf8(bytes).ok()?).ok()
}

fn bad(code: &str, message: String) -> Fault {
    Fault::new(Exit::Unstarted, code, message)
}

/// Verifies one document against the keys.
///
/// # Errors
/// It is not signed, or not by one of these, or was altered.
pub(super) fn verify(signed: Signed<'_>, keys: &[PublicKey]) -> Result<Seal, Fault> {
    let name = signed.name;
    let Some(signature) = signed.signature else {
        let message = format!("`{name}` is not signed: there is no `{name}.minisig` beside it");
        return Err(bad("Unsigned", message).hint(
            "`runback sign` signs a script and its arguments; the policy says `require_signature`",
        ));
    };
    let Some(signature) = decode(signature) else {
        let message = format!("`{name}.minisig` is no signature of minisign");
        return Err(bad("BadSignature", message));
    };
    let mut is_known = false;
    for own in keys {
        let Ok(key) = Key::from_base64(own.text()) else {
            continue;
        };
        // Only hashed signatures: the older kind is not what minisign makes today.
        match key.verify(signed.bytes, &signature, false) {
            Ok(()) => {
                let fields = fields(name, signature.trusted_comment())?;
                let key = own.id().to_owned();
                return Ok(Seal { key, fields });
            }
            Err(minisign_verify::Error::UnexpectedKeyId) => {}
            Err(_) => is_known = true,
        }
    }
    if is_known {
        let message = format!(
            "the signature of `{name}` does not hold: the file or its signature was altered"
        );
        return Err(bad("BadSignature", message));
    }
    let message = format!("`{name}` is signed with a key that is not trusted");
    Err(bad("UntrustedKey", message).hint("the policy names those that are in `trusted_keys`"))
}

/// The fields of a trusted comment. A word without a colon is minisign's own.
fn fields(name: &str, comment: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for field in comment.trim_end_matches('\r').split('\t') {
        let Some((key, value)) = field.split_once(':') else {
            continue;
        };
        if fields.iter().any(|(known, _)| known == key) {
            let message = format!("the trusted comment of `{name}.minisig` says `{key}` twice");
            return Err(bad("BadSignature", message));
        }
        fields.push((key.to_owned(), value.to_owned()));
    }
    Ok(fields)
}

/// Verifies a script and its arguments, and all that their trusted comments must say.
///
/// # Errors
/// Exit 2 with the reason.
pub(super) fn warrant(
    script: Signed<'_>,
    sha256: &str,
    arguments: Option<Signed<'_>>,
    keys: &[PublicKey],
    now: Timestamp,
) -> Result<Warrant, Fault> {
    let seal = verify(script, keys)?;
    let mut expires = comment(script.name, &seal, now)?;
    let mut nonce = seal.field("nonce").unwrap_or_default().to_owned();
    belongs(script.name, seal.field("args"), arguments)?;
    let mut arguments_key = None;
    if let Some(arguments) = arguments {
        let name = arguments.name;
        let seal = verify(arguments, keys)?;
        expires = expires.min(comment(name, &seal, now)?);
        let lacking = |field: &str| {
            let message = format!("the trusted comment of `{name}.minisig` has no `{field}`");
            bad("BadSignature", message).hint("`runback sign` writes it")
        };
        let of = seal
            .field("script-sha256")
            .ok_or_else(|| lacking("script-sha256"))?;
        if !of.eq_ignore_ascii_case(sha256) {
            let message = format!("`{name}` was signed for another script (sha256 {of})");
            return Err(bad("BadSignature", message));
        }
        seal.field("nonce")
            .filter(|nonce| !nonce.is_empty())
            .ok_or_else(|| lacking("nonce"))?
            .clone_into(&mut nonce);
        arguments_key = Some(seal.key);
    }
    Ok(Warrant {
        key: seal.key,
        arguments_key,
        expires,
        nonce,
    })
}

/// A script that was signed together with arguments runs with those, and not with what it takes by itself.
fn belongs(script: &str, wanted: Option<&str>, arguments: Option<Signed<'_>>) -> Result<(), Fault> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let Some(arguments) = arguments else {
        let message = format!(
            "`{script}` was signed together with arguments (sha256 {wanted}), and there are none"
        );
        return Err(bad("NoArguments", message)
            .hint("drop all files that `runback sign` names, in its order"));
    };
    if hash(arguments.bytes).eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let message = format!(
        "`{script}` was signed together with other arguments (sha256 {wanted}) than `{}`",
        arguments.name
    );
    Err(bad("BadSignature", message).hint("sign both again, with the same `runback sign`"))
}

/// What a plan's signature says of itself need not be there, and holds where it is.
pub(super) fn obey(name: &str, seal: &Seal, now: Timestamp) -> Result<(), Fault> {
    if let Some(file) = seal.field("file") {
        is_for(name, file)?;
    }
    match seal.field("expires") {
        Some(expires) => expiry(name, expires, now).map(|_| ()),
        None => Ok(()),
    }
}

/// `file` and `expires`, which each signature must say.
fn comment(name: &str, seal: &Seal, now: Timestamp) -> Result<Timestamp, Fault> {
    let field = |field: &str| {
        seal.field(field).ok_or_else(|| {
            let message = format!("the trusted comment of `{name}.minisig` has no `{field}`");
            bad("BadSignature", message).hint("`runback sign` writes it")
        })
    };
    is_for(name, field("file")?)?;
    expiry(name, field("expires")?, now)
}

fn is_for(name: &str, file: &str) -> Result<(), Fault> {
    if file == name {
        return Ok(());
    }
    let message = format!("`{name}` was signed as `{file}`");
    Err(bad("BadSignature", message).hint("drop it under the name it was signed for"))
}

fn expiry(name: &str, expires: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let instant = instant::rfc3339(expires).ok_or_else(|| {
        let message =
            format!("`{name}.minisig` says `expires:{expires}`, which is no RFC 3339 instant");
        bad("BadSignature", message).hint("write it like `expires:2026-12-01T00:00:00Z`")
    })?;
    if instant <= now {
        let message = format!("the signature of `{name}` expired at {instant}");
        return Err(bad("SignatureExpired", message).hint("sign it again"));
    }
    Ok(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    /// What minisign writes.
    const WHOLE: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1633700835\tfile:test\tprehashed
wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==
";

    #[test]
    fn a_signature_is_whole_only_with_all_its_lines() {
        assert!(is_whole(WHOLE.as_bytes()));
        let ends: Vec<usize> = WHOLE.match_indices('\n').map(|(at, _)| at).collect();
        for end in &ends[..3] {
            assert!(!is_whole(&WHOLE.as_bytes()[..*end]));
        }
        assert!(!is_whole(&WHOLE.as_bytes()[..ends[3] - 10]));
        assert!(!is_whole(b""));
        assert!(!is_whole(b"\xff\xff"));
    }

    #[test]
    fn a_comment_says_nothing_twice() {
        let read = |comment| fields("x.rhai", comment);
        let found = read("timestamp:1\tfile:x.rhai\texpires:2026-12-01T00:00:00Z\thashed").unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[2].1, "2026-12-01T00:00:00Z");
        assert_eq!(read("file:a\tfile:b").unwrap_err().code, "BadSignature");
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_the_comment_must_say_is_looked_at() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let rows = [
            ("file:x.rhai\texpires:2026-11-25T00:00:00Z", None),
            (
                "file:x.rhai\texpires:2026-11-24T00:00:00Z",
                Some("SignatureExpired"),
            ),
            (
                "file:x.rhai\texpires:2026-11-23T00:00:00Z",
                Some("SignatureExpired"),
            ),
            ("file:x.rhai\texpires:tomorrow", Some("BadSignature")),
            (
                "file:x.rhai \texpires:2026-11-25T00:00:00Z",
                Some("BadSignature"),
            ),
            (
                "file:x.rhai\texpires: 2026-11-25T00:00:00Z",
                Some("BadSignature"),
            ),
            ("file:x.rhai\texpires:2026-11-25", Some("BadSignature")),
            (
                "file:y.rhai\texpires:2026-11-25T00:00:00Z",
                Some("BadSignature"),
            ),
            (
                "file:../x.rhai\texpires:2026-11-25T00:00:00Z",
                Some("BadSignature"),
            ),
            ("file:x.rhai", Some("BadSignature")),
            ("expires:2026-11-25T00:00:00Z", Some("BadSignature")),
            ("", Some("BadSignature")),
        ];
        for (text, code) in rows {
            let seal = Seal {
                key: "K".to_owned(),
                fields: fields("x.rhai", text).unwrap(),
            };
            let found = comment("x.rhai", &seal, now).err();
            assert_eq!(found.map(|fault| fault.code).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn a_signature_is_read_whatever_comes() {
        Target::new(
            "watch-signature",
            &[WHOLE],
            &["trusted comment: ", "\t", "file:", "expires:"],
        )
        .attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            format!("{} {:?}", is_whole(bytes), fields("x", &text).is_ok())
        });
    }
}
