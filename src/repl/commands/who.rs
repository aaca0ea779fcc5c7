//! `:who`: whose tenant this is, as whom, and what may be done here.

use std::fmt::Write as _;

use crate::backup::ROOT;
use crate::changes::Mode;
use crate::graph::{Call, Identity};
use crate::repl::{Outcome, Repl, Then};
use crate::text;

pub(super) fn command(repl: &mut Repl, _: &str) -> Outcome {
    let client = repl.talk.tenant().client.clone();
    let identity = repl
        .talk
        .ask(client.signed_in())
        .map_err(|fault| vec![fault])?;
    // A token of its own accord may not say who it is for; the service answers all the same, or says why not.
    let status = repl
        .talk
        .ask(client.read(Call::get("get service status", ROOT)));
    let status = match status {
        Ok(answer) => answer
            .json()
            .property("serviceStatus")
            .and_then(|status| status.string("status"))
            .unwrap_or_else(|| "unknown".to_owned()),
        Err(fault) => fault.message,
    };
    let mode = match repl.talk.arming().mode(repl.talk.world.clock.now()) {
        Mode::Free => "the sandbox: changes are allowed, what restores or deletes asks".to_owned(),
        Mode::ReadOnly => "read-only; `:arm` allows changes".to_owned(),
        Mode::Armed(left) => format!("armed for {} more", text::time(left)),
    };
    let lines = [
        ("tenant", tenant(&identity, &repl.prompt.tenant())),
        ("signed in as", person(&identity)),
        ("permissions", permissions(&identity)),
        ("backup service", status),
        ("this conversation", mode),
        ("run", repl.talk.run.clone()),
    ];
    let mut out = String::new();
    for (name, value) in lines {
        let _ = writeln!(
            out,
            "  {}  {}",
            repl.screen.paint.cyan(&format!("{name:17}")),
            text::one_line(&value)
        );
    }
    repl.screen.say(&out);
    Ok(Then::On)
}

fn tenant(identity: &Identity, shown: &str) -> String {
    match &identity.claims.tenant {
        Some(tenant) => format!("{shown} ({tenant})"),
        None => shown.to_owned(),
    }
}

fn person(identity: &Identity) -> String {
    let claims = &identity.claims;
    let who = claims
        .user
        .clone()
        .or_else(|| claims.app_name.clone())
        .or_else(|| claims.app_id.clone())
        .unwrap_or_else(|| "the token does not say".to_owned());
    let until = identity
        .expires
        .map_or_else(String::new, |until| format!(", token until {until:.0}"));
    format!("{who}, by {}{until}", identity.method)
}

fn permissions(identity: &Identity) -> String {
    let claims = &identity.claims;
    let mut all: Vec<&str> = claims
        .roles
        .iter()
        .chain(&claims.scopes)
        .map(String::as_str)
        .collect();
    all.sort_unstable();
    if all.is_empty() {
        "the token does not say; `runback doctor` tries each".to_owned()
    } else {
        all.join(", ")
    }
}
