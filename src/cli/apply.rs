//! `runback apply`: exactly what a plan says.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::flags::Flags;
use super::run::{carry_out, order};
use super::values::duration;
use crate::error::{Exit, Fault};
use crate::plan::Plan;
use crate::run::{APPLY, Applied};
use crate::talk::Voice;
use crate::text;
use crate::world::World;

/// The largest file that is read as a plan: 100,000 rows take a third of it.
const LARGEST: u64 = 128 << 20;

/// Do exactly what a plan says
///
/// Searches the point of every row again: a row whose point is gone or another is skipped, `Changed`; where the service
/// does not say, `CannotVerify`. All others are restored, in the sessions of the plan, with consent, and accounted for as
/// `run` does. A plan that was edited, is too old, or is of another tenant is refused whole.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The file that `runback plan --out` wrote
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    plan: PathBuf,
    /// Refuse a plan that is older than this
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    max_age: Duration,
}

impl Apply {
    /// `given`: the flags of this command line, for a later life of the run.
    pub(super) fn run(
        self,
        flags: &Flags,
        given: Vec<(String, Vec<String>)>,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let applied = self.read()?;
        let plan = &applied.plan;
        self.check_age(plan, world)?;
        let path = vec![("plan".to_owned(), self.plan.display().to_string())];
        let mut order = order(PathBuf::from(APPLY), path, flags)?;
        if order.api.segment() != plan.facts.api {
            let message = format!(
                "the plan was made with `--api {}`, and this is {}",
                plan.facts.api,
                order.api.segment()
            );
            return Err(Fault::new(Exit::Unstarted, "OtherApi", message)
                .hint(format!("write `--api {}`", plan.facts.api)));
        }
        if let Some(first) = plan.others.first() {
            let more = match plan.others.len() {
                1 => String::new(),
                count => format!(", and {} more", count - 1),
            };
            let message = format!("the plan is more than its rows: `{first}`{more}");
            return Err(
                Fault::new(Exit::Unstarted, "NotAppliable", message).hint(format!(
                    "`runback run {}` does all of it",
                    plan.facts.script
                )),
            );
        }
        order.applied = Some(applied);
        order.settings = given;
        Ok(carry_out(&order, flags, None, world, voice))
    }

    fn read(&self) -> Result<Applied, Fault> {
        use std::io::Read as _;
        let name = self.plan.display().to_string();
        let unreadable = |error: std::io::Error| {
            let message = format!("`{name}` cannot be read: {error}");
            Fault::new(Exit::Unstarted, "UnreadableFile", message)
                .hint("`runback plan SCRIPT --out FILE` writes a plan")
        };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&self.plan).map_err(unreadable)?;
        file.take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let plan = Plan::read(&name, &bytes)?;
        let path = self.plan.canonicalize().map_err(unreadable)?;
        Ok(Applied { plan, path, bytes })
    }

    fn check_age(&self, plan: &Plan, world: &World) -> Result<(), Fault> {
        let age = world.clock.now().duration_since(plan.facts.created);
        let age = Duration::try_from(age).unwrap_or_default();
        if age <= self.max_age {
            return Ok(());
        }
        let message = format!(
            "`{}` is {} old, {} is the most",
            self.plan.display(),
            text::time(age),
            text::time(self.max_age)
        );
        Err(Fault::new(Exit::Unstarted, "PlanTooOld", message)
            .hint("plan again, or say with `--max-age` how old a plan may be"))
    }
}
