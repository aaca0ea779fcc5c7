//! `consent = "file"`: a run waits with its plan until somebody else approves it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Running, Served, Signer, Watched, chmod};

const RESTORE: &str = r#"
//! @param before datetime = "-48h" x
let rows = exchange::points_before(groups::members("Executives").first(2), args.before);
let session = exchange::create_session(rows, "new");
session.activate();
session.wait();
"#;
/// Not the watcher's own, and not root's.
const APPROVER: u32 = 12_345;

struct Parked {
    tenant: Served,
    watched: Watched,
    watching: Running,
    key: Signer,
}

impl Parked {
    /// A restore that waits.
    fn new() -> Self {
        Self::of(RESTORE)
    }

    fn of(script: &str) -> Self {
        Self::with(script, &[])
    }

    fn with(script: &str, flags: &[&str]) -> Self {
        let tenant = Served::fast();
        let key = Signer::new();
        let watched = Watched::over(tenant.bench()).policy(&format!(
            "consent = \"file\"\napprovers = [{APPROVER}]\napproval_keys = [\"{}\"]\n",
            key.public()
        ));
        fs::create_dir(watched.bench.path("data")).unwrap();
        fs::write(watched.bench.path("data/late.json"), "false").unwrap();
        watched.drop_file("night.rhai", script);
        let watching = watched.start(flags);
        watched.waits_for("pending", 1);
        Self {
            tenant,
            watched,
            watching,
            key,
        }
    }

    fn folder(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.watched.inbox("pending")).unwrap();
        entries.next().expect("it waits").unwrap().path()
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.folder().join("plan.json")).unwrap()).unwrap()
    }

    /// By another name first: nobody sees half of it.
    fn leaves(&self, name: &str, content: impl AsRef<[u8]>, owner: Option<u32>) -> bool {
        let draft = self.watched.bench.path("word");
        fs::write(&draft, content).unwrap();
        chmod(&draft, 0o644);
        if owner.is_some() && chown(&draft, owner, None).is_err() {
            println!("nobody but root gives files away: not looked at");
            return false;
        }
        fs::rename(draft, self.folder().join(name)).unwrap();
        true
    }

    fn activated(&self) -> usize {
        let sessions = self.tenant.sessions();
        sessions
            .iter()
            .filter(|session| session["status"] != "draft")
            .count()
    }

    fn ends(mut self) -> Watched {
        self.watching.signal("TERM");
        self.watching.finish().expect(143);
        self.watched
    }
}

