//! What README shows works: each `rhai` block is a whole runbook, each `cargo run --release -- …` line of an `sh` block a command.

use crate::support::{Bench, Done, Served};

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

/// The table under "When something dies" names commands: each is one, and what it says of a dead run holds.
#[test]
fn what_it_says_of_dead_runs_works() {
    let tenant = Served::fast();
    tenant.faults("slow=1x:1h@POST …/activate");
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\").activate().wait(); ()",
    );
    let mut running = bench.start();
    while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.signal("KILL");
    running.finish().expect(137);
    let runs = bench
        .runback(&["runs", "--format", "json"])
        .expect(0)
        .json();
    let run = runs[0][0]["run"].as_str().unwrap().to_owned();
    let section = README
        .split("\n## ")
        .find(|part| part.starts_with("When something dies"));
    let section = section.unwrap();
    // In their order: `resume` stands before what only works where somebody works on the run.
    let mut tried = 0;
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap();
        let mut whole = String::new();
        for word in cell.split('`').skip(1).step_by(2) {
            // `--export FILE` stands for the command before it with another flag.
            let line = match word.strip_prefix("--") {
                Some(_) if whole.is_empty() => continue,
                Some(_) => {
                    let kept = whole.split(" --").next().unwrap();
                    format!("{kept} {word}")
                }
                None => word.to_owned(),
            };
            whole.clone_from(&line);
            let line = line
                .replace("RUN", &run[run.len() - 6..])
                .replace("FILE", "evidence.jsonl");
            let words: Vec<&str> = line.split(' ').skip(1).collect();
            let is_for_live = ["stop", "pause", "continue"].contains(&words[0]);
            let done = bench
                .runback(&words)
                .expect(if is_for_live { 2 } else { 0 });
            if is_for_live {
                assert!(done.stderr.contains("nobody works on run"), "{done}");
            }
            tried += 1;
        }
    }
    assert!(tried > 12, "{tried}");
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    assert!(bench.read("evidence.jsonl").lines().count() > 5);
    tenant.expect_nothing_twice();
}

#[test]
fn its_retry_is_a_runbook() {
    let section = README
        .split("What failed can be tried again")
        .nth(1)
        .unwrap();
    let script = section
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let bench = Bench::new().script(script).flags(&["--sandbox"]);
    bench.runback(&["check", "script.rhai"]).expect(0);
    // Only the run is another.
    let done = bench.run().expect(2);
    assert!(
        done.stderr
            .contains("there is no run `2026-11-24T01-58-33Z-k3f9q2`"),
        "{done}"
    );
}
