//! Each rule, allowed and denied, in tables.

use std::path::Path;

use super::Act::{Activate, Delete, Draft, Read, Unlisted};
use super::*;
use crate::policy::read;

const ACTIVATE: &str = "/solutions/backupRestore/restoreSessions/1/activate";

fn denied(policy: &str, act: Act, deed: &Deed) -> Option<Rule> {
    let policy = read::policy(Path::new("p"), policy.as_bytes()).unwrap();
    let now = "2026-11-21T12:00:00Z".parse().ok();
    policy.judge(act, deed, now).err().map(|denial| denial.rule)
}

fn items(in_session: u64, in_run: u64, in_day: u64, to: &'static str, outsiders: &[&str]) -> Deed {
    Deed::items(
        "exchange",
        Items {
            destinations: [to].into(),
            in_session,
            in_run,
            in_day,
            outsiders: outsiders.iter().map(ToString::to_string).collect(),
        },
    )
}

fn call(method: &str, path: &str) -> Deed {
    Deed {
        workload: None,
        matter: Matter::Call {
            method: method.to_owned(),
            path: path.to_owned(),
        },
    }
}

/// Policy, what is done, to what, and the rule that denies it.
type Case = (&'static str, Act, Deed, Option<Rule>);

#[track_caller]
fn expect(cases: impl IntoIterator<Item = Case>) {
    for (policy, act, deed, expected) in cases {
        assert_eq!(
            denied(policy, act, &deed),
            expected,
            "{policy} {act:?} {deed:?}"
        );
    }
}

/// Items within all limits that the tests name.
fn some() -> Deed {
    items(5, 50, 500, "new", &[])
}

fn nothing() -> Deed {
    Deed::nothing("exchange")
}

#[test]
fn classes_workloads_and_hours_allow_and_deny() {
    expect([
        ("allow = [\"read\"]", Read, nothing(), None),
        ("allow = [\"read\"]", Draft, nothing(), Some(Rule::Allow)),
        ("allow = [\"draft\"]", Draft, some(), None),
        (
            "allow = [\"draft\"]",
            Read,
            Deed::default(),
            Some(Rule::Allow),
        ),
        ("allow = [\"draft\"]", Activate, some(), Some(Rule::Allow)),
        ("allow = [\"activate\"]", Activate, some(), None),
        (
            "allow = [\"activate\"]",
            Delete,
            nothing(),
            Some(Rule::Allow),
        ),
        ("allow = [\"delete\"]", Delete, nothing(), None),
        ("workloads = [\"exchange\"]", Draft, nothing(), None),
        (
            "workloads = [\"onedrive\"]",
            Draft,
            nothing(),
            Some(Rule::Workloads),
        ),
        ("workloads = [\"onedrive\"]", Read, Deed::default(), None),
        (
            "workloads = [\"onedrive\"]",
            Draft,
            Deed::default(),
            Some(Rule::Workloads),
        ),
        ("hours = \"Sat\"", Draft, nothing(), None),
        ("hours = \"Sun\"", Draft, nothing(), Some(Rule::Hours)),
        ("hours = \"Sun\"", Read, nothing(), None),
    ]);
}

#[test]
fn limits_destinations_and_groups_allow_and_deny() {
    expect([
        ("", Activate, Deed::default(), None),
        ("destinations = [\"new\"]", Activate, some(), None),
        (
            "destinations = [\"inPlace\"]",
            Activate,
            some(),
            Some(Rule::Destinations),
        ),
        ("destinations = []", Delete, nothing(), None),
        ("max_items_per_session = 5", Activate, some(), None),
        (
            "max_items_per_session = 4",
            Activate,
            some(),
            Some(Rule::MaxItemsPerSession),
        ),
        ("max_items_per_run = 50", Draft, some(), None),
        (
            "max_items_per_run = 49",
            Draft,
            some(),
            Some(Rule::MaxItemsPerRun),
        ),
        ("max_items_per_day = 500", Activate, some(), None),
        (
            "max_items_per_day = 499",
            Activate,
            some(),
            Some(Rule::MaxItemsPerDay),
        ),
        ("groups = [\"a\"]", Activate, some(), None),
        (
            "groups = [\"a\"]",
            Activate,
            items(1, 1, 1, "new", &["x"]),
            Some(Rule::Groups),
        ),
        ("", Activate, items(1, 1, 1, "new", &["x"]), None),
        (
            "groups = [\"a\"]",
            Activate,
            Deed::default(),
            Some(Rule::Groups),
        ),
        ("graph_paths = []", Draft, some(), None),
    ]);
}

#[test]
fn a_call_by_its_path_is_judged_by_what_can_be_told_of_it() {
    expect([
        (
            "allow = [\"draft\", \"activate\"]",
            Unlisted,
            call("PATCH", "/x"),
            Some(Rule::Allow),
        ),
        (
            "allow = [\"draft\", \"activate\", \"delete\"]",
            Unlisted,
            call("PATCH", "/x"),
            None,
        ),
        (
            "workloads = [\"exchange\"]",
            Delete,
            call("DELETE", "/users/1"),
            None,
        ),
        (
            "workloads = [\"exchange\"]",
            Draft,
            call("PATCH", "/Solutions/backuprestore/restoreSessions/1"),
            Some(Rule::Workloads),
        ),
        ("groups = [\"a\"]", Draft, call("PATCH", "/users/1"), None),
        (
            "groups = [\"a\"]",
            Delete,
            call("DELETE", "/users/1"),
            Some(Rule::Groups),
        ),
        (
            "max_items_per_run = 5",
            Activate,
            call("POST", ACTIVATE),
            Some(Rule::MaxItemsPerRun),
        ),
        (
            "max_items_per_run = 5",
            Unlisted,
            call("POST", "/solutions/x.BackupRestore/y"),
            Some(Rule::MaxItemsPerRun),
        ),
        (
            "max_items_per_run = 5",
            Unlisted,
            call("PATCH", "/users/1"),
            None,
        ),
        (
            "max_items_per_run = 5",
            Delete,
            call("DELETE", ACTIVATE),
            None,
        ),
        (
            "graph_paths = [\"/users/*\"]",
            Unlisted,
            call("PATCH", "/users/1"),
            None,
        ),
        (
            "graph_paths = [\"/users/*\"]",
            Read,
            call("GET", "/groups"),
            Some(Rule::GraphPaths),
        ),
    ]);
}

#[test]
fn a_plan_is_of_no_hour() {
    let policy = read::policy(Path::new("p"), b"hours = \"Sun\"").unwrap();
    policy
        .judge(Act::Activate, &Deed::nothing("exchange"), None)
        .unwrap();
}
