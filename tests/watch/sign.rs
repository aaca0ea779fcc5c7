//! `runback sign`, and the ordinary tool.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Signer, Watched, chmod};

const SCRIPT: &str = "//! @param who string = \"nobody\" x\n//! @param list list = [] x\nprint(`${args.who} ${args.list.len}`);";

fn ready() -> (Watched, Signer) {
    let signer = Signer::new();
    let watched = Watched::new().policy(&format!(
        "require_signature = true\ntrusted_keys = [\"{}\"]\n",
        signer.public()
    ));
    fs::write(watched.bench.path("x.rhai"), SCRIPT).unwrap();
    fs::write(watched.bench.path("key"), signer.secret()).unwrap();
    (watched, signer)
}

/// Copies what stdout names, in its order.
fn copy(watched: &Watched, stdout: &str) {
    for line in stdout.lines() {
        let bytes = fs::read(watched.bench.path(line)).unwrap();
        fs::write(watched.inbox(line), bytes).unwrap();
    }
}

#[test]
fn what_sign_signs_is_let_in() {
    let (watched, _) = ready();
    let sign = |arguments: &[&str]| {
        let mut words = vec!["sign", "x.rhai"];
        words.extend(arguments);
        words.extend(["--key", "key"]);
        let done = watched.bench.runback(&words).expect(0);
        assert!(done.stderr.contains("signed with key"), "{done}");
        done.stdout
    };
    let files = sign(&[]);
    assert_eq!(files, "x.rhai\nx.rhai.minisig\n");
    copy(&watched, &files);
    watched.once(&[]).expect(0);
    assert_eq!(watched.only("done").read("run.log"), "nobody 0\n");
    let files = sign(&["who=me", "list=a,b", "list=c"]);
    assert_eq!(
        files,
        "x.args.json\nx.args.json.minisig\nx.rhai\nx.rhai.minisig\n"
    );
    copy(&watched, &files);
    watched.once(&[]).expect(0);
    assert_eq!(watched.filed("done")[1].read("run.log"), "me 3\n");
    // Arguments that lie there are signed as they are; each signature is a new order.
    copy(&watched, &sign(&[]));
    watched.once(&[]).expect(0);
    assert_eq!(watched.filed("done")[2].read("run.log"), "me 3\n");
}

#[test]
fn sign_looks_at_what_it_signs() {
    let (watched, _) = ready();
    let refused = |words: &[&str]| {
        let done = watched.bench.runback(words).expect(2);
        assert!(!watched.bench.path("x.rhai.minisig").exists());
        done.stderr
    };
    assert!(refused(&["sign", "x.rhai", "whom=me", "--key", "key"]).contains("did you mean `who`"));
    assert!(refused(&["sign", "none.rhai", "--key", "key"]).contains("there is no file"));
    assert!(refused(&["sign", "x.rhai", "--key", "none"]).contains("minisign -G"));
    assert!(refused(&["sign", "x.rhai", "--key", "x.rhai"]).contains("no secret key"));
    assert!(refused(&["sign", "x.rhai"]).contains(".minisign/minisign.key"));
    fs::write(watched.bench.path("bad.rhai"), "nope(").unwrap();
    refused(&["sign", "bad.rhai", "--key", "key"]);
    fs::write(watched.bench.path("x.txt"), SCRIPT).unwrap();
    assert!(refused(&["sign", "x.txt", "--key", "key"]).contains("ends in `.rhai`"));
}

/// Without it these tests look at nothing, and say so.
fn has_minisign() -> bool {
    let is_there = Command::new("minisign").arg("-v").output().is_ok();
    if !is_there {
        println!("no minisign: not looked at");
    }
    is_there
}

