//! `runback.toml`: where it is found, what it may say, what holds in the end.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Done, Entra};

/// A script whose output shows the value format.
fn bench() -> Bench {
    Bench::new().script("[#{a: 1}]")
}

const AS_JSON: &str = "[{\"a\":1}]\n";
const AS_CSV: &str = "a\n1\n";

/// Whether a run said that it prefers beta, which shows what `api` was.
fn is_beta(done: &Done) -> bool {
    done.stderr.contains("prefers the beta version")
}

#[test]
fn flag_then_variable_then_profile_then_default() {
    let text = "api = \"v1.0\"\n[profile.new]\napi = \"beta\"\n";
    let run = |profile: &[&str], variable: &str, flag: &[&str]| {
        let bench = bench()
            .file("runback.toml", text)
            .variable("RUNBACK_API", variable)
            .flags(profile)
            .flags(flag);
        is_beta(&bench.run().expect(0))
    };
    let new = &["--profile", "new"];
    assert!(!run(&[], "", &[]));
    assert!(run(new, "", &[]));
    assert!(!run(new, "v1.0", &[]));
    assert!(run(new, "v1.0", &["--api", "beta"]));
    assert!(!run(new, "beta", &["--api", "v1.0"]));
}

#[test]
fn a_profile_is_chosen_by_flag_variable_or_the_file_itself() {
    let text = "[profile.j]\nformat = \"json\"\n[profile.c]\nformat = \"csv\"\n";
    let bench = bench().file("runback.toml", text);
    assert_eq!(
        bench
            .runback(&["run", "script.rhai", "--profile", "j"])
            .expect(0)
            .stdout,
        AS_JSON
    );
    let bench = bench.variable("RUNBACK_PROFILE", "c");
    assert_eq!(bench.run().expect(0).stdout, AS_CSV);
    let done = bench.runback(&["--profile", "j", "run", "script.rhai"]);
    assert_eq!(done.expect(0).stdout, AS_JSON);
    // A file of one's own may choose.
    let bench = self::bench().file(
        "state/runback.toml",
        format!("default-profile = \"c\"\n{text}"),
    );
    assert_eq!(bench.run().expect(0).stdout, AS_CSV);
}

#[test]
fn the_working_folder_stands_over_the_state_folder_and_a_named_file_alone() {
    let bench = bench()
        .file("state/runback.toml", "format = \"csv\"\napi = \"beta\"\n")
        .file("runback.toml", "format = \"json\"\n")
        .file("own/third.toml", "format = \"csv\"\n");
    let done = bench.run().expect(0);
    assert_eq!((done.stdout.as_str(), is_beta(&done)), (AS_JSON, true));
    for words in [
        &["run", "script.rhai", "--config", "own/third.toml", "-v"][..],
        &["--config=own/third.toml", "-v", "run", "script.rhai"],
    ] {
        let done = bench.runback(words).expect(0);
        assert_eq!((done.stdout.as_str(), is_beta(&done)), (AS_CSV, false));
        assert!(
            done.stderr
                .contains("settings: `own/third.toml`, no profile"),
            "{done}"
        );
    }
    let bench = bench.variable("RUNBACK_CONFIG", "own/third.toml");
    assert_eq!(bench.run().expect(0).stdout, AS_CSV);
    let done = bench.runback(&["run", "script.rhai", "--config", "/dev/null"]);
    assert!(done.expect(0).stdout.contains('a'), "no settings at all");
}

#[test]
fn which_files_and_profile_were_used_is_one_line_under_v() {
    let bench = bench()
        .file("state/runback.toml", "[profile.a]\nformat = \"json\"\n")
        .file("runback.toml", "format = \"csv\"\n")
        .flags(&["--profile", "a"]);
    let done = bench.run().expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), (AS_JSON, ""));
    let done = bench.runback(&["run", "script.rhai", "-v"]).expect(0);
    let said = format!(
        "settings: `{}` and `runback.toml`, profile `a`",
        bench.path("state/runback.toml").display()
    );
    assert!(done.stderr.contains(&said), "{done}");
    let done = self::bench().flags(&["-v"]).run().expect(0);
    assert!(done.stderr.contains("settings: no config file"), "{done}");
}

