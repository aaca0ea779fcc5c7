//! `csv::`: tables that come from and go to spreadsheets.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

use super::globals;
use super::objects;
use super::rows;
use super::times;
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::files::{Draft, Files};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::trace;
use crate::script::words;

const READ: &str = "Reads a CSV file: one map for each row, by the names in its first line.

- The mark of UTF-8, `;` and tab between cells are found out. Cells are texts.
- Options: `columns` (types of some columns: `\"int\"`, `\"float\"`, `\"bool\"`, `\"datetime\"`, `\"duration\"`; an empty cell of these is `()`).
- Throws `BadCsv` with the line in the file, `NoFile`, `FileDenied`.
- Policy class: none. Files only under the script's folder and `--data`, and what an argument of type `file` grants.

```rhai
let people = csv::read(args.people, #{columns: #{before: \"datetime\"}});
let rows = exchange::points_before(people.map(|line| #{item: line.mail, before: line.before}));
```";

const WRITE: &str = "Writes rows as a CSV file; nobody sees half of it.

- `rows`: maps or Graph objects; an array, a list or a stream.
- `columns`: which, and in which order; without them, all.
- Cells that a spreadsheet would take for a formula (`= + - @`) get a `'` in front.
- Throws `FileDenied`, `FileError`, `NoSuchProperty` for a column that no row has.
- Policy class: none. Files only under the script's folder and `--data`.

```rhai
csv::write(\"missing.csv\", rows.filter(|row| row.point == ()), [\"name\", \"code\"]);
```";

const WRITER: &str = "Begins a CSV file that is written row by row; it gets its name at `.close()`, or when the script is through with it.

- Throws `FileDenied`, `FileError`.
- Policy class: none. Files only under the script's folder and `--data`.

```rhai
let out = csv::writer(\"coverage.csv\");
for row in exchange::coverage() { out.row(#{name: row.name, code: row.code}); }
out.close();
```";

const ROW: &str = "Writes one row. The first one's names are the columns.

- `row`: a map or a Graph object.
- Throws `BadCsv` for a name that the first row did not have, `Closed`, `FileError`.
- Policy class: none.

```rhai
let out = csv::writer(\"wave.csv\");
for row in rows { out.row(#{name: row.name, code: row.code}); }
out.close();
```";

const CLOSE: &str = "Ends the file and gives it its name. Closing twice does nothing.

- Throws `FileError`.
- Policy class: none.

```rhai
let out = csv::writer(\"names.csv\");
out.row(#{name: \"Rania Shah\"});
out.close();
```";

pub(crate) fn register(library: &mut Library) {
    library.function(
        "csv",
        "read",
        &["path: text", "-> rows"],
        READ,
        |ctx: NativeCallContext, path: ImmutableString| -> Raised<Array> {
            read(&Host::of(&ctx).files, &path, &Map::new()).raise(&ctx)
        },
    );
    library.function(
        "csv",
        "read",
        &["path: text", "options: map", "-> rows"],
        "",
        |ctx: NativeCallContext, path: ImmutableString, options: Map| -> Raised<Array> {
            let options = OptionMap::read(options, &["columns"]).raise(&ctx)?;
            let types = options.map("columns").raise(&ctx)?.unwrap_or_default();
            read(&Host::of(&ctx).files, &path, &types).raise(&ctx)
        },
    );
    library.function(
        "csv",
        "write",
        &["path: text", "rows: list"],
        WRITE,
        |ctx: NativeCallContext, path: ImmutableString, rows: Dynamic| -> Raised<()> {
            let rows = objects::collect(&ctx, &rows)?;
            let columns = globals::columns_of(&rows);
            write(&Host::of(&ctx).files, &path, &rows, &columns).raise(&ctx)
        },
    );
    library.function(
        "csv",
        "write",
        &["path: text", "rows: list", "columns: array of text"],
        "",
        |ctx: NativeCallContext,
         path: ImmutableString,
         rows: Dynamic,
         columns: Array|
         -> Raised<()> {
            let rows = objects::collect(&ctx, &rows)?;
            let columns: Vec<_> = columns.iter().map(convert::show).collect();
            for name in &columns {
                rows::known_column(&rows, name).raise(&ctx)?;
            }
            write(&Host::of(&ctx).files, &path, &rows, &columns).raise(&ctx)
        },
    );
    library.type_name::<CsvWriter>("csv writer");
    library.function(
        "csv",
        "writer",
        &["path: text", "-> csv writer"],
        WRITER,
        |ctx: NativeCallContext, path: ImmutableString| -> Raised<CsvWriter> {
            let draft = Host::of(&ctx).files.draft(&path).raise(&ctx)?;
            Ok(CsvWriter(Arc::new(Mutex::new(Writing {
                file: Some(draft),
                columns: None,
            }))))
        },
    );
    library.method(
        "csv writer",
        "row",
        &["row: map"],
        ROW,
        |ctx: NativeCallContext, writer: &mut CsvWriter, row: Dynamic| -> Raised<()> {
            writer.row(&row).raise(&ctx)
        },
    );
    library.method(
        "csv writer",
        "close",
        &[],
        CLOSE,
        |ctx: NativeCallContext, writer: &mut CsvWriter| -> Raised<()> {
            let file = writer
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .file
                .take();
            file.map_or(Ok(()), Draft::keep).raise(&ctx)
        },
    );
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new("BadCsv", message)
}

