//! Signatures: only what was signed, as it was signed, by whom it must be signed, runs, and once.

use std::fs;

use sha2::{Digest as _, Sha256};

use crate::support::{Filed, Signer, Watched};

const SCRIPT: &str = "//! @param who string = \"nobody\" x\nprint(`hello ${args.who}`);";
const ARGUMENTS: &str = r#"{"who": "you"}"#;

struct Case {
    watched: Watched,
    signer: Signer,
}

fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text);
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn at(offset: &str) -> String {
    let now = jiff::Timestamp::now();
    let offset: jiff::Span = offset.parse().unwrap();
    (now + offset).to_string()
}

fn later() -> String {
    at("PT1H")
}

impl Case {
    fn new() -> Self {
        let signer = Signer::new();
        let watched = Watched::new().policy(&format!(
            "require_signature = true\ntrusted_keys = [\"{}\"]\n",
            signer.public()
        ));
        Self { watched, signer }
    }

    fn of_script(&self, script: &str) -> String {
        self.signer
            .sign(script, &format!("file:x.rhai\texpires:{}", later()))
    }

    fn of_arguments(&self, arguments: &str, nonce: &str) -> String {
        let comment = format!(
            "file:x.args.json\texpires:{}\tscript-sha256:{}\tnonce:{nonce}",
            later(),
            sha256(SCRIPT)
        );
        self.signer.sign(arguments, &comment)
    }

    fn drop_all(&self, files: &[(&str, &str)]) {
        for (name, content) in files {
            self.watched.drop_file(name, content);
        }
    }

    fn good(&self, nonce: &str) {
        self.drop_all(&[
            ("x.args.json", ARGUMENTS),
            ("x.args.json.minisig", &self.of_arguments(ARGUMENTS, nonce)),
            ("x.rhai", SCRIPT),
            ("x.rhai.minisig", &self.of_script(SCRIPT)),
        ]);
    }

    /// Nothing of it runs; gives the reason.
    #[track_caller]
    fn refused(self, code: &str) -> Filed {
        let done = self.watched.once(&[]);
        assert_eq!(done.code, 1, "{done}");
        assert!(
            self.watched.filed("done").is_empty(),
            "{}",
            self.watched.tree()
        );
        assert!(
            self.watched.filed("failed").is_empty(),
            "{}",
            self.watched.tree()
        );
        let filed = self.watched.only("quarantine");
        assert_eq!(
            (filed.code(), &filed.result["exit"]),
            (code, &2.into()),
            "{}",
            filed.message()
        );
        assert!(!filed.folder.join("run.log").exists());
        filed
    }
}

#[test]
fn what_is_signed_runs() {
    let case = Case::new();
    case.good("1");
    case.watched.once(&[]).expect(0);
    let filed = case.watched.only("done");
    assert_eq!(filed.read("run.log"), "hello you\n");
    for name in [
        "x.rhai",
        "x.args.json",
        "x.rhai.minisig",
        "x.args.json.minisig",
    ] {
        assert!(filed.folder.join(name).is_file(), "{name}");
    }
    // Without arguments the script's own signature is all there is.
    let case = Case::new();
    case.drop_all(&[
        ("x.rhai", SCRIPT),
        ("x.rhai.minisig", &case.of_script(SCRIPT)),
    ]);
    case.watched.once(&[]).expect(0);
    assert_eq!(case.watched.only("done").read("run.log"), "hello nobody\n");
}

/// Each with what it does to a good drop, and the reason that is given.
type Attack = (&'static str, fn(&Case), &'static str);

