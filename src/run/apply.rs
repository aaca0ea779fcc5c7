//! Applying a plan: a run of a runbook of our own, once the plan may be done at all.

use std::path::{Path, PathBuf};

use tokio::runtime::Handle;

use super::load::Source;
use crate::error::{Exit, Fault};
use crate::graph::Client;
use crate::plan::Plan;

/// What stands in a result document in the place of a script's path.
pub(crate) const APPLY: &str = "runback:apply";

/// A plan that is to be done, and the bytes that were read and checked: those are what the runbook gets.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Applied {
    /// # Errors
    /// Exit 2: the tenant that we are signed in to is not that of the plan; 6: nobody is signed in.
    pub(super) fn check_tenant(&self, client: &Client, runtime: &Handle) -> Result<(), Fault> {
        let identity = runtime.block_on(client.signed_in()).map_err(Fault::from)?;
        let (here, planned) = (identity.claims.tenant, &self.plan.facts.tenant);
        let same = match (&here, planned) {
            (Some(here), Some(planned)) => here.eq_ignore_ascii_case(planned),
            (None, None) => true,
            _ => false,
        };
        if same {
            return Ok(());
        }
        let name = |tenant: &Option<String>| {
            tenant
                .as_deref()
                .map_or("an unknown tenant".to_owned(), |id| {
                    format!("tenant `{id}`")
                })
        };
        let message = format!(
            "the plan was made in {}, and this is {}",
            name(planned),
            name(&here)
        );
        Err(Fault::new(Exit::Unstarted, "OtherTenant", message)
            .hint("sign in to the tenant of the plan, or plan again in this one"))
    }
}

impl Source {
    /// A runbook's file, or the runbook that the program brings itself.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        if path == Path::new(APPLY) {
            return Ok(Self {
                path: path.to_owned(),
                bytes: crate::plan::APPLY.as_bytes().to_vec(),
            });
        }
        Self::read(path)
    }
}
