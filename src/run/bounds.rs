//! How much a watched run may leave in its documents: the watcher that files them away has others to look after, and whoever may
//! drop a script must not be able to end it.

use std::io;

use serde_json::Value;

use super::Order;

/// Some fifty thousand items.
const MOST_BOOKS: u64 = 16 << 20;

const MOST_VALUE: usize = 1 << 20;

/// How large the books may become, in bytes.
pub(super) fn books(order: &Order) -> Option<u64> {
    order.errand.as_ref().map(|_| MOST_BOOKS)
}

/// The script's value, where it is of a size for the result document.
pub(super) fn value(order: &Order, value: Value) -> Value {
    if order.errand.is_none() || serde_json::to_writer(Counted(0), &value).is_ok() {
        return value;
    }
    format!("(more than {} MiB: left out here)", MOST_VALUE >> 20).into()
}

/// Takes so many bytes, keeps none, and then no more.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > MOST_VALUE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
