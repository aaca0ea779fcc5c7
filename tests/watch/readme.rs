//! What README shows of the watched folder, typed in.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Bench;

const README: &str = include_str!("../../README.md");

/// The `bash` blocks of the section, in order.
fn blocks() -> Vec<&'static str> {
    let section = README
        .split("\n## ")
        .find(|part| part.starts_with("The watched folder"));
    let parts = section.unwrap().split("```bash\n").skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

#[test]
fn what_is_shown_works_in_its_order() {
    let bench = Bench::new();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    fs::create_dir(bench.path("scripts")).unwrap();
    for entry in fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, bench.path("scripts").join(path.file_name().unwrap())).unwrap();
    }
    let program = assert_cmd::cargo::cargo_bin!("runback");
    let folder = program.parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);
    let has_minisign = Command::new("minisign").arg("-v").output().is_ok();
    for (number, block) in blocks.into_iter().enumerate() {
        if block.contains("minisign") && !has_minisign {
            println!("no minisign: not looked at");
            continue;
        }
        // A person's shell, with the variables of the bench.
        let mut command = Command::new("bash");
        let variables = bench.command();
        let variables = variables
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command
            .env_clear()
            .envs(variables)
            .env("PATH", &path)
            .current_dir(bench.path(""))
            .arg("-c")
            .arg(block);
        let done = bench.finish(command);
        assert!((0..=1).contains(&done.code), "{block}\n{done}");
        assert!(
            !done.stderr.contains("not let in") && !done.stderr.contains("error"),
            "{block}\n{done}"
        );
        let ran = |kind: &str| {
            fs::read_dir(bench.path("inbox").join(kind))
                .unwrap()
                .count()
        };
        assert_eq!(ran("done") + ran("failed"), number + 1, "{block}\n{done}");
    }
}
