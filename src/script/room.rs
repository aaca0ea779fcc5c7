//! How much a watched script may keep in its own folder: whoever may drop a script must not be able to fill the disk that all
//! runs share.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failure::Failure;

/// Books and lists of tens of thousands of accounts are a few MiB.
pub(crate) const MOST: u64 = 256 << 20;

/// What a file takes at least: so their number has a bound too.
const LEAST: u64 = 4 << 10;

/// What is left; shared by all threads of a run. By default there is no bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Option<Arc<AtomicU64>>);

impl Room {
    /// Of `most` bytes, less what an earlier life of the run has left in the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn in_folder(folder: &Path, most: u64) -> io::Result<Self> {
        let mut left = most;
        for entry in std::fs::read_dir(folder)? {
            left = left.saturating_sub(cost(entry?.metadata()?.len()));
        }
        Ok(Self(Some(Arc::new(AtomicU64::new(left)))))
    }

    /// For a file that is empty yet.
    ///
    /// # Errors
    /// `FilesLimit`: there is none left.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        self.take(LEAST)?;
        Ok(Place {
            room: self.clone(),
            size: 0,
        })
    }

    fn take(&self, bytes: u64) -> Result<(), Failure> {
        let Some(left) = &self.0 else { return Ok(()) };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(bytes)
        });
        let refused = |_| {
            let message = format!(
                "a script in a watched folder keeps at most {} MiB in its files",
                MOST >> 20
            );
            Failure::new("FilesLimit", message)
        };
        taken.map(|_| ()).map_err(refused)
    }

    fn give(&self, bytes: u64) {
        if let Some(left) = &self.0 {
            left.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// The place of one file that is being written; given back unless the file is kept.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    size: u64,
}

impl Place {
    /// The file is to have `more` bytes more.
    ///
    /// # Errors
    /// `FilesLimit`: there is not so much left, and nothing was taken.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Failure> {
        let size = self.size + more as u64;
        self.room.take(cost(size) - cost(self.size))?;
        self.size = size;
        Ok(())
    }

    /// The file stays; it has replaced one of so many bytes.
    pub(crate) fn keep(self, replaced: Option<u64>) {
        self.room.give(replaced.map_or(0, cost));
        std::mem::forget(self);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.give(cost(self.size));
    }
}

fn cost(size: u64) -> u64 {
    size.max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of the smallest file.
    const ONE: usize = 4 << 10;

    #[test]
    fn what_is_kept_is_bounded_and_what_has_gone_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("earlier"), vec![0; 5000]).unwrap();
        let room = Room::in_folder(folder.path(), 5000 + 3 * LEAST).unwrap();
        let mut kept = room.place().unwrap();
        kept.grow(1).unwrap();
        kept.grow(2 * ONE - 1).unwrap();
        let mut dropped = room.place().unwrap();
        let refused = dropped.grow(ONE + 1).unwrap_err();
        assert_eq!(refused.code, "FilesLimit");
        dropped.grow(ONE).unwrap();
        assert!(room.place().is_err());
        kept.keep(None);
        assert!(room.place().is_err());
        drop(dropped);
        // It replaces the one that was kept.
        room.place().unwrap().keep(Some(2 * LEAST));
        let mut last = room.place().unwrap();
        last.grow(2 * ONE).unwrap();
        assert!(last.grow(1).is_err());
    }

    #[test]
    fn a_folder_that_is_full_takes_nothing_and_no_folder_has_no_bound() {
        let folder = tempfile::tempdir().unwrap();
        let full = Room::in_folder(folder.path(), LEAST - 1).unwrap();
        assert!(full.place().is_err());
        Room::default()
            .place()
            .unwrap()
            .grow(usize::MAX >> 1)
            .unwrap();
    }
}