fn read(files: &Files, path: &str, types: &Map) -> Result<Array, Failure> {
    decode(path, &files.read(path)?, types)
}

/// The rows of a file; `path` stands in messages.
pub(crate) fn decode(path: &str, bytes: &[u8], types: &Map) -> Result<Array, Failure> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(bad(format!("`{path}` is UTF-16")).hint("save it as \"CSV UTF-8\""));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .from_reader(bytes);
    // The reader counts a record from where it began to look for it: blank lines in front are not its own.
    let line_of = |position: Option<&csv::Position>| {
        let from = position.map_or(0, |position| {
            usize::try_from(position.byte())
                .unwrap_or_default()
                .min(bytes.len())
        });
        let blank = bytes[from..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        bytes[..from + blank].split(|byte| *byte == b'\n').count()
    };
    let unreadable = |error: &csv::Error| unreadable(path, line_of(error.position()), error);
    let names: Vec<String> = reader
        .headers()
        .map_err(|error| unreadable(&error))?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let mut known = HashSet::new();
    for name in &names {
        if !known.insert(name) {
            return Err(bad(format!("`{path}` has two columns `{name}`")));
        }
    }
    let kinds = kinds(path, &names, types)?;
    let mut rows = Array::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        // Only where it is needed: it is counted from the first byte.
        let line = || line_of(record.position());
        let cells = names
            .iter()
            .zip(&kinds)
            .zip(&record)
            .map(|((name, kind), cell)| {
                let value = typed(kind, cell).map_err(|wanted| {
                    bad(format!(
                        "`{path}` line {}, column `{name}`: `{cell}` is no {wanted}",
                        line()
                    ))
                })?;
                Ok((name.as_str().into(), value))
            });
        rows.push(cells.collect::<Result<Map, Failure>>()?.into());
    }
    Ok(rows)
}

/// The separator of the first line that stands outside quotes most often.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| delimiter == byte)
                {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    // The comma wins where nothing speaks against it.
    counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| *delimiter)
}

fn unreadable(path: &str, line: usize, error: &csv::Error) -> Failure {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => bad(format!(
            "`{path}` line {line} has {len} cells, the first line {expected_len}"
        )),
        csv::ErrorKind::Utf8 { .. } => {
            bad(format!("`{path}` line {line} is no UTF-8 text")).hint("save it as \"CSV UTF-8\"")
        }
        _ => bad(format!("`{path}` cannot be read: {error}")),
    }
}

const TYPES: [&str; 6] = ["string", "int", "float", "bool", "datetime", "duration"];

/// For each column the type that was asked for.
fn kinds(path: &str, names: &[String], types: &Map) -> Result<Vec<&'static str>, Failure> {
    let mut kinds = vec!["string"; names.len()];
    for (name, kind) in types {
        let Some(at) = names.iter().position(|known| known == name.as_str()) else {
            let failure = bad(format!("`{path}` has no column `{name}`"));
            return Err(
                match words::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!(
                        "it has {}",
                        words::list(names.iter().map(String::as_str))
                    )),
                },
            );
        };
        let kind = convert::show(kind);
        let known = TYPES.iter().find(|known| **known == kind);
        kinds[at] = known.ok_or_else(|| {
            bad(format!("`{kind}` is no type of a column"))
                .hint(format!("the types are {}", words::list(TYPES)))
        })?;
    }
    Ok(kinds)
}

