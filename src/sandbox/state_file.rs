//! The sandbox in a file: what was asked of it, line by line, to be asked again when it starts.
//!
//! Everything the sandbox stores follows from the seed, the requests that changed something, and their times. So the file
//! is the list of these requests, and loading it carries them out again. A line is written before its request is carried
//! out: what has been answered is in the file, whenever the process is killed. A last line that was cut off was never
//! answered and is dropped.
//!
//! ```text
//! {"sandbox":1,"seed":1,"users":100,"begun":"…","nonce":17}      first line
//! {"at":"…","total":{"counts":{…},"asked":9,"hits":[0],…}}       all requests before the last start
//! {"at":"…","count":"GET /users"}                                a request that came in
//! {"at":"…","call":"POST /beta/…","by":null,"type":"…","body":"…"}   one that can change something
//! {"at":"…","control":"break","wall":…,"body":{…}}               the same below /_sandbox
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The form that this code reads and writes.
const FORM: u32 = 1;

/// What a sandbox must have in common with its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    sandbox: u32,
    pub(super) seed: u64,
    pub(super) users: u32,
    pub(super) begun: Timestamp,
    pub(super) nonce: u64,
}

impl Header {
    pub(super) fn new(seed: u64, users: u32, begun: Timestamp, nonce: u64) -> Self {
        Self {
            sandbox: FORM,
            seed,
            users,
            begun,
            nonce,
        }
    }
}

/// One line after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Service time.
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) what: Event,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Event {
    Total {
        total: Total,
    },
    Count {
        count: String,
        /// What the caller did wrong in sending it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        violation: Option<String>,
        /// How often each fault rule has hit by now, where one just did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hits: Option<Vec<u64>>,
    },
    Call(Change),
    Control {
        control: String,
        /// Wall time in milliseconds.
        wall: u64,
        body: Map<String, Value>,
    },
}

/// A request that can change something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    /// Method, version and path.
    pub(super) call: String,
    /// The person in whose name it was made.
    pub(super) by: Option<u32>,
    #[serde(rename = "type")]
    pub(super) content_type: String,
    pub(super) body: String,
}

/// What counted before the last start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Total {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) violations: Vec<String>,
    /// The fault rules, and how many requests they were asked about.
    pub(super) rules: String,
    pub(super) asked: u64,
    pub(super) hits: Vec<u64>,
}

/// An open state file.
pub(super) struct StateFile {
    path: PathBuf,
    file: File,
    /// The file that was there before: its lock keeps a second sandbox from starting on it.
    _before: Option<File>,
}

/// A file as it was found.
pub(super) struct Found {
    pub(super) header: Header,
    pub(super) lines: Vec<Line>,
    locked: File,
}

impl Found {
    /// Reads a state file; nothing where there is none.
    ///
    /// # Errors
    /// A file that another sandbox has open, that is none, or that cannot be read.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let locked = match File::options().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if locked.try_lock().is_err() {
            let why = "another sandbox is working with it";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
        }
        let text = fs::read_to_string(path)?;
        if text.is_empty() {
            return Ok(None);
        }
        // What follows the last line break was cut off while it was written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut lines = whole.lines();
        let header = lines
            .next()
            .and_then(|line| serde_json::from_str::<Header>(line).ok());
        let header = header.filter(|header| header.sandbox == FORM);
        let header = header.ok_or_else(|| invalid("it is no state file of a sandbox".into()))?;
        let mut read = Vec::new();
        for (number, line) in (2..).zip(lines) {
            let line = serde_json::from_str(line)
                .map_err(|error| invalid(format!("line {number} cannot be read: {error}")))?;
            read.push(line);
        }
        Ok(Some(Self {
            header,
            lines: read,
            locked,
        }))
    }
}

impl StateFile {
    /// Writes a new file in the place of what was found: counts in one line, changes as they were.
    pub(super) fn create(
        path: &Path,
        header: &Header,
        lines: &[Line],
        found: Option<Found>,
    ) -> io::Result<Self> {
        let file = write(path, header, lines)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            _before: found.map(|found| found.locked),
        })
    }

    /// Appends a line. One write: a killed process leaves all of it or a part without a line break.
    pub(super) fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }

    /// Begins anew.
    pub(super) fn reset(&mut self, header: &Header) -> io::Result<()> {
        self.file = write(&self.path, header, &[])?;
        Ok(())
    }
}

/// Writes a whole file under another name and renames it; gives it open for appending.
fn write(path: &Path, header: &Header, lines: &[Line]) -> io::Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&new)?;
    let mut out = io::BufWriter::new(&file);
    writeln!(out, "{}", json!(header))?;
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    drop(out);
    file.sync_all()?;
    drop(file);
    let file = File::options().append(true).open(&new)?;
    file.try_lock()?;
    fs::rename(&new, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::new(1, 100, Timestamp::UNIX_EPOCH, 17)
    }

    fn line(count: &str) -> Line {
        Line {
            at: Timestamp::UNIX_EPOCH,
            what: Event::Count {
                count: count.into(),
                violation: None,
                hits: None,
            },
        }
    }

    #[test]
    fn a_cut_line_is_dropped_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        assert!(Found::read(&path).expect("none yet").is_none());
        let mut state = StateFile::create(&path, &header(), &[], None).expect("a file");
        state.append(&line("GET /users")).expect("a line");
        drop(state);
        let whole = fs::read_to_string(&path).expect("text");
        fs::write(&path, format!("{whole}{{\"at\":\"19")).expect("written");
        let found = Found::read(&path).expect("it reads").expect("a file");
        assert_eq!(found.header, header());
        assert_eq!(found.lines, [line("GET /users")]);
        drop(found);
        for (text, said) in [
            (format!("{whole}17\n"), "line 3 cannot be read"),
            ("hello\n".to_owned(), "it is no state file"),
        ] {
            fs::write(&path, text).expect("written");
            let error = Found::read(&path).err().expect("an error").to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn two_sandboxes_do_not_share_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        let first = StateFile::create(&path, &header(), &[], None).expect("a file");
        let error = Found::read(&path).err().expect("it is taken").to_string();
        assert_eq!(error, "another sandbox is working with it");
        drop(first);
        assert!(Found::read(&path).expect("it is free").is_some());
    }

    #[test]
    fn lines_read_back() {
        for what in [
            Event::Total {
                total: Total::default(),
            },
            Event::Call(Change {
                call: "POST /beta/x".into(),
                by: Some(3),
                content_type: "application/json".into(),
                body: "{\"a\":\"\\n\"}".into(),
            }),
            Event::Control {
                control: "break".into(),
                wall: 17,
                body: Map::new(),
            },
            Event::Count {
                count: "GET /users".into(),
                violation: Some("RetryAfter".into()),
                hits: Some(vec![1, 2]),
            },
        ] {
            let line = Line {
                at: Timestamp::UNIX_EPOCH,
                what,
            };
            let text = serde_json::to_string(&line).expect("it writes");
            assert_eq!(serde_json::from_str::<Line>(&text).expect(&text), line);
        }
    }
}