#[test]
fn a_plan_waits_and_runs_once_it_is_approved() {
    let parked = Parked::new();
    let plan = parked.plan();
    assert_eq!(plan["totals"]["planned"], 2);
    let folder = parked.folder();
    let table = fs::read_to_string(folder.join("plan.txt")).unwrap();
    assert!(table.contains("planned"), "{table}");
    assert_eq!(
        fs::read_to_string(folder.join("night.rhai")).unwrap(),
        RESTORE
    );
    assert_eq!(parked.activated(), 0);
    let signature = parked.key.sign(
        fs::read(folder.join("plan.json")).unwrap(),
        "file:plan.json",
    );
    parked.leaves("plan.json.minisig", signature, None);
    parked.watched.waits_for("done", 1);
    assert_eq!(parked.activated(), 1);
    let filed = parked.watched.only("done");
    assert_eq!(filed.result["books"]["succeeded"], 2);
    for name in ["plan.json", "plan.txt", "plan.json.minisig"] {
        assert!(filed.folder.join(name).is_file(), "{name}");
    }
    let watched = parked.ends();
    assert!(
        fs::read_dir(watched.inbox("pending"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_file_with_the_plan_s_hash_is_an_approval() {
    let parked = Parked::new();
    let hash = parked.plan()["plan"].as_str().unwrap().to_owned();
    if !parked.leaves("approved", format!("{hash}\n"), Some(APPROVER)) {
        return;
    }
    parked.watched.waits_for("done", 1);
    assert_eq!(parked.activated(), 1);
    parked.ends();
}

#[test]
fn nothing_else_is_an_approval() {
    let mut parked = Parked::new();
    let hash = parked.plan()["plan"].as_str().unwrap().to_owned();
    let folder = parked.folder();
    let plan = fs::read(folder.join("plan.json")).unwrap();
    let good = parked.key.sign(&plan, "file:plan.json");
    // The dropper's own word, which is the watcher's here.
    parked.leaves("approved", &hash, None);
    parked.watching.hears("is not approved");
    parked.leaves("approved", &hash, Some(APPROVER + 1));
    parked.watching.hears("is not approved");
    for wrong in ["", "yes", &hash[1..], &format!("{hash}{hash}")] {
        if parked.leaves("approved", wrong, Some(APPROVER)) && wrong.is_empty() {
            // Said once for each reason.
            parked.watching.hears("does not hold this plan");
        }
    }
    fs::remove_file(folder.join("approved")).unwrap();
    // A link to a good word.
    fs::write(parked.watched.bench.path("good"), &hash).unwrap();
    symlink(parked.watched.bench.path("good"), folder.join("approved")).unwrap();
    parked.watching.hears("no regular file");
    fs::remove_file(folder.join("approved")).unwrap();
    // Signatures of others, of another plan, of the plan but edited.
    for (signature, words) in [
        (Signer::new().sign(&plan, "file:plan.json"), "not trusted"),
        (
            parked.key.sign("another plan", "file:plan.json"),
            "does not hold",
        ),
        ("nonsense".to_owned(), "no signature of minisign"),
        (
            good.replace("file:plan.json", "file:other.json"),
            "does not hold",
        ),
    ] {
        parked.leaves("plan.json.minisig", signature, None);
        parked.watching.hears(words);
    }
    // What lies there to be looked at is not what runs.
    fs::remove_file(folder.join("plan.json.minisig")).unwrap();
    fs::write(folder.join("plan.json"), "{}").unwrap();
    fs::write(folder.join("night.rhai"), "print(\"evil\");").unwrap();
    assert_eq!(parked.activated(), 0);
    parked.leaves("plan.json.minisig", &good, None);
    parked.watched.waits_for("done", 1);
    assert_eq!(parked.watched.only("done").read("night.rhai"), RESTORE);
    parked.ends();
}

#[test]
fn whoever_signed_the_script_cannot_approve_it() {
    let tenant = Served::fast();
    let (one, other) = (Signer::new(), Signer::new());
    let keys = format!("\"{}\", \"{}\"", one.public(), other.public());
    let watched = Watched::over(tenant.bench()).policy(&format!(
        "consent = \"file\"\nrequire_signature = true\ntrusted_keys = [{keys}]\napproval_keys = [{keys}]\n"
    ));
    watched.drop_file("night.rhai", RESTORE);
    watched.drop_file(
        "night.rhai.minisig",
        one.sign(RESTORE, "file:night.rhai\texpires:2100-01-01T00:00:00Z"),
    );
    let watching = watched.start(&[]);
    watched.waits_for("pending", 1);
    let mut parked = Parked {
        tenant,
        watched,
        watching,
        key: one,
    };
    let plan = fs::read(parked.folder().join("plan.json")).unwrap();
    parked.leaves(
        "plan.json.minisig",
        parked.key.sign(&plan, "file:plan.json"),
        None,
    );
    parked.watching.hears("which has signed the script");
    parked.leaves(
        "plan.json.minisig",
        other.sign(&plan, "file:plan.json"),
        None,
    );
    parked.watched.waits_for("done", 1);
    parked.ends();
}

#[test]
fn a_rejected_plan_ends_the_run() {
    let parked = Parked::new();
    parked.leaves("rejected", "", None);
    parked.watched.waits_for("failed", 1);
    assert_eq!(parked.activated(), 0);
    let watched = parked.ends();
    let filed = watched.only("failed");
    assert_eq!(
        (filed.code(), &filed.result["exit"]),
        ("PlanRejected", &5.into())
    );
    assert!(
        fs::read_dir(watched.inbox("pending"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_plan_waits_also_while_nobody_watches() {
    let parked = Parked::new();
    let plan = fs::read(parked.folder().join("plan.json")).unwrap();
    let signature = parked.key.sign(&plan, "file:plan.json");
    let mut parked = parked;
    parked.watching.signal("KILL");
    parked.leaves("plan.json.minisig", signature, None);
    let Parked {
        watched,
        tenant,
        watching,
        ..
    } = parked;
    drop(watching);
    watched.once(&[]).expect(0);
    assert_eq!(watched.only("done").result["books"]["succeeded"], 2);
    tenant.expect_nothing_twice();
}

#[test]
fn what_changes_nothing_needs_no_approval() {
    let tenant = Served::fast();
    let watched = Watched::over(tenant.bench())
        .policy(&format!("consent = \"file\"\napprovers = [{APPROVER}]\n"));
    watched.drop_file("report.rhai", "print(users::list().count());");
    watched.once(&[]).expect(0);
    assert_eq!(watched.only("done").read("run.log"), "100\n");
}

#[test]
fn a_changed_plan_needs_a_new_approval() {
    let newest = RESTORE
        .replace("points_before(", "latest_points(")
        .replace(", args.before", "")
        .replace("//! @param before datetime = \"-48h\" x\n", "");
    let mut parked = Parked::of(&newest);
    let plan = fs::read(parked.folder().join("plan.json")).unwrap();
    // Time goes by: there are newer points, or none any more at the old places.
    parked
        .tenant
        .post("/_sandbox/clock", &serde_json::json!({"advance": "72h"}));
    parked.leaves(
        "plan.json.minisig",
        parked.key.sign(&plan, "file:plan.json"),
        None,
    );
    parked
        .watching
        .hears("its plan has changed")
        .hears("waits for approval");
    assert_eq!(parked.activated(), 0);
    let old = fs::read_dir(parked.watched.inbox("failed"))
        .unwrap()
        .count();
    assert_eq!(old, 1);
    // The new plan waits, and the old signature is worth nothing there.
    let new = fs::read(parked.folder().join("plan.json")).unwrap();
    assert_ne!(new, plan);
    parked.leaves(
        "plan.json.minisig",
        parked.key.sign(&plan, "file:plan.json"),
        None,
    );
    parked.watching.hears("does not hold");
    let watched = parked.ends();
    let filed = watched.only("failed");
    assert_eq!(
        (filed.code(), &filed.result["exit"]),
        ("PlanChanged", &5.into())
    );
    let hint = filed.result["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("waits in pending/"), "{hint}");
}

/// Each does another thing than its plan said, once it is approved.
#[test]
fn what_is_not_to_the_letter_what_was_approved_is_not_done() {
    let patch = |name: &str| format!("graph::patch(path, #{{displayName: {name}}});");
    let call = |name: &str, more: &str| {
        format!(
            "let late = json::read(\"late.json\");
             let path = \"/solutions/backupRestore/exchangeProtectionPolicies\";
             path += \"/\" + graph::get(path).value[0].id;
             {} if late {{ {more} }}",
            patch(name)
        )
    };
    let bulk = |options: &str| {
        format!(
            "let late = json::read(\"late.json\");
             exchange::restore_bulk(groups::members(\"Executives\").first(2), #{{destination: \"new\", {options}}});"
        )
    };
    // With what is done before the run is stopped.
    let rows = [
        (
            call("if late { \"evil\" } else { \"good\" }", ""),
            "failed",
            0,
        ),
        (call("\"good\"", &patch("\"good\"")), "failed", 1),
        (
            bulk("prefer: if late { \"oldest\" } else { \"latest\" }"),
            "failed",
            0,
        ),
        (
            bulk("window: #{before: now() - duration(if late { \"240h\" } else { \"48h\" })}"),
            "failed",
            0,
        ),
        (
            bulk("tags: if late { \"fastRestore\" } else { () }"),
            "failed",
            0,
        ),
        // Who wants that takes it as an argument, which is approved with its value.
        (
            bulk("window: #{before: now() - duration(\"48h\")}"),
            "failed",
            0,
        ),
        // It ends with the moment, which is another one by now.
        (bulk("name: \"all of them\""), "done", 1),
        (call("\"good\"", ""), "done", 1),
    ];
    for (script, place, done) in rows {
        let parked = Parked::with(&script, &["--data", "data"]);
        fs::write(parked.watched.bench.path("data/late.json"), "true").unwrap();
        let plan = fs::read(parked.folder().join("plan.json")).unwrap();
        parked.leaves(
            "plan.json.minisig",
            parked.key.sign(&plan, "file:plan.json"),
            None,
        );
        parked.watched.waits_for(place, 1);
        let counts = parked.tenant.get("/_sandbox/state")["counts"].clone();
        let patches = counts.as_object().unwrap().iter();
        let patches = patches.filter(|(name, _)| name.starts_with("PATCH "));
        let patches: u64 = patches.filter_map(|(_, count)| count.as_u64()).sum();
        assert_eq!(patches + parked.activated() as u64, done, "{script}");
        parked.ends();
    }
}

#[test]
fn a_plan_that_cannot_be_drawn_up_fails_with_its_reason() {
    let watched = Watched::new().policy(&format!("consent = \"file\"\napprovers = [{APPROVER}]\n"));
    watched.drop_file("x.rhai", "throw \"no\";");
    watched.once(&[]).expect(1);
    let filed = watched.only("failed");
    assert_eq!(filed.code(), "Thrown", "{}", filed.result);
    assert_eq!(filed.result["exit"], 2);
}

/// A signed restore that waits for an approval by a key of its own, under a policy that is changed before that comes.
fn changed_while_it_waits(life: &str, then: impl Fn(&Watched, &Signer, &str) -> bool) -> Watched {
    let (signer, approver) = (Signer::new(), Signer::new());
    let tenant = Served::fast();
    let policy = format!(
        "consent = \"file\"\napproval_keys = [\"{}\"]\nrequire_signature = true\n",
        approver.public()
    );
    let watched = Watched::over(tenant.bench()).policy(&format!(
        "{policy}trusted_keys = [\"{}\"]\n",
        signer.public()
    ));
    let expires = jiff::Timestamp::now() + life.parse::<jiff::Span>().unwrap();
    let signature = signer.sign(RESTORE, &format!("file:night.rhai\texpires:{expires}"));
    watched.drop_file("night.rhai", RESTORE);
    watched.drop_file("night.rhai.minisig", signature);
    let mut watching = watched.start(&[]);
    watched.waits_for("pending", 1);
    if then(&watched, &signer, &policy) {
        watching.signal("HUP");
        watching.hears("was read again");
    }
    let mut pending = fs::read_dir(watched.inbox("pending")).unwrap();
    let folder = pending.next().unwrap().unwrap().path();
    let plan = fs::read(folder.join("plan.json")).unwrap();
    let draft = watched.bench.path("word");
    fs::write(&draft, approver.sign(plan, "file:plan.json")).unwrap();
    chmod(&draft, 0o644);
    fs::rename(draft, folder.join("plan.json.minisig")).unwrap();
    watched.waits_until("it is filed away", || {
        ["done", "failed", "quarantine"]
            .iter()
            .any(|kind| fs::read_dir(watched.inbox(kind)).unwrap().next().is_some())
    });
    watching.signal("TERM");
    watching.finish().expect(143);
    let activated = tenant
        .sessions()
        .iter()
        .filter(|session| session["status"] != "draft")
        .count();
    assert_eq!(activated, watched.filed("done").len(), "{}", watched.tree());
    watched
}

#[test]
fn what_was_let_in_is_verified_again_when_it_is_approved() {
    let same = changed_while_it_waits("PT1H", |_, _, _| false);
    assert_eq!(same.filed("done").len(), 1, "{}", same.tree());
    let code = |watched: &Watched| watched.only("quarantine").code().to_owned();
    let other_key = changed_while_it_waits("PT1H", |watched, _, policy| {
        let other = Signer::new().public();
        watched.set_policy(&format!("{policy}trusted_keys = [\"{other}\"]\n"));
        true
    });
    assert_eq!(code(&other_key), "UntrustedKey");
    let other_owner = changed_while_it_waits("PT1H", |watched, signer, policy| {
        let key = signer.public();
        let text = format!("{policy}trusted_keys = [\"{key}\"]\nowners = [4711]\n");
        watched.set_policy(&text);
        true
    });
    assert_eq!(code(&other_owner), "ForeignOwner");
    let expired = changed_while_it_waits("PT4S", |_, _, _| {
        // The life of the signature.
        std::thread::sleep(std::time::Duration::from_secs(4));
        false
    });
    assert_eq!(code(&expired), "SignatureExpired");
}

#[test]
fn what_a_plan_s_signature_says_of_itself_holds() {
    let mut parked = Parked::new();
    let plan = fs::read(parked.folder().join("plan.json")).unwrap();
    let rows = [
        ("file:other.json", "was signed as `other.json`"),
        ("expires:2020-01-01T00:00:00Z", "expired"),
        ("expires:never", "no RFC 3339 instant"),
    ];
    for (comment, why) in rows {
        parked.leaves("plan.json.minisig", parked.key.sign(&plan, comment), None);
        parked.watching.hears(why);
    }
    assert_eq!(parked.activated(), 0);
    let good = "file:plan.json\texpires:2999-01-01T00:00:00Z";
    parked.leaves("plan.json.minisig", parked.key.sign(&plan, good), None);
    parked.watched.waits_for("done", 1);
    parked.ends();
}

#[test]
fn not_everybody_may_reject() {
    let mut parked = Parked::new();
    fs::create_dir(parked.folder().join("rejected")).unwrap();
    parked.watching.hears("is no regular file");
    fs::remove_dir(parked.folder().join("rejected")).unwrap();
    if parked.leaves("rejected", "", Some(APPROVER + 1)) {
        parked.watching.hears("none of the `approvers`");
        assert!(parked.watched.filed("failed").is_empty());
        parked.leaves("rejected", "", Some(APPROVER));
        parked.watched.waits_for("failed", 1);
        assert_eq!(parked.watched.only("failed").code(), "PlanRejected");
    }
    parked.ends();
}

#[test]
fn the_plan_says_how_to_approve_it_and_why_something_is_no_approval() {
    let mut parked = Parked::new();
    let folder = parked.folder();
    let table = fs::read_to_string(folder.join("plan.txt")).unwrap();
    assert!(table.contains("rejected"), "{table}");
    assert!(table.contains("minisign -S"), "{table}");
    fs::write(folder.join("approved"), "nonsense").unwrap();
    parked.watching.hears("is not approved");
    parked
        .watched
        .waits_until("the reason lies beside the plan", || {
            fs::read_to_string(folder.join("approval.txt"))
                .is_ok_and(|why| why.contains("approvers"))
        });
    let status = || {
        let words = ["watch", "inbox", "--status"];
        parked.watched.bench.runback(&words).expect(0).stdout
    };
    parked.watched.waits_until("the status has it", || {
        status().contains("only `approvers`")
    });
    // What it says can be typed.
    let line = table.lines().find(|line| line.contains("umask")).unwrap();
    let done = std::process::Command::new("sh")
        .args(["-c", line])
        .status()
        .unwrap();
    assert!(done.success(), "{line}");
    let typed = fs::read(folder.join("approved")).unwrap();
    if parked.leaves("approved", typed, Some(APPROVER)) {
        parked.watched.waits_for("done", 1);
        assert_eq!(parked.activated(), 1);
    }
    parked.ends();
}

#[test]
fn a_plan_is_of_the_inbox_s_group() {
    let tenant = Served::fast();
    let watched = Watched::over(tenant.bench()).policy(&format!(
        "consent = \"file\"\nowners = [0]\napprovers = [{APPROVER}]\n"
    ));
    if chown(watched.inbox(""), None, Some(APPROVER)).is_err() {
        println!("nobody but root gives folders to any group: not looked at");
        return;
    }
    chmod(&watched.inbox(""), 0o1770);
    watched.drop_file("x.rhai", RESTORE);
    watched.once(&[]).expect(0);
    let folder = fs::read_dir(watched.inbox("pending")).unwrap().next();
    let folder = folder.unwrap().unwrap().path();
    for name in ["plan.txt", "plan.json", "x.rhai"] {
        let facts = folder.join(name).metadata().unwrap();
        assert_eq!(
            (facts.gid(), facts.mode() & 0o777),
            (APPROVER, 0o640),
            "{name}"
        );
    }
}

/// Seventeen megabytes are read and written before they are too many.
#[test]
fn a_plan_that_nobody_could_read_is_not_drawn_up() {
    let tenant = Served::fast();
    let watched = Watched::over(tenant.bench())
        .policy(&format!("consent = \"file\"\napprovers = [{APPROVER}]\n"));
    let many = "let s = \"\"; s.pad(1000000, \"x\"); for i in 0..1000 { skip(`${i}`, s); }";
    watched.drop_file("skips.rhai", format!("{RESTORE} {many}"));
    watched.once(&[]).expect(1);
    assert_eq!(watched.only("failed").code(), "BooksLimit");
}
