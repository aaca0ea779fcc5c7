//! What is said to the person at the terminal: notes, bars, questions. stdout is data and is not touched here.

mod bars;
mod question;
mod voice;

use std::time::Duration;

pub(crate) use voice::{Level, Loudness, Manner, Voice};

/// The person's answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Yes,
    No,
    /// Yes, and do not ask again in this run.
    All,
    /// There is no terminal to ask on.
    Nobody,
}

/// A bar while something is counted up. Dropping it takes it off the screen.
pub(crate) trait Bar: Send + Sync {
    fn add(&self, count: u64);
    fn set(&self, done: u64);
}

/// The voice of the program on stderr.
pub(crate) trait Talk: Send + Sync {
    /// Something worth a line: `note: …`.
    fn note(&self, text: &str);
    /// Something that may be wrong: `warning: …`.
    fn warn(&self, text: &str);
    /// Everybody waits this long; shown on one line that is replaced by the next such line.
    fn waiting(&self, what: &str, why: &str, wait: Duration);
    /// Shows progress on a terminal only; elsewhere a bar that shows nothing.
    fn bar(&self, label: &str, total: Option<u64>) -> Box<dyn Bar>;
    /// Asks on the terminal; `offer_all` adds the answer "all in this run".
    fn ask(&self, question: &str, offer_all: bool) -> Reply;
}

#[cfg(test)]
pub(crate) mod testing {
    //! A voice that answers from a list and remembers what it heard.

    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::{Bar, Duration, Reply, Talk};

    pub(crate) struct Scripted {
        replies: Mutex<VecDeque<Reply>>,
        asked: Mutex<usize>,
        pub(crate) heard: Mutex<Vec<String>>,
    }

    impl Scripted {
        pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
            Self {
                replies: Mutex::new(replies.into_iter().collect()),
                asked: Mutex::new(0),
                heard: Mutex::default(),
            }
        }

        pub(crate) fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }
    }

    struct Silent;

    impl Bar for Silent {
        fn add(&self, _count: u64) {}
        fn set(&self, _done: u64) {}
    }

    impl Talk for Scripted {
        fn note(&self, text: &str) {
            self.heard.lock().unwrap().push(text.to_owned());
        }

        fn warn(&self, text: &str) {
            self.heard.lock().unwrap().push(text.to_owned());
        }

        fn waiting(&self, what: &str, why: &str, wait: Duration) {
            self.heard
                .lock()
                .unwrap()
                .push(format!("{what}: {why}, {wait:?}"));
        }

        fn bar(&self, _label: &str, _total: Option<u64>) -> Box<dyn Bar> {
            Box::new(Silent)
        }

        fn ask(&self, _question: &str, _offer_all: bool) -> Reply {
            *self.asked.lock().unwrap() += 1;
            self.replies
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or(Reply::Nobody)
        }
    }
}