fn typed(kind: &'static str, cell: &str) -> Result<Dynamic, &'static str> {
    let text = cell.trim();
    if kind == "string" {
        return Ok(cell.to_owned().into());
    }
    if text.is_empty() {
        return Ok(Dynamic::UNIT);
    }
    let value = match kind {
        "int" => text.parse::<i64>().ok().map(Dynamic::from),
        "float" => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Dynamic::from),
        "bool" => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true.into()),
            "false" | "no" | "0" => Some(false.into()),
            _ => None,
        },
        "datetime" => times::datetime(text).ok().map(Dynamic::from),
        _ => times::duration(text).ok().map(Dynamic::from),
    };
    value.ok_or(match kind {
        "int" => "whole number",
        "float" => "number",
        "bool" => "true or false",
        "datetime" => "datetime with its offset, such as 2026-11-20T03:00:00Z",
        _ => "duration",
    })
}

/// The text of a cell. What a spreadsheet would calculate is made plain text by a `'`; numbers are what they are.
fn cell(value: &Dynamic) -> Result<String, Failure> {
    let json = convert::to_json(value)?;
    if let serde_json::Value::Number(number) = json {
        return Ok(number.to_string());
    }
    let text = match json {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(guarded(text))
}

/// DESIGN, section 2: cells that start with `= + - @`, tab or CR.
fn guarded(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

fn line(cells: &[String]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer
        .write_record(cells)
        .map_err(|error| bad(error.to_string()))?;
    writer.into_inner().map_err(|error| bad(error.to_string()))
}

fn write(files: &Files, path: &str, rows: &[Dynamic], columns: &[String]) -> Result<(), Failure> {
    let mut bytes = line(&columns.iter().cloned().map(guarded).collect::<Vec<_>>())?;
    for row in rows {
        let cells = columns.iter().map(|name| cell(&rows::column(row, name)?));
        bytes.extend(line(&cells.collect::<Result<Vec<_>, _>>()?)?);
    }
    files.write(path, &bytes)
}

/// Shared by all copies of the handle; workers of `parallel` may write to one file.
#[derive(Clone)]
pub(crate) struct CsvWriter(Arc<Mutex<Writing>>);

struct Writing {
    /// `None` when closed.
    file: Option<Draft>,
    columns: Option<Vec<String>>,
}

impl CsvWriter {
    fn row(&self, row: &Dynamic) -> Result<(), Failure> {
        let mut writing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let writing = &mut *writing;
        let file = writing
            .file
            .as_mut()
            .ok_or_else(|| Failure::new("Closed", "the csv writer is closed"))?;
        let names = globals::columns_of(std::slice::from_ref(row));
        if !row.is_map() && !row.is::<crate::script::values::Object>() {
            return Err(trace::needs("a row is a map", row));
        }
        let mut bytes = Vec::new();
        if writing.columns.is_none() {
            bytes = line(&names.iter().cloned().map(guarded).collect::<Vec<_>>())?;
        }
        let columns = writing.columns.get_or_insert_with(|| names.clone());
        if let Some(stranger) = names.iter().find(|name| !columns.contains(name)) {
            let failure = bad(format!("the first row had no column `{stranger}`"));
            return Err(
                match words::nearest(stranger, columns.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!(
                        "it had {}",
                        words::list(columns.iter().map(String::as_str))
                    )),
                },
            );
        }
        let cells = columns.iter().map(|name| {
            if names.contains(name) {
                cell(&rows::column(row, name)?)
            } else {
                Ok(String::new())
            }
        });
        bytes.extend(line(&cells.collect::<Result<Vec<_>, _>>()?)?);
        file.write(&bytes)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // A script that forgot to close has written what it has written.
        if let Some(file) = self.file.take() {
            let _ = file.keep();
        }
    }
}
