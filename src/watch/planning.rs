//! Draws up the plan of a run that has to be approved, and parks it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::child::Life;
use super::job::{Job, Shop};
use super::names::Bundle;
use super::{approval, result};
use crate::plan::Plan;
use crate::report::Outcome;

pub(super) enum Planned {
    Parked,
    /// The plan changes nothing: nobody has to approve it.
    Nothing,
    Failed(Box<Outcome>),
    Left,
}

fn is_empty(plan: &Plan) -> bool {
    plan.items.iter().all(|row| row.part.is_none())
        && plan.bulk.is_empty()
        && plan.others.is_empty()
}

impl Job {
    pub(super) fn plan(&self, shop: &Shop, life: &Arc<Life>, lock: &File) -> io::Result<Planned> {
        let folder = &self.claim.folder;
        folder.remove(OsStr::new(approval::PLAN))?;
        folder.remove(OsStr::new(approval::TABLE))?;
        let out = self.path(approval::PLAN);
        let words = vec![
            "plan".into(),
            "--watched".into(),
            "--out".into(),
            out.into(),
        ];
        let ended = match self.start(shop, life, lock, words, approval::TABLE)? {
            Ok(ended) => ended,
            Err(fault) => return Ok(Planned::Failed(Box::new(self.unstarted(shop, &fault)))),
        };
        if life.is_told() {
            return Ok(Planned::Left);
        }
        let plan = approval::plan(folder);
        match plan {
            Ok(plan) if ended.status.success() => {
                if is_empty(&plan) {
                    return Ok(Planned::Nothing);
                }
                let bundle = Bundle::of(&self.claim.script);
                approval::park(&shop.inbox, &self.rules, folder, &self.ticket, &bundle)?;
                Ok(Planned::Parked)
            }
            _ => {
                let outcome = result::read(folder, &self.claim.run).unwrap_or_else(|| {
                    let now = shop.world.clock.now();
                    result::of_death(&shop.state, &self.ticket, ended.status, now)
                });
                Ok(Planned::Failed(Box::new(outcome)))
            }
        }
    }
}
