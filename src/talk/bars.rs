//! Progress on a terminal: one bar for each thing that is counted, one line for waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Bar;
use crate::text;

/// How often the line that counts a wait down is redrawn.
const TICK: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub(super) struct Bars {
    screen: MultiProgress,
    is_drawn: bool,
    waiting: Arc<Mutex<Option<Waiting>>>,
}

/// The line that is shown while everybody waits.
struct Waiting {
    why: String,
    until: Instant,
}

impl Bars {
    pub(super) fn new(is_drawn: bool) -> Self {
        let target = if is_drawn {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            screen: MultiProgress::with_draw_target(target),
            is_drawn,
            waiting: Arc::default(),
        }
    }

    pub(super) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        if self.is_drawn {
            self.screen.suspend(act)
        } else {
            act()
        }
    }

    pub(super) fn end(&self) {
        let _ = self.screen.clear();
        self.screen.set_draw_target(ProgressDrawTarget::hidden());
    }

    pub(super) fn bar(&self, label: &str, total: Option<u64>) -> Box<dyn Bar> {
        if !self.is_drawn {
            return Box::new(Unseen);
        }
        // Hidden until it is one of the screen's: by itself it would draw a first line in another style, and leave it there.
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let bar = self.screen.add(bar);
        bar.set_style(style(total));
        bar.set_prefix(text::one_line(label).into_owned());
        bar.tick();
        Box::new(Drawn(bar))
    }

    /// Shows why everybody waits, and how much longer. A later call replaces the line.
    pub(super) fn wait(&self, why: &str, wait: Duration) {
        let Some(until) = Instant::now().checked_add(wait) else {
            return;
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shown = waiting.is_some();
        *waiting = Some(Waiting {
            why: why.to_owned(),
            until,
        });
        drop(waiting);
        if !is_shown {
            let bars = self.clone();
            // A thread and not a task: the voice speaks also where no runtime is.
            let _ = std::thread::Builder::new()
                .name("waiting-line".into())
                .spawn(move || bars.count_down());
        }
    }

    fn count_down(&self) {
        let line = self.screen.add(ProgressBar::new_spinner());
        line.set_style(
            ProgressStyle::with_template("{spinner} {msg}").expect("the template is a constant"),
        );
        loop {
            let message = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let left = waiting
                    .as_ref()
                    .map(|line| line.until.saturating_duration_since(Instant::now()));
                match (&*waiting, left) {
                    (Some(line), Some(left)) if !left.is_zero() => {
                        format!(
                            "{} ({} left)",
                            line.why,
                            text::time(left + Duration::from_millis(999))
                        )
                    }
                    _ => {
                        *waiting = None;
                        break;
                    }
                }
            };
            line.set_message(message);
            line.tick();
            std::thread::sleep(TICK);
        }
        line.finish_and_clear();
    }
}

fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{prefix} [{bar:30}] {human_pos} of {human_len}",
        None => "{spinner} {prefix} {human_pos}",
    };
    ProgressStyle::with_template(template)
        .expect("the template is a constant")
        .progress_chars("=> ")
}

struct Drawn(ProgressBar);

impl Bar for Drawn {
    fn add(&self, count: u64) {
        self.0.inc(count);
    }

    fn set(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

struct Unseen;

impl Bar for Unseen {
    fn add(&self, _: u64) {}
    fn set(&self, _: u64) {}
}
