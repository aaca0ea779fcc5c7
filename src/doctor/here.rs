//! What can be looked at on this machine, without the tenant.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Check, Verdict};
use crate::config::{self, Config};
use crate::error::Fault;
use crate::graph;
use crate::policy::{Consent, Policy, Rule};
use crate::text;
use crate::unix::{Access, free_space};
use crate::world::World;

/// A run of five thousand mailboxes writes some tens of megabytes.
const TIGHT: u64 = 1 << 30;
const FULL: u64 = 64 << 20;
/// Before each change its intent is written and synced.
const SLOW: Duration = Duration::from_secs(1);

pub(super) fn version() -> Check {
    let program = format!(
        "runback {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    Check::ok("version", program)
}

/// Where the service is, and whether that can be an address of it.
pub(super) fn address(root: &str, simulated: Option<f64>) -> Check {
    match (simulated, graph::check_root(root)) {
        (Some(speed), _) => Check::ok(
            "address",
            format!("a simulated tenant in this process, {speed} times as fast"),
        ),
        (None, Ok(())) => Check::ok("address", format!("`{root}`")),
        (None, Err(error)) => Check::of_fault("address", Verdict::Fails, &error.into()),
    }
}

pub(super) fn config(config: &Result<Config, Vec<Fault>>, state: Option<&Path>) -> Vec<Check> {
    match config {
        Ok(config) if config.files.is_empty() => {
            let mut places: Vec<String> = state
                .map(|folder| format!("`{}`", folder.join(config::NAME).display()))
                .into_iter()
                .collect();
            places.push(format!("`{}` in this folder", config::NAME));
            let detail = format!("no config file: there is no {}", places.join(" and no "));
            vec![Check::ok("config", detail)]
        }
        Ok(config) => vec![Check::ok("config", config.summary())],
        Err(faults) => faults
            .iter()
            .map(|fault| Check::of_fault("config", Verdict::Fails, fault))
            .collect(),
    }
}

/// The state folder: there or can be made, ours alone, with room, and what is written to it stays.
pub(super) fn state_folder(folder: Option<&Path>) -> Check {
    let name = "state folder";
    let elsewhere = "name another one with `--state-dir DIR` or RUNBACK_STATE_DIR";
    let Some(folder) = folder else {
        return Check::fails(name, "there is no home folder to keep state in").hint(elsewhere);
    };
    let shown = folder.display();
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    if let Err(error) = made {
        return Check::fails(name, format!("`{shown}` cannot be made: {error}")).hint(elsewhere);
    }
    let (access, took, free) = match examine(folder) {
        Ok(found) => found,
        Err(error) => {
            return Check::fails(name, format!("`{shown}` cannot be written to: {error}"))
                .hint(elsewhere);
        }
    };
    let room = format!("{} free", size(free));
    let detail = format!(
        "`{shown}`, mode {:04o}, {room}, a write is on the disk after {} ms",
        access.mode(),
        took.as_millis()
    );
    if !access.is_mine() {
        return Check::fails(
            name,
            format!("`{shown}` belongs to another user (uid {})", access.owner()),
        )
        .hint(elsewhere);
    }
    if access.group_or_others_can_write() {
        return Check::fails(name, format!("others can write to it: {detail}"))
            .hint(format!("`chmod 700 {shown}`"));
    }
    if free < FULL {
        return Check::fails(name, format!("the disk is full: {detail}"))
            .hint(format!("make room, or {elsewhere}"));
    }
    if !access.is_private() {
        return Check::warning(name, format!("others can read what was restored: {detail}"))
            .hint(format!("`chmod 700 {shown}`"));
    }
    if free < TIGHT {
        return Check::warning(name, format!("little room: {detail}"))
            .hint(format!("make room, or {elsewhere}"));
    }
    if took > SLOW {
        return Check::warning(name, format!("slow: {detail}"))
            .hint("each change to the tenant waits for a write: put the folder on a local disk");
    }
    Check::ok(name, detail)
}

/// Whose it is, how long a synced write takes, how many bytes are free.
fn examine(folder: &Path) -> io::Result<(Access, Duration, u64)> {
    let access = Access::of(&fs::metadata(folder)?);
    let file = folder.join(format!(".doctor-{}", std::process::id()));
    let begun = Instant::now();
    let written = File::create_new(&file)
        .and_then(|mut file| {
            file.write_all(b"runback doctor\n")?;
            file.sync_all()
        })
        // The name is on the disk with the folder.
        .and_then(|()| File::open(folder)?.sync_all());
    let took = begun.elapsed();
    let _ = fs::remove_file(&file);
    written?;
    Ok((access, took, free_space(folder)?))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", text::number(bytes >> 30)),
    }
}

