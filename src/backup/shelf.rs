//! Where the books of a run are written through to: its record. A script that others may drop fills no books without bound, since
//! whoever files its run away has to read them.

use std::sync::{Arc, Mutex, PoisonError};

use super::books::{Item, ItemId, SessionSummary, Shelf};
use crate::changes::Door;
use crate::error::{Exit, Fault};
use crate::stop::Stop;

/// What an item takes beside its texts.
const ITEM: u64 = 200;

pub(super) struct Written {
    door: Arc<Door>,
    stop: Stop,
    room: Option<Mutex<Room>>,
}

struct Room {
    /// In bytes, of everything.
    most: u64,
    used: u64,
    /// Items that are counted already.
    items: usize,
}

impl Written {
    /// `most`: how large the books may become, in bytes.
    pub(super) fn new(door: Arc<Door>, stop: Stop, most: Option<u64>) -> Self {
        let room = most.map(|most| {
            Mutex::new(Room {
                most,
                used: 0,
                items: 0,
            })
        });
        Self { door, stop, room }
    }

    fn weigh(&self, position: ItemId, item: &Item) {
        let Some(room) = &self.room else { return };
        let mut room = room.lock().unwrap_or_else(PoisonError::into_inner);
        if room.weigh(position, item) {
            return;
        }
        let message = format!(
            "the books of a watched run hold at most {} MiB",
            room.most >> 20
        );
        let fault = Fault::new(Exit::Unstarted, "BooksLimit", message);
        self.stop
            .set(fault.hint("drop several scripts, each for a part of it"));
    }
}

impl Room {
    /// Whether there is room for it.
    fn weigh(&mut self, position: ItemId, item: &Item) -> bool {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len) as u64;
        self.used += length(&item.code) + length(&item.reason);
        if position >= self.items {
            self.items = position + 1;
            let point = item.point.as_ref().map_or(0, |point| point.id.len());
            self.used += ITEM + length(&item.unit) + length(&item.input);
            self.used += (item.name.len() + point) as u64;
        }
        self.used <= self.most
    }
}

impl Shelf for Written {
    fn item(&self, position: ItemId, item: &Item) {
        self.weigh(position, item);
        self.door.ledger().item(position, item);
    }

    fn session(&self, session: &SessionSummary) {
        self.door.ledger().session(&session.id, session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::books::Outcome;

    #[test]
    fn an_item_is_weighed_once_and_each_of_its_ends() {
        let mut room = Room {
            most: 1000,
            used: 0,
            items: 0,
        };
        let mut item = Item {
            workload: "exchange".to_owned(),
            unit: Some("u".repeat(40)),
            name: "n".repeat(60),
            point: None,
            session: None,
            destination: None,
            input: None,
            outcome: Outcome::Skipped,
            code: None,
            reason: None,
            expected: false,
        };
        assert!(room.weigh(0, &item) && room.weigh(0, &item));
        assert_eq!(room.used, 300);
        item.reason = Some("r".repeat(50));
        assert!(room.weigh(0, &item) && room.weigh(1, &item));
        assert_eq!(room.used, 700);
        assert!(room.weigh(
            2,
            &Item {
                reason: None,
                ..item.clone()
            }
        ));
        assert!(!room.weigh(
            3,
            &Item {
                reason: None,
                ..item
            }
        ));
    }
}