#[test]
#[allow(clippy::too_many_lines)] // a table
fn nothing_else_does() {
    let attacks: &[Attack] = &[
        (
            "no signature",
            |case| case.drop_all(&[("x.rhai", SCRIPT)]),
            "Unsigned",
        ),
        (
            "an empty signature",
            |case| case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", "")]),
            "BadSignature",
        ),
        (
            "half a signature",
            |case| {
                let whole = case.of_script(SCRIPT);
                case.drop_all(&[
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &whole[..whole.len() / 2]),
                ]);
            },
            "BadSignature",
        ),
        (
            "no global signature",
            |case| {
                let whole = case.of_script(SCRIPT);
                let cut: Vec<&str> = whole.lines().take(3).collect();
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &cut.join("\n"))]);
            },
            "BadSignature",
        ),
        (
            "the key of somebody else",
            |case| {
                let other =
                    Signer::new().sign(SCRIPT, &format!("file:x.rhai\texpires:{}", later()));
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &other)]);
            },
            "UntrustedKey",
        ),
        (
            "another text",
            |case| {
                case.good("1");
                case.drop_all(&[("x.rhai", "print(\"evil\");")]);
            },
            "BadSignature",
        ),
        (
            "a text with a blank more",
            |case| {
                case.good("1");
                case.drop_all(&[("x.rhai", &format!("{SCRIPT} "))]);
            },
            "BadSignature",
        ),
        (
            "another trusted comment",
            |case| {
                let signature = case
                    .of_script(SCRIPT)
                    .replace("file:x.rhai", "file:x.rhai\tmore:1");
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "a longer life by an edited comment",
            |case| {
                let past = at("-PT1H");
                let signature = case
                    .signer
                    .sign(SCRIPT, &format!("file:x.rhai\texpires:{past}"));
                case.drop_all(&[
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &signature.replace(&past, &later())),
                ]);
            },
            "BadSignature",
        ),
        (
            "expired",
            |case| {
                let signature = case
                    .signer
                    .sign(SCRIPT, &format!("file:x.rhai\texpires:{}", at("-PT1S")));
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "SignatureExpired",
        ),
        (
            "no expiry",
            |case| {
                case.drop_all(&[
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &case.signer.sign(SCRIPT, "file:x.rhai")),
                ]);
            },
            "BadSignature",
        ),
        (
            "an expiry that is none",
            |case| {
                let signature = case.signer.sign(SCRIPT, "file:x.rhai\texpires:never");
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "two expiries",
            |case| {
                let comment = format!("file:x.rhai\texpires:{}\texpires:{}", at("-PT1H"), later());
                case.drop_all(&[
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &case.signer.sign(SCRIPT, &comment)),
                ]);
            },
            "BadSignature",
        ),
        (
            "no name",
            |case| {
                let signature = case.signer.sign(SCRIPT, &format!("expires:{}", later()));
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "signed under another name",
            |case| {
                let signature = case
                    .signer
                    .sign(SCRIPT, &format!("file:harmless.rhai\texpires:{}", later()));
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "minisign's own comment only",
            |case| {
                let signature = case.signer.sign(SCRIPT, "timestamp:1\tfile:x.rhai\thashed");
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "fields between blanks instead of tabs",
            |case| {
                let signature = case
                    .signer
                    .sign(SCRIPT, &format!("file:x.rhai expires:{}", later()));
                case.drop_all(&[("x.rhai", SCRIPT), ("x.rhai.minisig", &signature)]);
            },
            "BadSignature",
        ),
        (
            "unsigned arguments",
            |case| {
                case.drop_all(&[
                    ("x.args.json", ARGUMENTS),
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &case.of_script(SCRIPT)),
                ]);
            },
            "Unsigned",
        ),
        (
            "other arguments",
            |case| {
                case.good("1");
                case.drop_all(&[("x.args.json", r#"{"who": "evil"}"#)]);
            },
            "BadSignature",
        ),
        (
            "arguments of somebody else",
            |case| {
                case.good("1");
                let comment = format!(
                    "file:x.args.json\texpires:{}\tscript-sha256:{}\tnonce:1",
                    later(),
                    sha256(SCRIPT)
                );
                case.drop_all(&[(
                    "x.args.json.minisig",
                    &Signer::new().sign(ARGUMENTS, &comment),
                )]);
            },
            "UntrustedKey",
        ),
        (
            "arguments for another script",
            |case| {
                case.good("1");
                let comment = format!(
                    "file:x.args.json\texpires:{}\tscript-sha256:{}\tnonce:1",
                    later(),
                    sha256("other")
                );
                case.drop_all(&[(
                    "x.args.json.minisig",
                    &case.signer.sign(ARGUMENTS, &comment),
                )]);
            },
            "BadSignature",
        ),
        (
            "arguments without their script",
            |case| {
                case.good("1");
                let comment = format!("file:x.args.json\texpires:{}\tnonce:1", later());
                case.drop_all(&[(
                    "x.args.json.minisig",
                    &case.signer.sign(ARGUMENTS, &comment),
                )]);
            },
            "BadSignature",
        ),
        (
            "arguments without a nonce",
            |case| {
                case.good("1");
                let comment = format!(
                    "file:x.args.json\texpires:{}\tscript-sha256:{}",
                    later(),
                    sha256(SCRIPT)
                );
                case.drop_all(&[(
                    "x.args.json.minisig",
                    &case.signer.sign(ARGUMENTS, &comment),
                )]);
            },
            "BadSignature",
        ),
        (
            "arguments with an empty nonce",
            |case| case.good(""),
            "BadSignature",
        ),
        (
            "expired arguments",
            |case| {
                case.good("1");
                let comment = format!(
                    "file:x.args.json\texpires:{}\tscript-sha256:{}\tnonce:1",
                    at("-PT1S"),
                    sha256(SCRIPT)
                );
                case.drop_all(&[(
                    "x.args.json.minisig",
                    &case.signer.sign(ARGUMENTS, &comment),
                )]);
            },
            "SignatureExpired",
        ),
        (
            "the script's signature for the arguments",
            |case| {
                case.good("1");
                case.drop_all(&[("x.args.json.minisig", &case.of_script(SCRIPT))]);
            },
            "BadSignature",
        ),
        (
            "the arguments' signature for the script",
            |case| {
                case.drop_all(&[
                    ("x.rhai", ARGUMENTS),
                    ("x.rhai.minisig", &case.of_arguments(ARGUMENTS, "1")),
                ]);
            },
            "BadSignature",
        ),
        (
            "a signature that is a link to a good one",
            |case| {
                fs::write(
                    case.watched.bench.path("good.minisig"),
                    case.of_script(SCRIPT),
                )
                .unwrap();
                let link = case.watched.inbox("x.rhai.minisig");
                std::os::unix::fs::symlink(case.watched.bench.path("good.minisig"), link).unwrap();
                case.drop_all(&[("x.rhai", SCRIPT)]);
            },
            "NotAFile",
        ),
        (
            "a signature of the older kind, not hashed",
            |case| {
                // `ED` says hashed; the older kind is `Ed`.
                let signature = case.of_script(SCRIPT);
                let mut lines: Vec<String> = signature.lines().map(str::to_owned).collect();
                lines[1] = lines[1].replacen("RU", "RW", 1);
                case.drop_all(&[
                    ("x.rhai", SCRIPT),
                    ("x.rhai.minisig", &(lines.join("\n") + "\n")),
                ]);
            },
            "BadSignature",
        ),
    ];
    assert!(attacks.len() > 25);
    for (name, attack, code) in attacks {
        println!("{name}");
        let case = Case::new();
        attack(&case);
        case.refused(code);
    }
}

#[test]
fn what_has_run_does_not_run_again() {
    let case = Case::new();
    case.good("1");
    case.watched.once(&[]).expect(0);
    let first = case.watched.only("done").result["run"]
        .as_str()
        .unwrap()
        .to_owned();
    case.good("1");
    case.watched.once(&[]).expect(1);
    let filed = case.watched.only("quarantine");
    assert_eq!(filed.code(), "Replayed");
    assert!(filed.message().contains(&first), "{}", filed.message());
    // A new nonce is a new order, also after a new start.
    case.good("2");
    case.watched.once(&[]).expect(0);
    assert_eq!(case.watched.filed("done").len(), 2);
    // A script without arguments is an order too.
    let case = Case::new();
    for expected in [0, 1] {
        case.drop_all(&[
            ("x.rhai", SCRIPT),
            ("x.rhai.minisig", &case.of_script(SCRIPT)),
        ]);
        case.watched.once(&[]).expect(expected);
    }
    assert_eq!(case.watched.only("quarantine").code(), "Replayed");
    // Signed arguments taken away leave another order, which was never given: a script that runs without them must be one
    // that may.
    case.watched.only("done");
}

#[test]
fn a_signature_that_is_there_must_hold_also_where_none_is_needed() {
    let signer = Signer::new();
    let watched = Watched::new().policy(&format!(
        "require_signature = false\ntrusted_keys = [\"{}\"]\n",
        signer.public()
    ));
    watched.drop_file("x.rhai", "print(1);");
    watched.drop_file("y.rhai", "print(1);");
    let signature = signer.sign("print(2);", &format!("file:y.rhai\texpires:{}", later()));
    watched.drop_file("y.rhai.minisig", signature);
    watched.once(&[]).expect(1);
    assert_eq!(watched.only("done").script(), "x.rhai");
    assert_eq!(watched.only("quarantine").code(), "BadSignature");
}

#[test]
fn a_signature_that_has_arrived_shortens_the_wait() {
    let case = Case::new();
    let mut watching = case.watched.start(&["--settle=10m"]);
    case.good("1");
    case.watched.waits_for("done", 1);
    // One that takes arguments waits for theirs; one that is not signed for its time.
    case.drop_all(&[
        ("x.rhai", SCRIPT),
        ("x.rhai.minisig", &case.of_script(SCRIPT)),
    ]);
    case.drop_all(&[("y.rhai", "print(1);")]);
    let plain = "print(1);";
    let signature = case
        .signer
        .sign(plain, &format!("file:z.rhai\texpires:{}", later()));
    case.drop_all(&[("z.rhai", plain), ("z.rhai.minisig", &signature)]);
    case.watched.waits_for("done", 2);
    watching.signal("TERM");
    watching.finish().expect(143);
    let scripts: Vec<String> = case
        .watched
        .filed("done")
        .iter()
        .map(|filed| filed.script().to_owned())
        .collect();
    assert_eq!(scripts, ["x.rhai", "z.rhai"]);
    assert!(case.watched.inbox("x.rhai").exists() && case.watched.inbox("y.rhai").exists());
}

#[test]
fn keys_are_read_again_on_sighup() {
    let case = Case::new();
    let other = Signer::new();
    let mut watching = case.watched.start(&[]);
    case.watched.set_policy(&format!(
        "require_signature = true\ntrusted_keys = [\"{}\"]\n",
        other.public()
    ));
    // Not before it is told to.
    case.good("1");
    case.watched.waits_for("done", 1);
    watching.signal("HUP").hears("was read again");
    case.good("2");
    case.watched.waits_for("quarantine", 1);
    // One that cannot be read changes nothing.
    case.watched.set_policy("require_signature = 5\n");
    watching.signal("HUP").hears("the policy stays as it was");
    case.drop_all(&[("x.rhai", SCRIPT)]);
    case.watched.waits_for("quarantine", 2);
    watching.signal("TERM");
    watching.finish().expect(143);
    assert_eq!(case.watched.filed("done").len(), 1);
}