#[test]
fn mistakes_are_told_at_their_place_and_nothing_runs() {
    let text = "in-fligth = 8\nformat = \"tabel\"\n\n[profile.a]\npolling = 30\nyes = \"yes\"\n";
    let bench = bench().file("runback.toml", text);
    assert_snapshot!(bench.run(), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no setting `in-fligth`
     --> runback.toml:1:1
      |
    1 | in-fligth = 8
      | ^

    hint: did you mean `in-flight`?

    error: `polling` wants text in quotes, not a number
     --> runback.toml:5:11
      |
    5 | polling = 30
      |           ^

    hint: write `polling = "…"`

    error: `yes` wants `true` or `false`, not text
     --> runback.toml:6:7
      |
    6 | yes = "yes"
      |       ^

    hint: write `yes = true`
    "#);
}

#[test]
fn a_value_that_its_flag_would_refuse_is_refused_in_its_place() {
    for (text, said) in [
        (
            "format = \"tabel\"",
            "`format` cannot be `tabel`: it is one of `table`, `json`, `csv`",
        ),
        ("format = \"tabel\"", "hint: did you mean `table`?"),
        (
            "polling = \"5\"",
            "`polling` cannot be `5`: write a duration like",
        ),
        (
            "in-flight = 0",
            "`in-flight` cannot be `0`: 0 is not in 1..=1024",
        ),
        ("max-memory = \"1KB\"", "runback itself needs 64 MiB"),
        ("verbose = 1000", "`verbose` cannot be `1000`"),
        ("auth = \"secrets\"", "hint: did you mean `secret`?"),
    ] {
        let done = bench().file("runback.toml", text).run().expect(2);
        assert!(done.stderr.contains(said), "{text}\n{done}");
        assert!(done.stderr.contains("runback.toml:1:"), "{text}\n{done}");
    }
}

#[test]
fn a_secret_is_refused_and_never_shown() {
    for text in [
        "client-secret = \"hush-hush\"",
        "[profile.p]\nAZURE_CLIENT_SECRET = \"hush-hush\"",
        "access-token = hush-hush",
        "profile = { p = { certificate-password = \"hush-hush\" } }",
    ] {
        let bench = bench().file("runback.toml", text);
        for flags in [&["-vv"][..], &["--log-format", "json"], &["-q"]] {
            let words = [&["run", "script.rhai"], flags].concat();
            let done = bench.runback(&words).expect(2);
            assert!(!done.to_string().contains("hush"), "{done}");
            assert!(done.stderr.contains("a secret does not belong"), "{done}");
            assert!(done.stderr.contains("in the environment"), "{done}");
        }
    }
}

#[test]
fn what_lies_in_the_working_folder_cannot_turn_token_or_consent() {
    for text in [
        "yes = true",
        "graph-url = \"https://evil.example\"",
        "ca-file = \"ca.pem\"",
        "state-dir = \".\"",
        "report = \"x.json\"",
        "data = [\"/\"]",
        "default-profile = \"p\"\n[profile.p]",
    ] {
        let bench = bench().file("runback.toml", text);
        let done = bench.run().expect(2);
        assert!(
            done.stderr.contains("merely lies in the working folder"),
            "{done}"
        );
        assert!(done.stderr.contains("`--config runback.toml`"), "{done}");
        assert!(done.stderr.contains("runback.toml:1:"), "{done}");
    }
    // Named, the same file is the user's own word. A profile that is not chosen is harmless.
    let bench = bench().file("runback.toml", "[profile.p]\nyes = true\n");
    bench.run().expect(0);
    bench
        .runback(&["run", "script.rhai", "--profile", "p"])
        .expect(2);
    let named = [
        "run",
        "script.rhai",
        "--profile",
        "p",
        "--config",
        "runback.toml",
    ];
    bench.runback(&named).expect(0);
}

#[test]
fn consent_may_stand_in_a_file_of_ones_own() {
    let script = "confirm(\"go on?\"); print(\"went on\");";
    let bench = Bench::new().script(script);
    bench.run().expect(5);
    let bench = bench.file("state/runback.toml", "yes = true\n");
    assert_eq!(bench.run().expect(0).stdout, "went on\n");
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let run = |name: &str, mode: u32| {
        let bench = bench().file(name, "format = \"json\"\n");
        set_permissions(bench.path(name), Permissions::from_mode(mode)).unwrap();
        let mut words = vec!["run", "script.rhai"];
        if name == "named.toml" {
            words.extend(["--config", name]);
        }
        bench.runback(&words)
    };
    for (name, mode) in [
        ("runback.toml", 0o666),
        ("state/runback.toml", 0o664),
        ("state/runback.toml", 0o602),
        ("named.toml", 0o660),
    ] {
        let done = run(name, mode).expect(2);
        assert!(done.stderr.contains("can be written by others"), "{done}");
        assert!(done.stderr.contains("chmod go-w"), "{done}");
    }
    // As a checkout leaves it.
    for (name, mode) in [
        ("runback.toml", 0o664),
        ("state/runback.toml", 0o644),
        ("named.toml", 0o600),
    ] {
        assert_eq!(run(name, mode).expect(0).stdout, AS_JSON, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_ends_the_run() {
    let done = bench().flags(&["--config", "no.toml"]).run().expect(2);
    assert!(
        done.stderr.contains("there is no config file `no.toml`"),
        "{done}"
    );
    let done = bench().file("runback.toml/x", "").run().expect(2);
    assert!(done.stderr.contains("is a folder"), "{done}");
    let done = bench()
        .file("runback.toml", b"a = \"\xff\"")
        .run()
        .expect(2);
    assert!(done.stderr.contains("is not UTF-8"), "{done}");
    let done = bench()
        .file("runback.toml", "x".repeat(2 << 20))
        .run()
        .expect(2);
    assert!(done.stderr.contains("larger than 1 MiB"), "{done}");
    let windows = "\u{feff}format = \"json\"\r\n";
    assert_eq!(
        bench().file("runback.toml", windows).run().expect(0).stdout,
        AS_JSON
    );
}

#[test]
fn a_profile_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let done = bench().flags(&["--profile", "prod"]).run().expect(2);
    assert!(done.stderr.contains("there is no profile `prod`"), "{done}");
    assert!(done.stderr.contains("state/runback.toml"), "{done}");
    let bench = bench().file("runback.toml", "[profile.prod]\n");
    let done = bench
        .runback(&["run", "script.rhai", "--profile", "pord"])
        .expect(2);
    assert!(done.stderr.contains("did you mean `prod`?"), "{done}");
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let bench = Bench::new()
        .script("json::read(\"../shared/x.json\")")
        .file("shared/x.json", "{\"a\": 1}")
        .file(
            "conf/own.toml",
            "data = [\"../shared\", \"~/more\"]\nformat = \"json\"\n",
        )
        .file("more/y.json", "1")
        .file(
            "scripts/script.rhai",
            "[json::read(\"../shared/x.json\"), json::read(\"../more/y.json\")]",
        );
    let words = ["run", "scripts/script.rhai", "--config", "conf/own.toml"];
    assert_eq!(
        bench.runback(&words).expect(0).json(),
        [json!([{"a": 1}, 1])]
    );
}

#[test]
fn a_sandbox_that_a_file_asks_for_is_announced() {
    let bench = Bench::new()
        .script("users::list().count()")
        .file("runback.toml", "users = 7\n[profile.try]\nsandbox = true\n");
    let done = bench
        .runback(&["run", "script.rhai", "--profile", "try"])
        .expect(0);
    assert_eq!(done.stdout, "7\n");
    assert_eq!(
        done.stderr,
        "note: this is a simulated tenant, since `runback.toml` says `sandbox = true`\n"
    );
    let done = bench
        .runback(&["run", "script.rhai", "--sandbox"])
        .expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("7\n", ""));
    // Without a sandbox its size is nothing to anybody; the variable says no to the file.
    let bench = bench.script("1").variable("RUNBACK_SANDBOX", "0");
    let done = bench
        .runback(&["run", "script.rhai", "--profile", "try"])
        .expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("1\n", ""));
}

#[test]
fn a_flag_displaces_what_contradicts_it() {
    let bench = Bench::new()
        .script("log::info(\"x\"); users::list().count()")
        .file(
            "state/runback.toml",
            "graph-url = \"https://graph.example\"\nquiet = true\n",
        );
    let done = bench
        .runback(&["run", "script.rhai", "--sandbox"])
        .expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("100\n", ""));
    let done = bench
        .runback(&["run", "script.rhai", "--sandbox", "-v"])
        .expect(0);
    assert!(done.stderr.contains("info x"), "{done}");
    // The working folder's file is the stronger one of two.
    let bench = bench.file("runback.toml", "sandbox = true\nverbose = 1\n");
    let done = bench.run().expect(0);
    assert_eq!(done.stdout, "100\n");
    assert!(done.stderr.contains("simulated tenant"), "{done}");
}

