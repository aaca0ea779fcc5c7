//! Facts: what a run has learnt beside the answers themselves, kept for a later life. They lie among the answers of its
//! record, in a lane of their own; a long one in pieces, so that ten thousand ends are never one text in memory.

use std::collections::HashMap;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::journal::{Answer, Journal, Record};

/// No lane of a script begins like this.
const LANE: &str = "=";

/// Most bytes of one piece.
const PIECE: usize = 128 << 10;

/// What an earlier life has kept: kind and key, and the text.
#[derive(Default)]
pub(super) struct Facts(HashMap<(String, String), Vec<u8>>);

impl Facts {
    /// `answers`: in the order of the journal, which is that of the pieces. Those that are none are left out.
    pub(super) fn of(answers: Vec<Answer>) -> Self {
        let mut facts: HashMap<(String, String), Vec<u8>> = HashMap::new();
        for answer in answers {
            let Some(kind) = answer.lane.strip_prefix(LANE) else {
                continue;
            };
            let body = facts.entry((kind.to_owned(), answer.part)).or_default();
            if body.is_empty() {
                *body = answer.body;
            } else {
                body.extend_from_slice(&answer.body);
            }
        }
        Self(facts)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Option<T> {
        first(self.0.get(&(kind.to_owned(), key.to_owned()))?)
    }

    /// Those of one kind, by key.
    pub(super) fn of_kind<T: DeserializeOwned>(&self, kind: &str) -> Vec<(String, T)> {
        let of_kind = self.0.iter().filter(|((of, _), _)| of == kind);
        of_kind
            .filter_map(|((_, key), body)| Some((key.clone(), first(body)?)))
            .collect()
    }
}

/// A fact that was cut off is none. One that was kept again, and shorter, may have pieces of the longer one behind it.
fn first<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter();
    values.next()?.ok()
}

/// Whether an answer in the journal is a fact, or a piece of one.
pub(super) fn is_fact(answer: &Answer) -> bool {
    answer.lane.starts_with(LANE)
}

/// Keeps a fact. Kept again, it replaces the one before.
pub(super) fn keep(journal: &Journal, run: &str, kind: &str, key: &str, fact: &impl Serialize) {
    let mut pieces = Pieces {
        buffer: Vec::new(),
        number: 0,
        put: |number, body| {
            journal.put(Record::Answer(Answer {
                run: run.to_owned(),
                lane: format!("{LANE}{kind}"),
                number,
                part: key.to_owned(),
                operation: kind.to_owned(),
                digest: [0; 16],
                body,
            }));
        },
    };
    serde_json::to_writer(&mut pieces, fact).expect("our own types have string keys");
    pieces.end();
}

/// Cuts what is written into pieces.
struct Pieces<F: FnMut(u32, Vec<u8>)> {
    buffer: Vec<u8>,
    number: u32,
    put: F,
}

impl<F: FnMut(u32, Vec<u8>)> Pieces<F> {
    fn end(&mut self) {
        (self.put)(self.number, std::mem::take(&mut self.buffer));
        self.number += 1;
    }
}

impl<F: FnMut(u32, Vec<u8>)> io::Write for Pieces<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= PIECE {
            self.end();
        }
        let room = bytes.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(fact: &impl Serialize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut pieces = Pieces {
            buffer: Vec::new(),
            number: 0,
            put: |_, body| all.push(body),
        };
        serde_json::to_writer(&mut pieces, fact).unwrap();
        pieces.end();
        all
    }

    fn answers(pieces: &[Vec<u8>]) -> Vec<Answer> {
        let pieces = pieces.iter().zip(0..);
        let answer = |(body, number): (&Vec<u8>, u32)| Answer {
            run: "run-1".to_owned(),
            lane: "=ends".to_owned(),
            number,
            part: "s1".to_owned(),
            operation: "ends".to_owned(),
            digest: [0; 16],
            body: body.clone(),
        };
        pieces.map(answer).collect()
    }

    fn read(pieces: &[Vec<u8>]) -> Option<Vec<String>> {
        Facts::of(answers(pieces)).get("ends", "s1")
    }

    #[test]
    fn a_long_fact_is_one_again_when_it_is_read() {
        let long: Vec<String> = (0..20_000).map(|number| format!("{number:030}")).collect();
        let short = vec!["one".to_owned()];
        let pieces = cut(&long);
        assert_eq!(pieces.len(), 6);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(read(&pieces), Some(long));
        assert_eq!(cut(&short).len(), 1);

        // Kept again, and shorter: the rest of the longer one stays behind it.
        let mut again = cut(&short);
        again.extend_from_slice(&pieces[1..]);
        assert_eq!(read(&again), Some(short));
        // The process died in the middle.
        assert_eq!(read(&pieces[..3]), None);
        assert_eq!(read(&[]), None);
    }
}
