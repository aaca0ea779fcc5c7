//! `:arm` and `:disarm`.

use std::time::Duration;

use super::bad;
use crate::changes::Mode;
use crate::repl::{Outcome, Repl, Then};
use crate::script::values;
use crate::talk::Talk as _;
use crate::text;

const USUAL: Duration = Duration::from_mins(10);

/// Nobody keeps an eye on a terminal for longer.
const LONGEST: Duration = Duration::from_hours(8);

pub(super) fn arm(repl: &mut Repl, length: &str) -> Outcome {
    let length = match length {
        "" => USUAL,
        text => values::Duration::read(text)
            .filter(|length| length.seconds() > 0.0)
            .map(values::Duration::unsigned)
            .ok_or_else(|| {
                vec![
                    bad(format!("`{text}` is no length of time"))
                        .hint("write `:arm`, `:arm 10m` or `:arm 1h`"),
                ]
            })?,
    };
    if length > LONGEST {
        let most = text::time(LONGEST);
        return Err(vec![bad(format!(
            "a conversation is armed for {most} at most"
        ))]);
    }
    let (arming, world) = (repl.talk.arming().clone(), repl.talk.world.clone());
    let now = world.clock.now();
    if arming.mode(now) == Mode::Free {
        repl.talk
            .voice
            .note("the sandbox can always be changed; what restores or deletes asks");
        return Ok(Then::On);
    }
    let until = now
        .checked_add(length)
        .map_err(|_| vec![bad("time does not go on for so long")])?;
    arming.arm(until);
    let voice = repl.talk.voice.clone();
    voice.note(&format!(
        "changes are allowed for {}; what restores or deletes asks each time; `:disarm` ends it",
        text::time(length)
    ));
    // Said when it is over, also while somebody types; unless it was armed anew or disarmed since.
    repl.talk.runtime().spawn(async move {
        let left = Duration::try_from(until.duration_since(world.clock.now()));
        world.clock.sleep(left.unwrap_or_default()).await;
        if arming.ended(until) {
            voice.note("this conversation is read-only again");
        }
    });
    Ok(Then::On)
}

#[allow(clippy::unnecessary_wraps)] // all commands have one shape
pub(super) fn disarm(repl: &mut Repl, _: &str) -> Outcome {
    let arming = repl.talk.arming();
    arming.disarm();
    match arming.mode(repl.talk.world.clock.now()) {
        Mode::Free => repl.talk.voice.note("the sandbox can always be changed"),
        _ => repl.talk.voice.note("this conversation is read-only"),
    }
    Ok(Then::On)
}
