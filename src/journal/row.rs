//! Between our types and the columns of a row.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

/// An instant as it is kept: texts of one length, so that they sort by time.
pub(super) fn text_of(instant: Timestamp) -> String {
    format!("{instant:.9}")
}

/// Reads an instant.
pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error: jiff::Error| unreadable(column, error.to_string()))
}

pub(super) fn maybe_instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: jiff::Error| unreadable(column, error.to_string()))
}

/// What a column holds is not what we write there.
pub(super) fn unreadable(column: usize, why: impl Into<String>) -> rusqlite::Error {
    let why: Box<dyn std::error::Error + Send + Sync> = why.into().into();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why)
}

/// Databases count to 2^63.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The other way round.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// As `sha256sum` prints it.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
