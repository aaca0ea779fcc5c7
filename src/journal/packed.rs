//! The result document of a run: packed while it is written, so that it never stands in memory as one text. Of ten thousand
//! items it takes six megabytes, and an eighth of that packed.

use std::io::{self, Read as _, Write};

use lz4_flex::frame::{FrameDecoder, FrameEncoder};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

use super::row;

/// More than any run writes: a size beyond that is not believed.
const LARGEST: u64 = 1 << 30;

/// A document, and what it is proved by.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(super) bytes: Vec<u8>,
    /// Of the text, as `sha256sum` prints it.
    pub(super) sha256: String,
}

impl Packed {
    /// # Errors
    /// Those of `write`.
    pub(crate) fn of(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Self> {
        let mut tee = Tee {
            packer: FrameEncoder::new(Vec::new()),
            hasher: Sha256::new(),
        };
        write(&mut tee)?;
        let bytes = tee.packer.finish().map_err(io::Error::other)?;
        let sha256 = row::hex(&tee.hasher.finalize());
        Ok(Self { bytes, sha256 })
    }
}

struct Tee {
    packer: FrameEncoder<Vec<u8>>,
    hasher: Sha256,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.packer.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packer.flush()
    }
}

/// The document that stands in this column; as text in folders of an earlier version.
pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    let unreadable = |why: String| row::unreadable(column, format!("the result document: {why}"));
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => {
            let mut text = String::new();
            let mut limited = FrameDecoder::new(bytes).take(LARGEST);
            let read = limited.read_to_string(&mut text);
            read.map_err(|error| unreadable(error.to_string()))?;
            Ok(Some(text))
        }
        other => {
            let text = other.as_str()?;
            Ok(Some(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_document_comes_back_as_it_was() {
        let database = Connection::open_in_memory().unwrap();
        let of = |value: &dyn rusqlite::ToSql| {
            database.query_row("SELECT ?1", [value], |row| read(row, 0))
        };
        let long = "{\"name\": \"Zoë\"}\n".repeat(20_000);
        for text in ["", "{}\n", &long] {
            let packed = Packed::of(|out| {
                // In odd pieces, as a serialiser writes.
                let mut pieces = text.as_bytes().chunks(7);
                pieces.try_for_each(|piece| out.write_all(piece))
            });
            let packed = packed.unwrap();
            assert_eq!(packed.sha256, row::hex(&Sha256::digest(text)));
            assert!(packed.bytes.len() < 64 + text.len() / 8);
            assert_eq!(of(&packed.bytes).unwrap().as_deref(), Some(text));
        }
        assert_eq!(of(&rusqlite::types::Null).unwrap(), None);
        assert_eq!(of(&"{}").unwrap().as_deref(), Some("{}"));
        let broken = of(&b"no frame".to_vec()).unwrap_err().to_string();
        assert!(broken.contains("the result document: "), "{broken}");
    }
}
