//! `runback doctor`: what is wrong, and what to type about it.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::Loaded;
use super::flags::Flags;
use super::run::{connection, runtime};
use crate::doctor::{Check, Patient, exit};
use crate::error::{Exit, Fault};
use crate::graph::{self, Client};
use crate::run::{Format, State, Stdout};
use crate::talk::Voice;
use crate::world::World;

/// A person waits for this: a call that gives no answer is reported, not tried for a quarter of an hour.
const BUDGET: Duration = Duration::from_secs(20);

/// Say what is wrong with sign-in, permissions, service, clock and state folder, and how to fix it
#[derive(Debug, Args)]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) fn run(
        self,
        flags: &Flags,
        config: Loaded,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let runtime = runtime()?;
        let ca_file = flags.tenant.ca_file.clone();
        let mut root = flags
            .tenant
            .graph_url
            .clone()
            .unwrap_or_else(|| super::run::GRAPH.to_owned());
        let mut simulated = None;
        let mut tenant = None;
        let client = connection(flags, world, &runtime).and_then(|(connection, serving)| {
            let mut options = connection.options;
            root.clone_from(&options.root);
            simulated = serving.as_ref().map(crate::sandbox::Running::speed);
            tenant = serving;
            options.budget = BUDGET;
            // A CA file that cannot be read has a line of its own; the rest is looked at without it.
            options.ca_file = ca_file
                .clone()
                .filter(|file| graph::authorities(file).is_ok());
            let notices = Arc::new(voice.clone());
            Ok(Arc::new(Client::new(options, world.clone(), notices)?))
        });
        let patient = Patient {
            config,
            state: State::place(flags.conduct.state_dir.as_deref(), world),
            policy: flags.conduct.policy.clone(),
            ca_file,
            root,
            simulated,
            client,
            world: world.clone(),
        };
        let checks = runtime.block_on(patient.examine());
        drop(tenant);
        let stdout = Stdout::new(
            flags.conduct.format,
            world.stdout_is_terminal,
            voice.clone(),
        );
        print(&checks, flags.conduct.format, &stdout);
        stdout.failure().map_or_else(|| Ok(exit(&checks)), Err)
    }
}

/// A person reads what is wrong first, and then what to do; a program gets both in one row.
fn print(checks: &[Check], format: Format, stdout: &Stdout) {
    let row = |check: &Check| {
        vec![
            Value::from(check.check.as_str()),
            check.result.name().into(),
            check.detail.as_str().into(),
            check.hint.clone().into(),
        ]
    };
    let rows: Vec<Vec<Value>> = checks.iter().map(row).collect();
    let mut columns = ["check", "result", "detail", "hint"]
        .map(str::to_owned)
        .to_vec();
    if format == Format::Table {
        columns.truncate(3);
    }
    stdout.table(&columns, &rows);
    if format != Format::Table {
        return;
    }
    let todo: Vec<String> = checks
        .iter()
        .filter_map(|check| Some(format!("  {}: {}", check.check, check.hint.as_ref()?)))
        .collect();
    if !todo.is_empty() {
        stdout.print(&format!("\nwhat to do:\n{}", todo.join("\n")));
    }
}
