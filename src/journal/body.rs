//! Bodies: short ones stand in their row, longer ones are kept once per content and compressed.
//!
//! A run reads the same page many times (polls, `refresh()`), and a retried run reads what the first one has read.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use super::row;

/// Up to here a reference to a body would save nothing.
const SHORT: usize = 200;

/// The two columns of a body: itself, or its SHA-256.
pub(super) struct Columns {
    pub(super) inline: Option<Vec<u8>>,
    pub(super) hash: Option<[u8; 32]>,
}

/// Keeps a body and gives the columns of the row that refers to it.
pub(super) fn keep(database: &Connection, body: &[u8]) -> rusqlite::Result<Columns> {
    if body.len() <= SHORT {
        return Ok(Columns {
            inline: Some(body.to_owned()),
            hash: None,
        });
    }
    let hash: [u8; 32] = Sha256::digest(body).into();
    let is_known = database
        .prepare_cached("SELECT 1 FROM bodies WHERE hash = ?1")?
        .exists([hash])?;
    if !is_known {
        let packed = lz4_flex::block::compress(body);
        let is_packed = packed.len() < body.len();
        let content = if is_packed { &packed[..] } else { body };
        database
            .prepare_cached(
                "INSERT INTO bodies (hash, size, packed, content) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                hash,
                row::number(body.len() as u64),
                is_packed,
                content
            ])?;
    }
    Ok(Columns {
        inline: None,
        hash: Some(hash),
    })
}

/// The same for a body that may be absent.
pub(super) fn keep_any(database: &Connection, body: Option<&[u8]>) -> rusqlite::Result<Columns> {
    body.map_or(
        Ok(Columns {
            inline: None,
            hash: None,
        }),
        |body| keep(database, body),
    )
}

/// The body whose two columns start at `column`.
pub(super) fn read(
    database: &Connection,
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(hash) = row.get::<_, Option<[u8; 32]>>(column + 1)? else {
        return row.get(column);
    };
    let found = database
        .prepare_cached("SELECT size, packed, content FROM bodies WHERE hash = ?1")?
        .query_row([hash], |row| {
            Ok((row::count(row, 0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let lost = |why: &str| row::unreadable(column, format!("body {}: {why}", row::hex(&hash[..4])));
    let (size, is_packed, content): (u64, bool, Vec<u8>) =
        found.ok_or_else(|| lost("it is missing"))?;
    let body = if is_packed {
        let size = usize::try_from(size).map_err(|_| lost("its size is absurd"))?;
        // LZ4 packs 255 bytes into one at most: a size beyond that is not believed, and not allocated.
        if size / 255 > content.len() {
            return Err(lost("its size is absurd"));
        }
        lz4_flex::block::decompress(&content, size).map_err(|error| lost(&error.to_string()))?
    } else {
        content
    };
    if body.len() as u64 != size || Sha256::digest(&body)[..] != hash {
        return Err(lost("its content has changed"));
    }
    Ok(Some(body))
}
