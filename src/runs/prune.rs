//! Taking old runs out: how old, and the result documents that go with them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::Fault;
use crate::journal::Journal;

const DAY: u64 = 24 * 60 * 60;

/// A duration, or years of 365 days before one: `1y`, `1y6w`. `duration` reads what is no year.
///
/// # Errors
/// In words, for the command line.
pub(crate) fn age(
    text: &str,
    duration: impl Fn(&str) -> Result<Duration, String>,
) -> Result<Duration, String> {
    let wrong = || "write an age like `1y`, `26w` or `90d`".to_owned();
    let Some((years, rest)) = text.split_once('y') else {
        return duration(text).map_err(|_| wrong());
    };
    let years: u64 = years.parse().map_err(|_| wrong())?;
    let seconds = years.checked_mul(365 * DAY).ok_or_else(wrong)?;
    let rest = match rest {
        "" => Duration::ZERO,
        rest => duration(rest).map_err(|_| wrong())?,
    };
    Duration::from_secs(seconds)
        .checked_add(rest)
        .ok_or_else(wrong)
}

/// Deletes the result documents of runs that began before this instant and that the journal does not know: those that were
/// taken out of it, and runs that only read, which never stood in it. Gives how many.
///
/// # Errors
/// The journal cannot be read, or a document cannot be deleted.
pub(crate) fn forget_results(
    journal: &Journal,
    folder: &Path,
    before: Timestamp,
) -> Result<usize, Fault> {
    let failed = |error: io::Error| {
        let message = format!("`{}` cannot be cleared: {error}", folder.display());
        Fault::new(crate::error::Exit::Unstarted, "NotPruned", message)
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(failed)?,
    };
    let mut count = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old = started(&name).is_some_and(|started| started < before);
        if !is_old || journal.run(&name)?.is_some() {
            continue;
        }
        match fs::remove_file(entry.path().join("result.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => {
                removed.map_err(failed)?;
                count += 1;
            }
        }
        // A folder in which something else lies stays.
        let _ = fs::remove_dir(entry.path());
    }
    Ok(count)
}

/// When a run of this name began: `2026-11-24T01-58-33Z-k3f9q2`.
fn started(name: &str) -> Option<Timestamp> {
    let (instant, _) = name.rsplit_once('-')?;
    let (date, time) = instant.split_once('T')?;
    format!("{date}T{}", time.replace('-', ":")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Result<Duration, String> {
        let digits = text.strip_suffix('s').ok_or("no")?;
        digits
            .parse()
            .map(Duration::from_secs)
            .map_err(|_| "no".to_owned())
    }

    #[test]
    fn an_age_may_be_in_years() {
        let rows = [
            ("1y", Some(365 * DAY)),
            ("2y30s", Some(730 * DAY + 30)),
            ("90s", Some(90)),
            ("y", None),
            ("-1y", None),
            ("1y1y", None),
            ("99999999999999999999y", None),
            ("20000000000000000y", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let read = age(text, seconds).ok();
            assert_eq!(read, expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_run_tells_its_start() {
        let started = |name| started(name).map(|instant| instant.to_string());
        let some = Some("2026-11-24T01:58:33Z".to_owned());
        assert_eq!(started("2026-11-24T01-58-33Z-k3f9q2"), some);
        for other in ["notes", "x-y", "2026-11-24", "2026-11-24T01-58-33Z"] {
            assert_eq!(started(other), None, "{other}");
        }
    }

    #[test]
    fn only_old_results_that_nobody_knows_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |name: &str, file: &str| {
            let run = folder.path().join(name);
            fs::create_dir(&run).unwrap();
            fs::write(run.join(file), "{}").unwrap();
        };
        keep("2025-01-01T00-00-00Z-aaaaaa", "result.json");
        keep("2025-01-01T00-00-00Z-bbbbbb", "mine.txt");
        keep("2026-11-01T00-00-00Z-cccccc", "result.json");
        keep("other", "result.json");
        let before = "2026-01-01T00:00:00Z".parse().unwrap();
        let journal = Journal::in_memory();
        assert_eq!(forget_results(&journal, folder.path(), before).unwrap(), 1);
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "2025-01-01T00-00-00Z-bbbbbb",
                "2026-11-01T00-00-00Z-cccccc",
                "other"
            ]
        );
        assert_eq!(
            forget_results(&journal, Path::new("/none"), before).unwrap(),
            0
        );
    }
}
