//! Guard rails: what a policy file lets through, and what it does not, each rule by itself and at the one door.

mod checked;
mod consent;
mod limits;
mod people;
mod rules;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::support::{Bench, Done, Served};

const RESTORE_GROUP: &str = include_str!("../scripts/restore-group.rhai");

/// A bench with a script and a policy, and with `--yes`.
fn bench(tenant: &Served, script: &str, policy: &str) -> Bench {
    let bench = tenant
        .bench()
        .script(script)
        .flags(&["--policy", "policy.toml", "--yes"]);
    with_policy(bench, policy)
}

/// The policy as an administrator would write it: nobody else can, whatever this machine's umask.
fn with_policy(bench: Bench, policy: &str) -> Bench {
    let bench = bench.file("policy.toml", policy);
    mode(&bench.path("policy.toml"), 0o600);
    bench
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// It was ended by this rule, which stands in the first line of the policy, and said what to change.
#[track_caller]
fn expect_denied(done: &Done, rule: &str) {
    assert_eq!(done.code, 5, "{done}");
    let said = &done.stderr;
    assert!(said.contains("error: denied by the policy: "), "{done}");
    assert!(
        said.contains(&format!("policy.toml:1 says: {rule}")),
        "{done}"
    );
    assert!(said.contains("\nhint: "), "{done}");
}

/// Nothing was sent that changes the tenant.
#[track_caller]
fn expect_untouched(tenant: &Served) {
    let state = tenant.get("/_sandbox/state");
    assert_eq!(state["sessions"], serde_json::json!([]));
    for (request, _) in state["counts"].as_object().unwrap() {
        let reads = request.starts_with("GET ")
            || request.ends_with("/restorePoints/search")
            || request.contains("/oauth2/")
            || request.contains("_sandbox");
        assert!(reads, "{request}");
    }
}

/// How many sessions were activated.
fn activated(tenant: &Served) -> usize {
    let sessions = tenant.sessions();
    sessions
        .iter()
        .filter(|session| session["status"] != "draft")
        .count()
}

/// The `toml` blocks of a text.
fn tomls(text: &str) -> Vec<String> {
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn what_is_shown_of_policies_can_be_obeyed_and_shows_every_rule() {
    let rules = [
        "allow",
        "workloads",
        "destinations",
        "max_items_per_run",
        "max_items_per_session",
        "max_items_per_day",
        "groups",
        "hours",
        "graph_paths",
        "consent",
        "require_signature",
        "trusted_keys",
        "owners",
        "approvers",
        "approval_keys",
    ];
    let has = |text: &str, rule: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.starts_with(&format!("{rule} = ")))
    };
    let whole = include_str!("../contrib/policy.toml");
    let topic = include_str!("../src/manual/topics/policy.md");
    let blocks = tomls(topic);
    for rule in rules {
        assert!(has(whole, rule), "contrib/policy.toml: {rule}");
        assert!(
            topic.contains(&format!("`{rule}`")),
            "topics/policy.md: {rule}"
        );
        assert!(
            blocks.iter().any(|block| has(block, rule)),
            "topics/policy.md: {rule}"
        );
    }
    let readme = tomls(include_str!("../README.md"));
    let readme = readme
        .into_iter()
        .filter(|block| block.starts_with("allow"));
    let mut all: Vec<String> = blocks.into_iter().chain(readme).collect();
    all.push(whole.to_owned());
    assert!(all.len() > 8);
    for text in all {
        let bench = with_policy(Bench::new().script("print(1);"), &text);
        let words = ["check", "script.rhai", "--policy", "policy.toml"];
        let done = bench.runback(&words);
        assert_eq!(done.code, 0, "{text}\n{done}");
    }
}

#[test]
fn a_policy_that_others_can_write_is_not_obeyed() {
    let bench = Bench::new()
        .script("print(1);")
        .flags(&["--sandbox", "--policy", "p/policy.toml"]);
    let bench = bench.file("p/policy.toml", "");
    let (file, folder) = (bench.path("p/policy.toml"), bench.path("p"));
    for (own, around, code, words) in [
        (0o600, 0o700, 0, ""),
        (0o644, 0o755, 0, ""),
        (0o660, 0o700, 2, "can be written by others (mode 0660)"),
        (0o602, 0o700, 2, "can be written by others (mode 0602)"),
        (
            0o600,
            0o770,
            2,
            "in which the policy lies, can be written by others",
        ),
        (
            0o600,
            0o1777,
            2,
            "in which the policy lies, can be written by others",
        ),
    ] {
        mode(&file, own);
        mode(&folder, around);
        let done = bench.run().expect(code);
        assert!(done.stderr.contains(words), "{done}");
        assert_eq!(done.stderr.contains("chmod go-w"), code == 2, "{done}");
    }
}

