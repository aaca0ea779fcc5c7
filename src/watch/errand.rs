//! What the process of a run is told.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::claim::{FILES, hash};
use super::job::{Job, Shop};
use super::names::Bundle;
use super::{approval, arguments, entry, result};
use crate::error::{Exit, Fault};
use crate::run::Errand;
use crate::unix;

impl Job {
    pub(super) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.claim.folder.path().join(name.as_ref())
    }

    /// # Errors
    /// Exit 2: what lies there is not what was let in.
    pub(super) fn errand(&self, shop: &Shop) -> Result<Errand, Fault> {
        let folder = &self.claim.folder;
        let approved = approval::is_given(folder).then(|| approval::plan(folder));
        let approved = approved.transpose()?;
        let bundle = Bundle::of(&self.claim.script);
        let arguments = match (&self.ticket.arguments_sha256, approved) {
            // What was approved is what the arguments were then: a day ago is that day ago.
            (_, Some(plan)) => arguments::of_plan(&plan.args)?,
            (None, None) => Vec::new(),
            (Some(sha256), None) => {
                let me = [unix::user()];
                let bytes = entry::bytes(folder, &bundle.arguments, &me, entry::LARGEST)?
                    .filter(|bytes| hash(bytes) == *sha256);
                let Some(bytes) = bytes else {
                    let message = format!(
                        "the arguments of `{}` are not those that were let in: their file was changed since",
                        self.ticket.script
                    );
                    return Err(Fault::new(Exit::Unstarted, "ScriptSwapped", message).hint(
                        "drop them again, and find out who can write in the inbox's `.runback`",
                    ));
                };
                arguments::read(&self.ticket.script, &bytes)?
            }
        };
        Ok(Errand {
            run: self.claim.run.clone(),
            script: self.ticket.script.clone(),
            path: self.path(&self.claim.script),
            sha256: self.ticket.sha256.clone(),
            arguments,
            files: self.path(FILES),
            libraries: shop.libraries.clone(),
            result: self.path(result::FILE),
            policy: Some(self.policy.clone()),
            is_watched: true,
        })
    }
}
