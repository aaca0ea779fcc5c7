//! The end of a conversation: its books, its record, what is left to do.

use std::time::Duration;

use super::super::ending::Ending;
use super::super::keep;
use super::{Conversation, Leaving};
use crate::error::{Exit, Fault, bug};
use crate::journal::Record;
use crate::report::{Outcome, closing};
use crate::runs::resume_command;
use crate::script::Failure;

impl Conversation {
    /// Closes the books, says what is left, and gives the exit code.
    ///
    /// `faults`: what ended it, told already.
    pub(crate) fn close(self, leaving: Leaving, ended: Vec<Fault>) -> Exit {
        let worst = |faults: &[Fault]| {
            let exits = faults.iter().map(|fault| fault.exit);
            exits.min_by_key(|exit| exit.rank())
        };
        let over = self.is_over();
        self.renew();
        let tenant = &self.host.tenant;
        let ledger = tenant.door.ledger();
        if !ledger.has_begun() {
            self.end();
            self.runtime.shutdown_timeout(Duration::from_millis(200));
            let ending = Ending {
                fault: over.or(worst(&ended)),
                ..Ending::default()
            };
            return ending.exit();
        }
        let wait = leaving == Leaving::Waiting;
        let busy = self.presses.busy();
        let (closed, trouble) = self.runtime.block_on(tenant.backup.close(wait));
        drop(busy);
        let mut outcome = Outcome::new(
            self.run.clone(),
            keep::CONVERSATION.to_owned(),
            self.started,
            &self.setting.api,
        );
        outcome.close(closed);
        outcome.ended = self.world.clock.now();
        outcome.requests = tenant.client.requests();
        outcome.tenant = tenant
            .client
            .known_identity()
            .and_then(|identity| identity.claims.tenant);
        let trouble = trouble.map(|trouble| Failure::from(trouble).fault());
        let mut faults: Vec<Fault> = self.stop.reason().or(trouble).into_iter().collect();
        let all = [ended.clone(), faults.clone()].concat();
        let ending = Ending {
            has_changed: tenant.door.any_sent(),
            fault: over.or(worst(&all)),
            ..Ending::default()
        };
        let ending = ending.count(&outcome.items);
        outcome.exit = ending.exit();
        outcome.fail(&all);
        let goes_on = ending.goes_on(outcome.exit);
        if let Some(journal) = ledger.journal()
            && let Err(error) = journal.sync_blocking(Record::Ended {
                run: self.run.clone(),
                at: outcome.ended,
                exit: outcome.exit.code().into(),
                result: keep::packed(&outcome),
                open: goes_on,
            })
        {
            faults.push(error.into());
        }
        let kept = self.state.keep_result(&outcome);
        self.voice.end();
        self.voice.faults(&faults);
        let block = closing::block(&outcome, kept.ok().as_deref(), self.voice.manner().paint);
        if !block.is_empty() {
            self.voice.raw(block.trim_end());
        }
        if goes_on {
            let folder = self.setting.settings.iter();
            let folder = folder.clone().find(|(name, _)| name == "state-dir");
            let folder = folder.and_then(|(_, values)| values.first());
            let command = resume_command(&self.run, folder.map(String::as_str));
            self.voice.raw(&format!("close its books with: {command}"));
        }
        self.end();
        self.runtime.shutdown_timeout(Duration::from_millis(200));
        if bug::all().is_empty() {
            outcome.exit
        } else {
            Exit::Bug
        }
    }
}
