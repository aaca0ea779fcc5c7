//! Draws up a plan: the runbook runs to its end, and nothing but reads reaches the service.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;

use super::output::Stdout;
use super::{Ground, Order, perform, state};
use crate::error::{Exit, Fault, bug};
use crate::graph::Version;
use crate::plan::{Facts, Plan, Planned};
use crate::report::Outcome;
use crate::run::Format;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// A run of which nothing is to happen.
pub(super) struct Rehearsal {
    pub(super) planned: Arc<Planned>,
    /// The script's, once they are resolved.
    pub(super) args: OnceLock<Value>,
}

/// Runs the runbook, shows the plan and writes it to `out`. Comes back with the exit code whatever happens.
///
/// Skipped rows are no failure: the plan says them.
pub(crate) fn rehearse(
    order: &Order,
    ground: Result<Ground, Fault>,
    out: Option<&Path>,
    world: &World,
    voice: &Voice,
) -> Exit {
    let created = world.clock.now();
    if order.api == Version::Beta {
        voice.note("this plan prefers the beta version of Microsoft Graph");
    }
    let mut outcome = Outcome::new(
        "plan".to_owned(),
        order.name(),
        created,
        order.api.segment(),
    );
    let mut faults = Vec::new();
    let rehearsal = Rehearsal {
        planned: Arc::new(Planned::new(world.clone())),
        args: OnceLock::new(),
    };
    match ground {
        Ok(Ground {
            runtime,
            connection,
            state,
            rails,
        }) => {
            let whole = perform::Whole {
                folder: state.folder(),
                order,
                world,
                voice,
                runtime: runtime.handle(),
                rails: &rails,
                rehearsal: Some(&rehearsal),
            };
            whole.perform(connection, &mut outcome, &mut faults);
            runtime.shutdown_timeout(Duration::from_millis(200));
        }
        Err(fault) => faults.push(fault),
    }
    if faults.iter().all(|fault| fault.exit != Exit::Bug) {
        faults.extend(bug::all());
    }
    if faults.is_empty() {
        let plan = Plan::draw_up(
            facts(&outcome, &rehearsal),
            &outcome.items,
            &rehearsal.planned,
        );
        faults.extend(show(&plan, order.format, world, voice));
        if let Some(out) = out {
            match state::replace(out, plan.text().as_bytes()) {
                // Whoever looks at it in the watched folder approves it there.
                Ok(()) if order.errand.is_some() => {}
                Ok(()) => voice.note(&format!(
                    "written to `{0}`; `runback apply {0}` does it",
                    out.display()
                )),
                Err(error) => {
                    let message = format!("`{}` cannot be written: {error}", out.display());
                    faults.push(Fault::new(Exit::Unstarted, "PlanLost", message));
                }
            }
        }
    }
    voice.end();
    voice.faults(&faults);
    let exit = exit_of(&faults);
    if let Some(errand) = order.errand.as_ref().filter(|_| !faults.is_empty()) {
        // The watched folder files it away with its reason.
        outcome.run.clone_from(&errand.run);
        outcome.ended = world.clock.now();
        outcome.exit = exit;
        outcome.fail(&faults);
        for (path, kind) in &order.reports {
            // It is told that there is none.
            let _ = state::replace(path, kind.render(&outcome).as_bytes());
        }
    }
    exit
}

/// Nothing was sent, whatever an error of the script thinks of it.
fn exit_of(faults: &[Fault]) -> Exit {
    let exits = faults.iter().map(|fault| match fault.exit {
        Exit::Success | Exit::Incomplete | Exit::Stopped | Exit::Unknown => Exit::Unstarted,
        exit => exit,
    });
    exits
        .min_by_key(|exit| exit.rank())
        .unwrap_or(Exit::Success)
}

fn facts(outcome: &Outcome, rehearsal: &Rehearsal) -> Facts {
    Facts {
        script: outcome.script.clone(),
        sha256: outcome.sha256.clone(),
        args: rehearsal.args.get().cloned().unwrap_or_default(),
        created: outcome.started,
        tenant: outcome.tenant.clone(),
        api: outcome.api.clone(),
    }
}

/// The plan on stdout; why it could not be shown.
fn show(plan: &Plan, format: Format, world: &World, voice: &Voice) -> Option<Fault> {
    let stdout = Stdout::new(format, world.stdout_is_terminal, voice.clone());
    match format {
        Format::Json => stdout.whole(&plan.text()),
        Format::Csv => {
            let (columns, rows) = plan.whole();
            stdout.table(&columns, &rows);
        }
        Format::Table => {
            if !plan.items.is_empty() {
                let (columns, rows) = plan.table();
                stdout.table(&columns, &rows);
                stdout.whole("\n");
            }
            stdout.whole(&plan.footer());
        }
    }
    stdout.failure()
}
