//! Signs a script and its arguments with a key of minisign, so that a watched folder lets them in.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use minisign::{PublicKey, SecretKey, SecretKeyBox};
use secrecy::{ExposeSecret as _, SecretString};

use super::claim::hash;
use super::entry::LARGEST;
use super::{arguments, names};
use crate::error::{Exit, Fault};
use crate::run::replace;
use crate::text;

/// A secret key, ready to sign.
pub(crate) struct Signer {
    secret: SecretKey,
    public: PublicKey,
    /// As minisign shows it.
    id: String,
}

/// What was signed.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) key: String,
    pub(crate) expires: Timestamp,
    /// Everything that belongs into the inbox, in the order in which it should be copied there: what completes it last.
    pub(crate) files: Vec<PathBuf>,
}

fn bad(message: String) -> Fault {
    Fault::new(Exit::Unstarted, "BadKey", message)
}

impl Signer {
    /// Reads a key file of minisign. `password` is asked for where the key has one.
    ///
    /// # Errors
    /// Exit 2: it cannot be read, or the password is another one.
    pub(crate) fn open(
        path: &Path,
        password: impl FnOnce() -> Result<SecretString, Fault>,
    ) -> Result<Self, Fault> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| {
            bad(format!("the key `{shown}` cannot be read: {error}"))
                .hint("`minisign -G` makes a pair of keys; `--key FILE` names the secret one")
        };
        let mut text = String::new();
        fs::File::open(path)
            .map_err(unreadable)?
            .take(64 << 10)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        let none = || bad(format!("`{shown}` is no secret key of minisign"));
        let secret = match kind(&text) {
            None => return Err(none()),
            // The tool's own keys without a password have no checksum, which the library wants to see.
            Some((Lock::None, bytes)) => SecretKey::from_bytes(&bytes).map_err(|_| none())?,
            Some((Lock::Password, _)) => {
                let password = password()?;
                let key = SecretKeyBox::from_string(&text).map_err(|_| none())?;
                let password = password.expose_secret().to_owned();
                key.into_secret_key(Some(password)).map_err(|error| {
                    bad(format!("the key `{shown}` cannot be used: {error}"))
                        .hint("another password, or a damaged file")
                })?
            }
        };
        let public = PublicKey::from_secret_key(&secret).map_err(|_| none())?;
        let id: Vec<u8> = public.keynum().iter().rev().copied().collect();
        let id = text::hex(&id).to_uppercase();
        Ok(Self { secret, public, id })
    }

    /// Writes the signatures beside a script and its arguments.
    ///
    /// # Errors
    /// Exit 2: something cannot be read or written, or no inbox would take it.
    pub(crate) fn sign(
        &self,
        script: &Path,
        now: Timestamp,
        life: Duration,
    ) -> Result<Signed, Fault> {
        let name = script.file_name().unwrap_or_default();
        if !names::is_script(name) || names::refusal(name).is_some() {
            let message = format!(
                "`{}` has no name that a watched folder takes",
                names::shown(name)
            );
            return Err(Fault::new(Exit::Unstarted, "BadName", message)
                .hint("a plain name that ends in `.rhai`"));
        }
        let bundle = names::Bundle::of(name);
        let beside = |name: &std::ffi::OsStr| script.with_file_name(name);
        let bytes = read(script)?;
        let expires = now
            .checked_add(jiff::SignedDuration::try_from(life).unwrap_or(jiff::SignedDuration::MAX))
            .ok()
            .and_then(|at| Timestamp::from_second(at.as_second()).ok())
            .ok_or_else(|| {
                let message = "the signature would expire after the end of time";
                Fault::new(Exit::Unstarted, "BadFlag", message).hint("write a shorter `--expires`")
            })?;
        let mut files = Vec::new();
        // With it the script does not run without them.
        let mut with = String::new();
        let arguments = beside(&bundle.arguments);
        let head = |name: &std::ffi::OsStr| {
            let second = now.as_second();
            format!(
                "timestamp:{second}\tfile:{}\texpires:{expires}",
                names::shown(name)
            )
        };
        if arguments.symlink_metadata().is_ok() {
            let document = read(&arguments)?;
            arguments::read(&names::shown(&bundle.arguments), &document)?;
            let comment = format!(
                "{}\tscript-sha256:{}\tnonce:{}",
                head(&bundle.arguments),
                hash(&bytes),
                nonce()
            );
            let signature = beside(&bundle.arguments_signature);
            self.write(&document, &comment, &signature)?;
            with = format!("\targs:{}", hash(&document));
            files.extend([arguments, signature]);
        }
        let comment = format!("{}\tnonce:{}{with}", head(&bundle.script), nonce());
        let signature = beside(&bundle.script_signature);
        self.write(&bytes, &comment, &signature)?;
        files.extend([script.to_owned(), signature]);
        Ok(Signed {
            key: self.id.clone(),
            expires,
            files,
        })
    }

    fn write(&self, bytes: &[u8], comment: &str, path: &Path) -> Result<(), Fault> {
        let untrusted = format!("signature from runback, key {}", self.id);
        let signature = minisign::sign(
            None,
            &self.secret,
            Cursor::new(bytes),
            Some(comment),
            Some(&untrusted),
        )
        .map_err(|error| bad(format!("nothing can be signed with this key: {error}")))?;
        // A damaged key signs too.
        minisign::verify(
            &self.public,
            &signature,
            Cursor::new(bytes),
            true,
            false,
            false,
        )
        .map_err(|_| bad("what this key signs does not hold: the key is damaged".to_owned()))?;
        replace(path, signature.into_string().as_bytes()).map_err(|error| {
            let message = format!("`{}` cannot be written: {error}", path.display());
            Fault::new(Exit::Unstarted, "ReportLost", message)
        })
    }
}

/// What keeps a key from being used.
enum Lock {
    None,
    Password,
}

/// Source: jedisct1/minisign, "Secret key format": algorithm, key derivation, checksum's algorithm, …
fn kind(text: &str) -> Option<(Lock, Vec<u8>)> {
    let bytes = STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    match bytes.get(..4)? {
        [b'E', b'd', 0, 0] => Some((Lock::None, bytes)),
        [b'E', b'd', b'S', b'c'] => Some((Lock::Password, bytes)),
        _ => None,
    }
}

/// No two signatures are one order.
fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let shown = path.display();
    let unreadable = |why: String| {
        let message = format!("`{shown}` cannot be read: {why}");
        Fault::new(Exit::Unstarted, "UnreadableFile", message)
    };
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("`{shown}` is larger than 1 MiB, and no watched folder takes it");
        return Err(Fault::new(Exit::Unstarted, "TooLarge", message));
    }
    Ok(bytes)
}

/// Writes arguments as `x.args.json`, beside a script.
///
/// # Errors
/// Exit 2: the file cannot be written.
pub(crate) fn write_arguments(script: &Path, pairs: &[(String, String)]) -> Result<PathBuf, Fault> {
    let mut document = serde_json::Map::new();
    for (name, value) in pairs {
        match document.get_mut(name) {
            None => {
                document.insert(name.clone(), value.clone().into());
            }
            // Repeated, as only a list may be, whose items stand between commas.
            Some(known) => {
                let text = known.as_str().unwrap_or_default().to_owned();
                *known = format!("{text},{value}").into();
            }
        }
    }
    let bundle = names::Bundle::of(script.file_name().unwrap_or_default());
    let path = script.with_file_name(bundle.arguments);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    replace(&path, text.as_bytes()).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        Fault::new(Exit::Unstarted, "ReportLost", message)
    })?;
    Ok(path)
}
