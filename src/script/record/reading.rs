//! Streams in the record: each is kept in the portions in which it was read.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rhai::Dynamic;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Failed, codec};
use crate::changes::Origin;
use crate::script::failure::{Failure, Kept};
use crate::script::host::Host;
use crate::script::values::{Object, Source};

thread_local! {
    static OPENING: RefCell<Option<Arc<Tape>>> = const { RefCell::new(None) };
}

/// Where a stream is kept: at the call that gave it, whoever reads it.
pub(crate) struct Tape {
    host: Arc<Host>,
    origin: Origin,
    /// Every `for` reads anew.
    readings: AtomicU32,
}

/// Calls a function whose stream is to be kept.
pub(super) fn opening<T>(at: Option<(Arc<Host>, Origin)>, call: impl FnOnce() -> T) -> T {
    struct Back(Option<Arc<Tape>>);
    impl Drop for Back {
        fn drop(&mut self) {
            OPENING.set(self.0.take());
        }
    }
    let tape = at.map(|(host, origin)| {
        Arc::new(Tape {
            host,
            origin,
            readings: AtomicU32::new(0),
        })
    });
    let _back = Back(OPENING.replace(tape));
    call()
}

/// The tape of the stream that is being made on this thread.
pub(crate) fn tape() -> Option<Arc<Tape>> {
    OPENING.with_borrow(Clone::clone)
}

impl Tape {
    /// Reads a stream, from the record as far as it goes.
    pub(crate) fn read(
        self: &Arc<Self>,
        open: impl Fn() -> Box<dyn Source> + Send + Sync + 'static,
    ) -> Box<dyn Source> {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        Box::new(Reading {
            tape: self.clone(),
            number: reading,
            portion: 0,
            ready: VecDeque::new(),
            end: None,
            open: Box::new(open),
            source: None,
            given: HashSet::new(),
        })
    }
}

/// How a stream ended.
enum End {
    Whole,
    Broken(Failure),
}

struct Reading {
    tape: Arc<Tape>,
    number: u32,
    portion: u32,
    ready: VecDeque<Dynamic>,
    end: Option<End>,
    open: Box<dyn Fn() -> Box<dyn Source> + Send + Sync>,
    source: Option<Box<dyn Source>>,
    /// What came from the record: opened anew, the list has it again.
    given: HashSet<Vec<u8>>,
}

/// One portion of a stream in the record.
#[derive(Deserialize)]
struct Portion<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
    #[serde(default)]
    ended: bool,
    #[serde(default)]
    err: Option<Kept>,
}

impl Source for Reading {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            match self.end.take() {
                Some(End::Whole) => {
                    self.end = Some(End::Whole);
                    return None;
                }
                Some(End::Broken(failure)) => {
                    self.end = Some(End::Whole);
                    return Some(Err(failure));
                }
                None => {}
            }
            if self.source.is_some() || !self.recall() {
                self.fetch();
            }
        }
    }
}

impl Reading {
    fn part(&self) -> String {
        format!("{}/{}", self.number, self.portion)
    }

    /// Takes the next portion from the record, where it has one.
    fn recall(&mut self) -> bool {
        let tape = self.tape.clone();
        let (history, origin) = (&tape.host.history, &tape.origin);
        let Some(known) = history.ask(&origin.lane, origin.number, &self.part()) else {
            return false;
        };
        let Ok(portion) = serde_json::from_slice::<Portion>(&known.body) else {
            return false;
        };
        match portion.err {
            Some(_) if !history.went_on(origin) => return false,
            Some(failure) => self.end = Some(End::Broken(Failure::again(failure))),
            None if portion.ended => self.end = Some(End::Whole),
            None => {}
        }
        for raw in portion.items {
            let Ok(item) = codec::decode(raw.get().as_bytes(), &tape.host.tenant.backup) else {
                return false;
            };
            self.given.insert(identity(&item));
            self.ready.push_back(item);
        }
        self.portion += 1;
        true
    }

    /// Reads on at the service, as much as has come together, and keeps it before it is given.
    fn fetch(&mut self) {
        let source = self.source.get_or_insert_with(|| (self.open)());
        let mut body = Vec::from(b"{\"items\":[");
        let mut is_kept = true;
        let mut next = source.next();
        loop {
            match next {
                Some(Ok(item)) => {
                    if self.given.is_empty() || !self.given.contains(&identity(&item)) {
                        match codec::encode(&item) {
                            Ok(bytes) => {
                                if !self.ready.is_empty() {
                                    body.push(b',');
                                }
                                body.extend(bytes);
                            }
                            Err(codec::Alive) => is_kept = false,
                        }
                        self.ready.push_back(item);
                    }
                }
                Some(Err(failure)) => {
                    self.end = Some(End::Broken(failure));
                    break;
                }
                None => {
                    self.end = Some(End::Whole);
                    break;
                }
            }
            match source.ready() {
                Some(item) => next = Some(Ok(item)),
                None => break,
            }
        }
        debug_assert!(is_kept, "an item that lives in this process alone");
        body.push(b']');
        match &self.end {
            Some(End::Broken(failure)) if failure.stopped => return,
            Some(End::Broken(failure)) => {
                let failed = Failed {
                    failure: failure.kept(),
                };
                // `{"err":…}` without its first brace.
                let failed = serde_json::to_vec(&failed).unwrap_or_default();
                body.push(b',');
                body.extend(failed.get(1..).unwrap_or_default());
            }
            Some(End::Whole) => body.extend(b",\"ended\":true}"),
            None => body.push(b'}'),
        }
        let tape = &self.tape;
        tape.host
            .history
            .tell(&tape.origin, &self.part(), "page", [0; 16], body);
        self.portion += 1;
    }
}

/// What an item is known again by in a list that is read anew.
fn identity(item: &Dynamic) -> Vec<u8> {
    let id = item.read_lock::<Object>().and_then(|object| object.id());
    id.map_or_else(
        || codec::encode(item).unwrap_or_default(),
        String::into_bytes,
    )
}