#[test]
fn help_needs_no_config_file() {
    let bench = Bench::new()
        .script("//! Restores a group.\nprint(1);")
        .file("runback.toml", "nonsense");
    bench.run().expect(2);
    for words in [
        &["run", "script.rhai", "--help"][..],
        &["run", "--help"],
        &["--help"],
        &["--version"],
    ] {
        bench.runback(words).expect(0);
    }
}

#[test]
fn with_json_logs_every_line_of_stderr_is_an_object() {
    let is_json = |done: &Done| {
        assert!(!done.stderr.is_empty(), "{done}");
        for line in done.stderr.lines() {
            let line: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line}\n{done}"));
            assert!(
                line["level"].is_string()
                    && line["message"].is_string()
                    && line["timestamp"].is_string(),
                "{line}"
            );
        }
    };
    let json = &["--log-format", "json"];
    // Mistakes of the command line, of the config file, of the script; notes, logs, the books.
    let bench = bench().file("bad.toml", "nonsense = 1\nmore = 2\n");
    for words in [
        &["run", "script.rhai", "--nope"][..],
        &["nope"],
        &["run", "script.rhai", "--polling", "soon"],
        &["run", "missing.rhai"],
        &["run", "script.rhai", "--config", "bad.toml"],
        &["run", "script.rhai", "--api", "beta", "-vv"],
        &["run", "script.rhai", "x=1", "y=2"],
    ] {
        is_json(&bench.runback(&[words, json].concat()));
    }
    let restoring = include_str!("../scripts/restore-group.rhai");
    let done = Bench::new()
        .script(&format!(
            "{restoring}\nlog::warn(\"a\\nb\"); debug(#{{x: 1}}); throw \"c\";"
        ))
        .arguments(&["group=Finance", "before=-24h"])
        .flags(&["--sandbox", "--speed", "20000", "--yes", "-v"])
        .flags(json)
        .run()
        .expect(3);
    is_json(&done);
    // By a profile too.
    let done = self::bench()
        .file("runback.toml", "log-format = \"json\"\nverbose = 1\n")
        .run()
        .expect(0);
    is_json(&done);
}