#[test]
fn a_policy_is_a_file_that_is_there_and_is_no_link_to_an_open_place() {
    let bench = Bench::new()
        .script("print(1);")
        .file("open/real.toml", "")
        .file("folder/x", "");
    mode(&bench.path("open/real.toml"), 0o600);
    mode(&bench.path("open"), 0o777);
    symlink("open/real.toml", bench.path("link.toml")).unwrap();
    symlink("nowhere", bench.path("broken.toml")).unwrap();
    let fifo = bench.path("fifo.toml");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    fs::write(bench.path("huge.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    mode(&bench.path("huge.toml"), 0o600);
    for (name, words) in [
        ("link.toml", "can be written by others"),
        ("broken.toml", "there is no policy file"),
        ("nowhere.toml", "there is no policy file"),
        ("folder", "is a folder"),
        ("fifo.toml", "is no regular file"),
        ("huge.toml", "is larger than 1 MiB"),
        ("/dev/null", "is no regular file"),
    ] {
        let done = bench.runback(&["run", "--sandbox", "--policy", name, "script.rhai"]);
        assert_eq!(done.code, 2, "{name}\n{done}");
        assert!(done.stderr.contains(words), "{name}\n{done}");
        assert_eq!(done.stdout, "", "{name}");
    }
}

#[test]
fn a_mistake_in_a_policy_keeps_everything_from_running() {
    let tenant = Served::fast();
    let bench = bench(
        &tenant,
        "users::list().count();",
        "# rails\nalow = [\"read\"]\n",
    );
    for words in [
        &["run", "script.rhai"][..],
        &["plan", "script.rhai"],
        &["check", "script.rhai"],
        &["drafts"],
    ] {
        let done = bench.runback(words).expect(2);
        assert!(done.stderr.contains("there is no rule `alow`"), "{done}");
        assert!(done.stderr.contains("policy.toml:2:1"), "{done}");
        assert!(done.stderr.contains("did you mean `allow`?"), "{done}");
    }
    assert_eq!(
        tenant.get("/_sandbox/state")["counts"]["GET /users"],
        serde_json::Value::Null
    );
}

#[test]
fn doctor_looks_at_the_policy() {
    let bench = with_policy(Bench::new(), "consent = \"ask\"\nmax_items_per_run = 5\n");
    let policy = |bench: &Bench| {
        let done = bench.runback(&["doctor", "--sandbox", "--policy", "policy.toml"]);
        let line = done.stdout.lines().find(|line| line.starts_with("policy"));
        line.map_or_else(|| panic!("{done}"), str::to_owned)
    };
    let line = policy(&bench);
    assert!(
        line.contains("ok") && line.contains("max_items_per_run, consent"),
        "{line}"
    );
    assert!(line.contains("never with `--yes`"), "{line}");
    mode(&bench.path("policy.toml"), 0o666);
    assert!(policy(&bench).contains("fails"), "{}", policy(&bench));
}

#[test]
fn what_a_run_was_under_stands_in_its_record() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP, "max_items_per_run = 11\n");
    let bench = bench.arguments(&["group=Finance", "before=-24h"]);
    bench.run().expect(1);
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    let (run, kept): (String, String) = database
        .query_row("SELECT run, policy_sha256 FROM runs", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    // printf 'max_items_per_run = 11\n' | sha256sum
    let sha256 = "24fdf97c0361c789e814bdad0c633b225b40c7cdfa92ecc133f4937491643de2";
    assert_eq!(kept, sha256);
    bench.runback(&["runs", &run, "--verify"]).expect(0);
    bench
        .runback(&["runs", &run, "--export", "evidence.jsonl"])
        .expect(0);
    assert!(
        bench
            .read("evidence.jsonl")
            .contains(&format!("\"policy_sha256\":\"{sha256}\""))
    );
}

#[test]
fn a_run_that_was_begun_under_a_policy_does_not_go_on_without_one() {
    let tenant = Served::fast();
    let script = "exchange::create_session(); throw \"enough\";";
    let bench = tenant
        .bench()
        .script(script)
        .file("rails.toml", "policy = \"policy.toml\"\n");
    mode(&bench.path("rails.toml"), 0o600);
    let bench = with_policy(bench, "allow = [\"draft\"]");
    let words = ["run", "--config", "rails.toml", "script.rhai"];
    bench.runback(&words).expect(3);
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    let query = "SELECT run FROM runs";
    let run: String = database.query_row(query, [], |row| row.get(0)).unwrap();
    let done = bench.runback(&["resume", &run]).expect(2);
    assert!(done.stderr.contains("was begun under a policy"), "{done}");
    let done = bench.runback(&["resume", &run, "--policy", "policy.toml"]);
    assert_eq!(done.code, 3, "{done}");
}
