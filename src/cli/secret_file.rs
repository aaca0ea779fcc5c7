//! A client secret in a file: for who would not have it in the environment, and for config files, which hold no secrets.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::flags::SecretFlags;
use crate::error::{Exit, Fault};
use crate::unix::Access;
use crate::world::World;

const VARIABLE: &str = "AZURE_CLIENT_SECRET";
/// Larger ones are some other file.
const MOST: u64 = 64 * 1024;

/// A world in which `AZURE_CLIENT_SECRET` is what the file holds.
///
/// A variable that is set is stronger than a file that a variable or a config file names; one that the command line names
/// is stronger than the variable.
///
/// # Errors
/// Exit 2: the file cannot be read, others could read it, or it holds no secret.
pub(super) fn behind(flags: &SecretFlags, world: &World) -> Result<World, Fault> {
    let mut world = world.clone();
    let is_set = world.variable(VARIABLE).is_some();
    let Some(path) = &flags.client_secret_file else {
        return Ok(world);
    };
    if is_set && !flags.is_typed {
        return Ok(world);
    }
    let secret = Arc::new(read(path)?);
    let outside = world.environment.clone();
    world.environment = Arc::new(move |name| match name {
        VARIABLE => Some(secret.expose_secret().to_owned()),
        other => outside(other),
    });
    Ok(world)
}

fn read(path: &Path) -> Result<SecretString, Fault> {
    let what = "client secret's file";
    let text = text(what, path)?;
    // An editor ends the line.
    let secret = text.trim();
    let bad = |why: &str| {
        let message = format!("the {what} `{}` {why}", path.display());
        Fault::new(Exit::Unstarted, "BadSecretFile", message)
    };
    if secret.is_empty() {
        return Err(bad("is empty"));
    }
    if secret.contains(char::is_whitespace) {
        return Err(bad("holds more than one word").hint("the secret's value alone, on one line"));
    }
    Ok(SecretString::from(secret.to_owned()))
}

/// What stands in a file that nobody else can read.
///
/// # Errors
/// Exit 2: the file cannot be read, or others could read it.
pub(super) fn text(what: &str, path: &Path) -> Result<String, Fault> {
    let shown = path.display();
    let bad = |why: String| {
        let message = format!("the {what} `{shown}` {why}");
        Fault::new(Exit::Unstarted, "BadSecretFile", message)
    };
    let mut file = File::open(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
    let metadata = file
        .metadata()
        .map_err(|error| bad(format!("cannot be read: {error}")))?;
    if metadata.is_dir() {
        return Err(bad("is a folder".to_owned()));
    }
    let access = Access::of(&metadata);
    // A pipe belongs to whoever has opened it: `--client-secret-file <(pass show runback)`.
    if metadata.is_file() {
        if !access.is_trusted() {
            return Err(bad(format!(
                "belongs to another user (uid {})",
                access.owner()
            )));
        }
        if !access.is_private() {
            return Err(bad(format!(
                "can be read by others (mode {:04o})",
                access.mode()
            ))
            .hint(format!(
                "`chmod 600 {shown}`; if others may have read it, make a new secret"
            )));
        }
    }
    let mut text = String::new();
    file.by_ref()
        .take(MOST)
        .read_to_string(&mut text)
        .map_err(|error| bad(format!("cannot be read: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn world(secret: Option<&'static str>) -> World {
        let mut world = World::real();
        world.environment = Arc::new(move |name| match name {
            VARIABLE => secret.map(str::to_owned),
            "OTHER" => Some("other".to_owned()),
            _ => None,
        });
        world
    }

    #[test]
    fn a_file_stands_behind_the_variable_unless_it_was_typed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, "of-file\n").unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let rows = [
            (false, None, "of-file"),
            (false, Some("of-variable"), "of-variable"),
            (true, Some("of-variable"), "of-file"),
        ];
        for (is_typed, variable, expected) in rows {
            let flags = SecretFlags {
                client_secret_file: Some(path.clone()),
                is_typed,
            };
            let world = behind(&flags, &world(variable)).unwrap();
            assert_eq!(world.variable(VARIABLE).as_deref(), Some(expected));
            assert_eq!(world.variable("OTHER").as_deref(), Some("other"));
        }
        let none = behind(&SecretFlags::default(), &world(None)).unwrap();
        assert_eq!(none.variable(VARIABLE), None);
    }

    #[test]
    fn a_file_that_others_can_read_or_that_holds_no_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (mode, content, why) in [
            (0o640, "hush", "mode 0640"),
            (0o604, "hush", "mode 0604"),
            (0o600, " \n", "is empty"),
            (0o600, "hush hush", "more than one word"),
        ] {
            write(&path, content).unwrap();
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let fault = read(&path).unwrap_err();
            assert!(fault.message.contains(why), "{fault}");
            assert!(!format!("{fault:?}").contains("hush"));
        }
        assert!(read(&folder.path().join("no")).is_err());
        assert!(
            read(folder.path())
                .unwrap_err()
                .message
                .ends_with("is a folder")
        );
    }
}