#[test]
fn colours_are_as_asked_for() {
    let bench = Bench::new().script("throw \"x\";");
    let is_coloured = |bench: &Bench, flags: &[&str]| {
        let done = bench.runback(&[&["run", "script.rhai"], flags].concat());
        done.stderr.contains('\u{1b}')
    };
    assert!(!is_coloured(&bench, &[]), "not in a pipe");
    assert!(is_coloured(&bench, &["--color", "always"]));
    assert!(!is_coloured(&bench, &["--color", "never"]));
    assert!(!is_coloured(
        &bench,
        &["--color", "always", "--log-format", "json"]
    ));
    let bench = bench.variable("NO_COLOR", "1");
    assert!(
        is_coloured(&bench, &["--color", "always"]),
        "a flag is stronger"
    );
    assert!(!is_coloured(&bench, &["--color", "auto"]));
    let bench = bench.file("runback.toml", "color = \"always\"\n");
    assert!(is_coloured(&bench, &[]));
}

#[test]
fn a_policy_is_not_passed_over_in_silence() {
    let done = bench().flags(&["--policy", "x.toml"]).run().expect(2);
    assert!(
        done.stderr.contains("there is no policy file `x.toml`"),
        "{done}"
    );
}

/// A secret that goes to Entra: what it says of a wrong one shows that it was taken.
#[test]
fn a_secret_may_lie_in_a_file_that_nobody_else_can_read() {
    let denial = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let entra = Entra::answering(401, denial);
    let bench = Bench::new()
        .script("users::list().count()")
        .file("ca.pem", &entra.authority)
        .file("keys/contoso.secret", "hush-hush\n")
        .file(
            "state/runback.toml",
            "ca-file = \"../ca.pem\"\n[profile.contoso]\ntenant = \"t\"\nclient-id = \"c\"\nclient-secret-file = \"../keys/contoso.secret\"\n",
        )
        .variable("AZURE_AUTHORITY_HOST", &entra.url)
        .flags(&["--profile", "contoso"]);
    let secret = bench.path("keys/contoso.secret");
    set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let done = bench.run().expect(2);
    assert!(
        done.stderr.contains("can be read by others (mode 0644)"),
        "{done}"
    );
    assert!(done.stderr.contains("chmod 600"), "{done}");
    set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let done = bench.run().expect(6);
    assert!(done.stderr.contains("AADSTS7000215"), "{done}");
    let done = bench.runback(&["doctor"]).expect(6);
    assert!(done.stdout.contains("AADSTS7000215"), "{done}");
    assert!(!done.to_string().contains("hush"), "{done}");
}
