//! `runback completions`: a script for each shell, and one that is tried.

use std::process::Command;

use crate::support::Bench;

#[test]
fn each_shell_gets_a_script_of_its_own() {
    let bench = Bench::new().file("runback.toml", "nonsense");
    for (shell, mark) in [
        ("bash", "complete -F _runback"),
        ("zsh", "#compdef runback"),
        ("fish", "complete -c runback"),
        ("powershell", "Register-ArgumentCompleter"),
        ("PowerShell", "Register-ArgumentCompleter"),
    ] {
        let done = bench.runback(&["completions", shell]).expect(0);
        for word in [mark, "doctor", "max-memory", "template"] {
            assert!(done.stdout.contains(word), "{shell}: {word}");
        }
        assert_eq!(done.stderr, "", "{shell}");
    }
    let done = bench.runback(&["completions", "cmd"]).expect(2);
    assert!(done.stderr.contains("possible values"), "{done}");
}

/// What bash offers for the last word.
fn offered(bench: &Bench, words: &[&str]) -> Vec<String> {
    let script = r#"
        source completions.bash || exit 9
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _runback runback "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .args(words)
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_loads_its_script_and_completes() {
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash on this machine");
        return;
    }
    let bench = Bench::new();
    let script = bench.runback(&["completions", "bash"]).expect(0).stdout;
    let bench = bench
        .file("completions.bash", script)
        .file("night.rhai", "1");
    assert_eq!(offered(&bench, &["runback", "doct"]), ["doctor"]);
    assert_eq!(
        offered(&bench, &["runback", "run", "--max-m"]),
        ["--max-memory"]
    );
    assert_eq!(
        offered(&bench, &["runback", "run", "--auth", "managed"]),
        ["managed-identity"]
    );
    assert_eq!(
        offered(&bench, &["runback", "new", "--template", "f"]),
        ["files"]
    );
    assert!(offered(&bench, &["runback", "--ca-file", "nig"]).contains(&"night.rhai".to_owned()));
}
