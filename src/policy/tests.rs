//! Whole policy files: read, and refused.

use std::path::Path;

use super::read;
use super::rules::Allowed;
use super::*;
use crate::fuzz::Target;

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

fn policy(text: &str) -> Result<Policy, Fault> {
    read::policy(Path::new("policy.toml"), text.as_bytes())
}

#[test]
fn every_rule_is_read_and_its_line_is_known() {
    let text = format!(
        r#"# All of them.
allow = ["read", "draft"]
workloads = ["exchange", "sharepoint"]
destinations = ["new", "inPlace"]
max_items_per_run = 1_000
max_items_per_session = 200
max_items_per_day = 0x800
groups = ["Finance", "7f1c"]
hours = ["22:00-06:00", "Sat,Sun"]
graph_paths = ["GET /users/**"]
consent = "file"
require_signature = true
trusted_keys = ["{KEY}"]
owners = ["automation", 1001, "1002"]
approvers = [0]
approval_keys = ["{KEY}"]
"#
    );
    let policy = policy(&text).unwrap();
    let rules = policy.rules();
    assert_eq!(rules.allow(), Some(&[Allowed::Read, Allowed::Draft][..]));
    assert_eq!(rules.workloads().unwrap(), ["exchange", "sharepoint"]);
    assert_eq!(rules.destinations().unwrap(), ["new", "inPlace"]);
    assert_eq!(rules.max_items_per_run(), Some(1000));
    assert_eq!(rules.max_items_per_session(), Some(200));
    assert_eq!(rules.max_items_per_day(), Some(2048));
    assert_eq!(rules.groups().unwrap(), ["Finance", "7f1c"]);
    assert!(
        rules
            .hours()
            .unwrap()
            .contain("2026-11-21T12:00:00Z".parse().unwrap())
    );
    assert!(rules.graph_paths().unwrap().allow("GET", "/users/x"));
    assert_eq!(rules.consent(), Some(Consent::File));
    assert!(rules.require_signature());
    assert_eq!(rules.trusted_keys()[0].text(), KEY);
    let owners: Vec<String> = rules.owners().unwrap().iter().map(Who::to_string).collect();
    assert_eq!(owners, ["automation", "1001", "1002"]);
    assert_eq!(rules.owners().unwrap()[2], Who::Uid(1002));
    assert_eq!(rules.approvers(), [Who::Uid(0)]);
    assert_eq!(rules.approval_keys()[0].id(), "E7620F1842B4E81F");
    for (at, rule) in Rule::ALL.into_iter().enumerate() {
        assert_eq!(policy.place(rule).unwrap().line, at + 2, "{rule:?}");
    }
    assert_eq!(policy.at(Rule::Groups), "policy.toml:8");
}

#[test]
fn an_empty_policy_limits_nothing() {
    let policy = policy("").unwrap();
    assert_eq!(*policy.rules(), Rules::default());
    assert!(!policy.rules().require_signature() && policy.rules().owners().is_none());
    assert_eq!(policy.at(Rule::Allow), "policy.toml");
    // Of nothing at all.
    assert!(policy.sha256().starts_with("e3b0c44298fc1c14"));
}

