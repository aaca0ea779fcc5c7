//! What stands before the line: which tenant, and whether it can be changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::changes::{Arming, Mode};
use crate::text::{self, Paint};
use crate::world::World;

/// Drawn anew with every key, so that the time that is left is the time that is left.
#[derive(Clone)]
pub(super) struct Prompt {
    tenant: Arc<Mutex<String>>,
    arming: Arming,
    world: World,
    paint: Paint,
}

impl Prompt {
    pub(super) fn new(tenant: &str, arming: Arming, world: World, paint: Paint) -> Self {
        Self {
            tenant: Arc::new(Mutex::new(
                text::fit(&text::one_line(tenant), 30).into_owned(),
            )),
            arming,
            world,
            paint,
        }
    }

    pub(super) fn tenant(&self) -> String {
        let tenant = self.tenant.lock();
        tenant.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As plain text.
    pub(super) fn plain(&self) -> String {
        self.drawn(Paint::Plain)
    }

    /// In colours, and as wide as it was when the line began.
    pub(super) fn coloured(&self, plain: &str) -> String {
        let shown = self.drawn(self.paint);
        let now = text::width(&self.plain());
        let pad = text::width(plain).saturating_sub(now);
        if now > text::width(plain) {
            return plain.to_owned();
        }
        format!("{shown}{}", " ".repeat(pad))
    }

    fn drawn(&self, paint: Paint) -> String {
        let tenant = self.tenant();
        match self.arming.mode(self.world.clock.now()) {
            Mode::Free => format!("{tenant}> "),
            Mode::ReadOnly => format!("{tenant} {}> ", paint.green("[read-only]")),
            Mode::Armed(left) => {
                let armed = format!("[ARMED {}]", clock(left));
                format!("{tenant} {}> ", paint.red(&armed))
            }
        }
    }
}

/// `9:41`, `1:09:41`: a time that runs out.
fn clock(left: Duration) -> String {
    // A moment before the end there is still a second: `0:00` is over.
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_runs_out_reads_like_a_clock() {
        for (millis, shown) in [
            (581_000, "9:41"),
            (580_100, "9:41"),
            (59_000, "0:59"),
            (1, "0:01"),
            (4_181_000, "1:09:41"),
        ] {
            assert_eq!(clock(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn a_prompt_says_where_and_how() {
        let prompt = |arming: &Arming| {
            let prompt = Prompt::new("contoso", arming.clone(), World::real(), Paint::Coloured);
            (prompt.plain(), prompt.coloured(&prompt.plain()))
        };
        assert_eq!(prompt(&Arming::always()).0, "contoso> ");
        let arming = Arming::read_only();
        assert_eq!(prompt(&arming).0, "contoso [read-only]> ");
        let until = World::real().clock.now() + Duration::from_mins(10);
        arming.arm(until);
        let (plain, coloured) = prompt(&arming);
        assert!(plain.starts_with("contoso [ARMED "), "{plain}");
        assert!(coloured.contains("\u{1b}[1;31m[ARMED "), "{coloured}");
    }
}
