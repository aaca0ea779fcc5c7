//! `runback doctor`: what is wrong with this machine, this sign-in and this tenant, and what to type about it.
//!
//! Every check stands alone: one that fails hides no other. What cannot be looked at is `skipped`, with the reason. The calls
//! only read; `probe` makes them, and plain functions decide what they mean.

mod clock;
mod here;
mod permission;
mod points;
mod probe;
mod service;
mod sign_in;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::error::{Exit, Fault};
use crate::graph::Client;
use crate::world::World;
use probe::Findings;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    /// A restore can be made, but somebody should know.
    Warning,
    Fails,
    /// It could not be looked at.
    Skipped,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fails => "fails",
            Self::Skipped => "skipped",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What was looked at: `sign-in`, `permission User.ReadBasic.All`. Programs read it; it does not change.
    pub(crate) check: String,
    pub(crate) result: Verdict,
    pub(crate) detail: String,
    /// What to type or do now.
    pub(crate) hint: Option<String>,
    /// It is about who we are and what we may do: where it fails, the exit code is 6.
    is_access: bool,
}

impl Check {
    fn new(check: impl Into<String>, result: Verdict, detail: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            result,
            detail: detail.into(),
            hint: None,
            is_access: false,
        }
    }

    fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, detail)
    }

    fn warning(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, detail)
    }

    fn fails(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fails, detail)
    }

    fn skipped(check: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, why)
    }

    /// A check that fails, in the words of an error.
    fn of_fault(check: impl Into<String>, result: Verdict, fault: &Fault) -> Self {
        let place = fault.place.as_ref();
        let place = place.map(|at| format!(" ({}:{}:{})", at.file, at.line, at.column));
        let check = Self::new(
            check,
            result,
            format!("{}{}", fault.message, place.unwrap_or_default()),
        );
        if fault.hints.is_empty() {
            check
        } else {
            check.hint(fault.hints.join("; "))
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn access(mut self) -> Self {
        self.is_access = true;
        self
    }
}

/// What is looked at.
pub(crate) struct Patient {
    pub(crate) config: Result<Config, Vec<Fault>>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    /// Where the service is.
    pub(crate) root: String,
    /// The tenant is one of this process, and its time runs this many times faster.
    pub(crate) simulated: Option<f64>,
    /// How to sign in, or why that is not known.
    pub(crate) client: Result<Arc<Client>, Fault>,
    pub(crate) world: World,
}

/// The checks that need the tenant, in their order.
const REMOTE: &[&str] = &["credential", "clock", "service", "service app"];

impl Patient {
    /// Looks at everything. Reads only; in the state folder a file is written and removed.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        let mut checks = vec![here::version()];
        checks.push(here::address(&self.root, self.simulated));
        let has_address = checks.iter().all(|check| check.result == Verdict::Ok);
        checks.extend(here::config(&self.config));
        checks.push(here::state_folder(self.state.as_deref()));
        checks.push(here::policy(self.policy.as_deref()));
        checks.push(here::proxy(&self.root, &self.world));
        checks.push(here::ca_file(self.ca_file.as_deref()));
        if has_address {
            checks.extend(self.examine_tenant().await);
        } else {
            let why = "there is no usable address";
            checks.push(Check::skipped("sign-in", why));
            checks = without(checks, why);
        }
        checks
    }

    async fn examine_tenant(&self) -> Vec<Check> {
        let client = match &self.client {
            Ok(client) => client,
            Err(fault) => {
                let sign_in = Check::of_fault("sign-in", Verdict::Fails, fault).access();
                return without(vec![sign_in], "sign-in failed");
            }
        };
        let identity = match client.signed_in().await {
            Ok(identity) => identity,
            Err(error) => {
                let sign_in = Check::of_fault("sign-in", Verdict::Fails, &error.into()).access();
                return without(vec![sign_in], "sign-in failed");
            }
        };
        let first = probe::first(client).await;
        let now = self.world.clock.now();
        let mut checks = vec![sign_in::check(&identity, &first, now)];
        if first.is_token_refused() {
            return without(checks, "the token was not accepted");
        }
        if let Some(error) = first.silence() {
            let fault = Fault::from(error);
            checks.push(Check::of_fault("connection", Verdict::Fails, &fault));
            return without(checks, "there is no connection to the service");
        }
        let early = client.clock_ahead();
        let findings = Findings::gather(client, identity, first).await;
        let ahead = clock::ahead(client, early, &self.world).await;
        checks.push(Check::ok("connection", format!("`{}` answers", self.root)));
        checks.push(sign_in::credential(&findings, now));
        checks.push(clock::check(ahead, self.simulated));
        checks.extend(permission::check(&findings));
        checks.push(service::status(&findings.status, client.service_now()));
        checks.push(service::app(&findings));
        checks.extend(points::check(&findings, client.service_now()));
        checks
    }
}

/// The rest of the report where the tenant cannot be asked.
fn without(mut checks: Vec<Check>, why: &str) -> Vec<Check> {
    if checks.iter().all(|check| check.check != "connection") {
        checks.push(Check::skipped("connection", why));
    }
    let skipped = |name: String| Check::skipped(name, why);
    let names = REMOTE.iter().map(|name| (*name).to_owned());
    let (before, after): (Vec<String>, Vec<String>) =
        names.partition(|name| !name.starts_with("service"));
    checks.extend(before.into_iter().map(skipped));
    checks.extend(permission::names().map(skipped));
    checks.extend(after.into_iter().map(skipped));
    checks.extend(points::names().map(skipped));
    checks
}

/// 6 where sign-in or a permission fails, 1 where something else does, 0 where nothing does.
pub(crate) fn exit(checks: &[Check]) -> Exit {
    let mut failing = checks
        .iter()
        .filter(|check| check.result == Verdict::Fails)
        .peekable();
    if failing.peek().is_none() {
        Exit::Success
    } else if failing.any(|check| check.is_access) {
        Exit::SignIn
    } else {
        Exit::Incomplete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_access_from_the_rest() {
        let ok = Check::ok("a", "");
        let warning = Check::warning("b", "");
        let skipped = Check::skipped("c", "");
        let fails = Check::fails("d", "");
        let access = Check::fails("sign-in", "").access();
        let rows = [
            (vec![ok.clone(), warning.clone(), skipped], Exit::Success),
            (vec![ok, fails.clone()], Exit::Incomplete),
            (vec![warning, fails, access], Exit::SignIn),
        ];
        for (checks, expected) in rows {
            assert_eq!(exit(&checks), expected);
        }
    }

    #[test]
    fn the_skipped_checks_are_the_same_ones_in_the_same_order() {
        let names: Vec<String> = without(Vec::new(), "x")
            .into_iter()
            .map(|check| check.check)
            .collect();
        let joined = names.join(", ");
        assert!(
            joined.starts_with("connection, credential, clock, permission BackupRestore-Restore"),
            "{joined}"
        );
        assert!(
            joined.ends_with(
                "service, service app, points of exchange, points of onedrive, points of sharepoint"
            ),
            "{joined}"
        );
    }
}
