//! Draws up the plan of a run that has to be approved, and parks it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::approval;
use super::child::Life;
use super::job::{Job, Shop};
use super::names::Bundle;
use super::result::{self, Came};

pub(super) enum Planned {
    Parked,
    /// The plan changes nothing: nobody has to approve it.
    Nothing,
    Failed(Came),
    Left,
}

impl Job {
    pub(super) fn plan(&self, shop: &Shop, life: &Arc<Life>, lock: &File) -> io::Result<Planned> {
        let folder = &self.claim.folder;
        folder.remove(OsStr::new(approval::PLAN))?;
        folder.remove(OsStr::new(approval::TABLE))?;
        // What an earlier life has left is not what this one comes to.
        folder.remove(OsStr::new(result::FILE))?;
        let out = self.path(approval::PLAN);
        let words = vec![
            "plan".into(),
            "--watched".into(),
            "--out".into(),
            out.into(),
        ];
        let ended = match self.start(shop, life, lock, words, approval::TABLE)? {
            Ok(ended) => ended,
            Err(fault) => {
                let outcome = Box::new(self.unstarted(shop, &fault));
                return Ok(Planned::Failed(Came::Made(outcome)));
            }
        };
        if life.is_told() {
            return Ok(Planned::Left);
        }
        let plan = approval::plan(folder);
        match plan {
            Ok(plan) if ended.status.success() => {
                if plan.is_empty {
                    return Ok(Planned::Nothing);
                }
                let bundle = Bundle::of(&self.claim.script);
                approval::park(&shop.inbox, &self.rules, folder, &self.ticket, &bundle)?;
                Ok(Planned::Parked)
            }
            _ => {
                let came = result::glance(folder, &self.claim.run);
                Ok(Planned::Failed(
                    came.unwrap_or_else(|| self.died(shop, ended.status)),
                ))
            }
        }
    }
}