/// The policy file: there, nobody else's to write, and every line a rule.
pub(super) fn policy(file: Option<&Path>) -> Check {
    let Some(file) = file else {
        return Check::ok(
            "policy",
            "none: reading and drafting are free, activating and deleting ask",
        );
    };
    match Policy::open(file) {
        Ok(policy) => Check::ok(
            "policy",
            format!("`{}`: {}", file.display(), rules(&policy)),
        ),
        Err(fault) => Check::of_fault("policy", Verdict::Fails, &fault),
    }
}

/// Which rules it has, and who gives consent.
fn rules(policy: &Policy) -> String {
    let set: Vec<&str> = Rule::ALL
        .into_iter()
        .filter(|rule| policy.place(*rule).is_some())
        .map(Rule::name)
        .collect();
    if set.is_empty() {
        return "no rule, so it limits nothing".to_owned();
    }
    let consent = match policy.rules().consent() {
        None => "consent at a prompt or with `--yes`",
        Some(Consent::Ask) => "consent at a prompt, never with `--yes`",
        Some(Consent::Given) => "consent is given to all that it lets through",
        Some(Consent::File) => "consent by somebody else, in the watched folder",
    };
    format!("{}; {consent}", set.join(", "))
}

pub(super) fn proxy(root: &str, world: &World) -> Check {
    let set = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| world.variable(name).is_some());
    Check::ok(
        "proxy",
        match (graph::proxy(root), set) {
            (Some(proxy), Some(name)) => format!("`{proxy}`, by {name}"),
            (Some(proxy), None) => format!("`{proxy}`, by the system's settings"),
            (None, Some(name)) => {
                format!(
                    "none for this address: NO_PROXY or the address itself excludes it from {name}"
                )
            }
            (None, None) => "none".to_owned(),
        },
    )
}

pub(super) fn ca_file(file: Option<&Path>) -> Check {
    let Some(file) = file else {
        return Check::ok("CA file", "none: the system's certificates are trusted");
    };
    match graph::authorities(file) {
        Ok(count) => Check::ok(
            "CA file",
            format!(
                "`{}`, {count} certificates, beside the system's",
                file.display()
            ),
        ),
        Err(error) => Check::of_fault("CA file", Verdict::Fails, &error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_state_folder_is_made_ours_alone_and_left_as_it_was() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/state");
        let check = state_folder(Some(&folder));
        assert_ne!(check.result, Verdict::Fails, "{check:?}");
        assert!(check.detail.contains("mode 0700"), "{check:?}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        for (mode, result) in [
            (0o770, Verdict::Fails),
            (0o702, Verdict::Fails),
            (0o750, Verdict::Warning),
        ] {
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            let check = state_folder(Some(&folder));
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.hint.unwrap().contains("chmod 700"));
        }
    }

    #[test]
    fn a_state_folder_that_cannot_be_is_told_with_a_way_out() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for folder in [None, Some(file.path()), Some(&file.path().join("x"))] {
            let check = state_folder(folder);
            assert_eq!(check.result, Verdict::Fails);
            assert!(check.hint.unwrap().contains("--state-dir"));
        }
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(5 << 20), "5 MiB");
        assert_eq!(size(3 << 30), "3 GiB");
        assert_eq!(size(5000 << 30), "5,000 GiB");
    }
}
