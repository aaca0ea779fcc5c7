//! The bytes of a policy file, read once, from a file that nobody else can write.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::bad;
use super::trust::refuse_foreign;
use crate::error::Fault;
use crate::unix;

/// Larger ones are some other file.
const MOST: u64 = 1 << 20;

/// # Errors
/// Exit 2, with what to do about it.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            bad(format!("there is no policy file `{shown}`"))
                .hint("`--policy FILE` or RUNBACK_POLICY names it; `runback doc policy` shows one")
        }
        _ => bad(format!("the policy `{shown}` cannot be read: {error}")),
    };
    // Looked at before it is opened: to open a pipe waits for its writer.
    refuse_special(path, &path.metadata().map_err(unreadable)?)?;
    refuse_foreign("policy", path)?;
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    refuse_special(path, &metadata)?;
    // What was looked at by name is what was opened.
    if !unix::is_same(&metadata, &path.metadata().map_err(unreadable)?) {
        return Err(bad(format!(
            "the policy `{shown}` was exchanged while it was read"
        )));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(bad(format!("the policy `{shown}` is larger than 1 MiB")));
    }
    Ok(bytes)
}

fn refuse_special(path: &Path, metadata: &Metadata) -> Result<(), Fault> {
    let shown = path.display();
    if metadata.is_dir() {
        return Err(bad(format!(
            "`{shown}` is a folder, and a policy is a file"
        )));
    }
    if !metadata.is_file() {
        return Err(bad(format!(
            "`{shown}` is no regular file, and a policy is one"
        )));
    }
    Ok(())
}
