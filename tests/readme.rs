//! What README shows works: each `rhai` block is a whole runbook, each `cargo run --release -- …` line of an `sh` block a command.

use crate::support::{Bench, Done};

const README: &str = include_str!("../README.md");

/// What the arguments of runbooks in README get, by name.
const ARGUMENTS: &[(&str, &str)] = &[("group", "Finance"), ("before", "-24h")];

const COMMAND: &str = "cargo run --release -- ";

/// The blocks of one language, each with the number of its first line.
fn blocks(language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String, bool)> = None;
    for (number, line) in (1..).zip(README.lines()) {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(tag)) => open = Some((number + 1, String::new(), tag == language)),
            (None, None) => {}
            (Some((_, text, _)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (Some(_), Some(_)) => {
                let (first, text, wanted) = open.take().unwrap();
                if wanted {
                    blocks.push((first, text));
                }
            }
        }
    }
    blocks
}

/// It ran to its end: some of the sandbox's people cannot be restored, so exit code 1 is as good as 0.
#[track_caller]
fn expect_the_end(done: &Done, what: &str) {
    assert!((0..=1).contains(&done.code), "{what}\n{done}");
    assert!(!done.stderr.contains("error: "), "{what}\n{done}");
}

#[test]
fn its_runbooks_run_in_the_sandbox() {
    let runbooks = blocks("rhai");
    assert!(runbooks.len() > 1);
    for (first, text) in runbooks {
        let declares = |name: &str| text.contains(&format!("//! @param {name} "));
        let arguments: Vec<String> = ARGUMENTS
            .iter()
            .filter(|(name, _)| declares(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let bench = Bench::new().script(&text).arguments(&arguments).flags(&[
            "--sandbox",
            "--speed",
            "20000",
            "--yes",
        ]);
        expect_the_end(&bench.run(), &format!("README.md:{first}"));
        let [asked, .., unknown] = bench.books();
        assert!(asked > 0 && unknown == 0, "README.md:{first}");
    }
}

#[test]
fn its_commands_do_what_they_say() {
    let commands: Vec<String> = blocks("sh")
        .into_iter()
        .flat_map(|(_, text)| {
            let lines = text.lines().map(str::to_owned);
            lines.collect::<Vec<_>>()
        })
        .filter_map(|line| line.strip_prefix(COMMAND).map(str::to_owned))
        .collect();
    assert!(!commands.is_empty());
    for words in commands {
        let bench = Bench::new();
        let mut command = bench.command();
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(words.split_whitespace());
        expect_the_end(&bench.finish(command), &words);
    }
}

#[test]
fn its_exit_codes_are_all_there() {
    for code in [0, 1, 2, 3, 4, 5, 6, 70] {
        assert!(README.contains(&format!("\n| {code} | ")), "{code}");
    }
    assert!(README.contains("\n| 130, 143 | "));
}