#[test]
fn what_is_no_rule_is_refused_with_its_line_and_the_nearest_name() {
    let unsigned = format!("trusted_keys = [\"{KEY}\"]");
    let rows = [
        ("x = 1", 1, "there is no rule `x`", "runback doc policy"),
        ("\nalow = []", 2, "there is no rule `alow`", "`allow`"),
        (
            "max-items-per-run = 1",
            1,
            "there is no rule",
            "`max_items_per_run`",
        ),
        (
            "[rules]\nallow = []",
            1,
            "there is no rule `rules`",
            "doc policy",
        ),
        ("allow = [", 1, "this is not TOML", ""),
        ("allow = []\nallow = []", 2, "this is not TOML", ""),
        (
            "allow = \"read\"",
            1,
            "`allow`: this is a list",
            "allow = [",
        ),
        (
            "allow = [\n\"read\",\n\"write\"]",
            3,
            "`write` is none of `read`",
            "",
        ),
        ("allow = [1]", 1, "text in quotes", ""),
        ("workloads = [\"teams\"]", 1, "none of `exchange`", ""),
        ("destinations = [\"inplace\"]", 1, "`inPlace`", ""),
        ("max_items_per_run = 0", 1, "from 1 to", ""),
        ("max_items_per_session = -1", 1, "from 1 to", ""),
        ("max_items_per_day = 1.5", 1, "from 1 to", ""),
        ("max_items_per_day = 4294967296", 1, "from 1 to", ""),
        ("groups = [\"\"]", 1, "a group", ""),
        (
            "hours = \"night\"",
            1,
            "`hours`: write days, times",
            "Europe/Berlin",
        ),
        (
            "hours = [\n\"Sat\",\n\"25:00-26:00\"]",
            3,
            "no span of time",
            "",
        ),
        ("graph_paths = [\"users\"]", 1, "begins with `/`", ""),
        ("graph_paths = [\"/users/a\", 7]", 1, "text in quotes", ""),
        ("consent = \"yes\"", 1, "none of `ask`", ""),
        ("consent = true", 1, "text in quotes", ""),
        ("consent = \"file\"", 1, "nobody could approve", "approvers"),
        ("require_signature = \"yes\"", 1, "`true` or `false`", ""),
        (
            "require_signature = true",
            1,
            "lets nothing in",
            "trusted_keys",
        ),
        (&unsigned, 1, "let unsigned scripts in", "require_signature"),
        ("trusted_keys = [\"RWQ=\"]", 1, "42 bytes", ".pub"),
        ("owners = \"root\"", 1, "a list", ""),
        ("owners = [\"a b\"]", 1, "name of a user", ""),
        ("approvers = [-1]", 1, "name of a user", ""),
    ];
    for (text, line, message, hint) in rows {
        let fault = policy(text).expect_err(text);
        assert_eq!((fault.exit, &*fault.code), (Exit::Unstarted, "BadPolicy"));
        assert_eq!(
            fault.place.as_ref().map(|place| place.line),
            Some(line),
            "{text}"
        );
        let said = format!("{fault} {}", fault.hints.join(" "));
        assert!(
            said.contains(message) && said.contains(hint),
            "{text}: {said}"
        );
    }
    assert!(read::policy(Path::new("p"), &[0xff]).is_err());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let fault = policy("b = 1\nallow = 1\na = 1").unwrap_err();
    assert_eq!(fault.place.unwrap().line, 1);
    assert_eq!(fault.context.len(), 2, "{:?}", fault.context);
    assert!(fault.context[1].starts_with("also in line 3: there is no rule `a`"));
}

#[test]
fn a_policy_is_read_whatever_comes() {
    let all = format!(
        "{}\ntrusted_keys = [\"{KEY}\"]\napproval_keys = [\"{KEY}\"]\n",
        Rule::ALL
            .into_iter()
            .filter(|rule| !matches!(rule, Rule::TrustedKeys | Rule::ApprovalKeys))
            .map(Rule::example)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let seeds = [
        all.as_str(),
        "hours = [\"Mon-Fri 22:00-06:00 Europe/Berlin\", \"Sat,Sun\", \"08:00-24:00 -03:30\"]\n",
        "graph_paths = [\"GET /users/*@b.example\", \"/solutions/**/x\"]\nowners = [\"a\", 1001]\n",
    ];
    let words = &[
        "allow",
        "hours",
        "graph_paths",
        "owners",
        "consent",
        " = ",
        "[\"",
        "\"]",
        "\", \"",
        "/**/",
        "*",
        "Mon-",
        "Sun",
        "24:00",
        "-",
        "+14:00",
        "UTC",
        "0x",
        "_",
        "\"\"\"",
        "RWQ",
        "[[",
        "]]",
        "{",
        "}",
        "\\u00e9",
        "#",
    ];
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    Target::new("policy", &seeds, words).attack(move |bytes| {
        match read::policy(Path::new("policy.toml"), bytes) {
            Ok(policy) => {
                let rules = policy.rules();
                let open = rules
                    .hours()
                    .map(|hours| (hours.contain(now), hours.next(now).is_some()));
                let path = rules
                    .graph_paths()
                    .map(|paths| paths.allow("GET", "/users/a@b.example/messages"));
                format!("read {open:?} {path:?} {}", policy.places.len())
            }
            Err(fault) => {
                assert!(fault.place.is_some() || std::str::from_utf8(bytes).is_err());
                fault.message
            }
        }
    });
}