fn minisign(watched: &Watched, words: &[&str], input: &str) {
    use std::io::Write as _;
    let mut child = Command::new("minisign")
        .args(words)
        .current_dir(watched.bench.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_ordinary_tool_and_ours_understand_each_other() {
    if !has_minisign() {
        return;
    }
    let watched = Watched::new();
    fs::write(watched.bench.path("x.rhai"), SCRIPT).unwrap();
    minisign(
        &watched,
        &["-G", "-W", "-p", "runback.pub", "-s", "runback.key"],
        "",
    );
    let public = watched.bench.read("runback.pub");
    let public = public.lines().nth(1).unwrap();
    watched.set_policy(&format!(
        "require_signature = true\ntrusted_keys = [\"{public}\"]\n"
    ));
    // Theirs, for us.
    let comment = "file:x.rhai\texpires:2100-01-01T00:00:00Z";
    minisign(
        &watched,
        &[
            "-S",
            "-W",
            "-s",
            "runback.key",
            "-m",
            "x.rhai",
            "-t",
            comment,
        ],
        "",
    );
    copy(&watched, "x.rhai\nx.rhai.minisig");
    watched.once(&[]).expect(0);
    watched.only("done");
    // Ours, for them.
    watched
        .bench
        .runback(&["sign", "x.rhai", "who=me", "--key", "runback.key"])
        .expect(0);
    for file in ["x.rhai", "x.args.json"] {
        minisign(&watched, &["-V", "-p", "runback.pub", "-m", file], "");
    }
}

#[test]
fn a_key_with_a_password_is_opened_with_it() {
    if !has_minisign() {
        return;
    }
    let watched = Watched::new();
    fs::write(watched.bench.path("x.rhai"), SCRIPT).unwrap();
    minisign(
        &watched,
        &["-G", "-p", "runback.pub", "-s", "runback.key"],
        "open sesame\nopen sesame\n",
    );
    let path = watched.bench.path("password");
    fs::write(&path, "open sesame\n").unwrap();
    chmod(&path, 0o644);
    let words = [
        "sign",
        "x.rhai",
        "--key",
        "runback.key",
        "--password-file",
        "password",
    ];
    let done = watched.bench.runback(&words).expect(2);
    assert!(done.stderr.contains("chmod 600"), "{done}");
    chmod(&path, 0o600);
    watched.bench.runback(&words).expect(0);
    fs::write(&path, "open sezame\n").unwrap();
    let done = watched.bench.runback(&words).expect(2);
    assert!(done.stderr.contains("another password"), "{done}");
    // Nobody is there to be asked.
    let done = watched.bench.runback(&words[..4]).expect(2);
    assert!(done.stderr.contains("--password-file"), "{done}");
}

#[test]
fn what_was_signed_with_arguments_does_not_run_without_them() {
    let sign = || {
        let (watched, _) = ready();
        let words = ["sign", "x.rhai", "who=me", "--key", "key"];
        watched.bench.runback(&words).expect(0);
        watched
    };
    let put = |watched: &Watched, names: &[&str]| {
        for name in names {
            let bytes = fs::read(watched.bench.path(name)).unwrap();
            watched.drop_file(name, bytes);
        }
    };
    let script = ["x.rhai", "x.rhai.minisig"];
    let watched = sign();
    put(&watched, &script);
    watched.once(&[]).expect(1);
    assert_eq!(watched.only("quarantine").code(), "NoArguments");
    // With other arguments of the same signer, which were signed for the same script.
    put(&watched, &["x.args.json"]);
    let words = ["sign", "x.rhai", "who=you", "--key", "key"];
    let first = fs::read(watched.bench.path("x.rhai.minisig")).unwrap();
    watched.bench.runback(&words).expect(0);
    put(&watched, &["x.args.json", "x.args.json.minisig", "x.rhai"]);
    fs::write(watched.inbox("x.rhai.minisig"), first).unwrap();
    watched.once(&[]).expect(1);
    assert_eq!(watched.filed("quarantine")[1].code(), "BadSignature");
    // Their signature says that there are some. It is waited for them, ten seconds long.
    let watched = sign();
    put(
        &watched,
        &["x.args.json.minisig", "x.rhai", "x.rhai.minisig"],
    );
    let mut watching = watched.start(&[]);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(watched.filed("quarantine").is_empty());
    put(&watched, &["x.args.json"]);
    watched.waits_for("done", 1);
    assert_eq!(watched.only("done").read("run.log"), "me 0\n");
    put(
        &watched,
        &["x.args.json.minisig", "x.rhai", "x.rhai.minisig"],
    );
    watched.waits_for("quarantine", 1);
    assert_eq!(watched.only("quarantine").code(), "NoArguments");
    watching.signal("TERM");
    watching.finish().expect(143);
}

#[test]
fn what_imports_from_the_library_can_be_signed() {
    let (watched, _) = ready();
    let script = "import \"tools\" as tools;\nprint(tools::two());";
    fs::write(watched.bench.path("x.rhai"), script).unwrap();
    fs::create_dir(watched.bench.path("library")).unwrap();
    fs::write(watched.bench.path("library/tools.rhai"), "fn two() { 2 }").unwrap();
    let sign = |more: &[&str]| {
        let mut words = vec!["sign", "x.rhai", "--key", "key"];
        words.extend(more);
        watched.bench.runback(&words)
    };
    let done = sign(&[]).expect(0);
    assert!(done.stderr.contains("`--library DIR`"), "{done}");
    let done = sign(&["--library", "library"]).expect(0);
    assert!(!done.stderr.contains("--library"), "{done}");
    copy(&watched, &done.stdout);
    watched.once(&["--library", "library"]).expect(0);
    assert_eq!(watched.only("done").read("run.log"), "2\n");
    fs::write(watched.bench.path("library/tools.rhai"), "fn three() { 3 }").unwrap();
    sign(&["--library", "library"]).expect(2);
}
