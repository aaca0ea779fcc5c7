//! The conversation in README, typed again.

use crate::support::{Bench, Person, mask};

const README: &str = include_str!("../../README.md");
const PROMPT: &str = "sandbox> ";
const QUESTION: &str = "[y/N/all] ";

/// What was shown, without ids, instants, empty lines and the bars that were drawn over.
fn lines(shown: &str) -> Vec<String> {
    let shown = mask(shown, "no such folder");
    let lines = shown.lines().map(str::trim_end);
    lines
        .filter(|line| !line.is_empty() && !line.contains("[COST]"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_conversation_in_readme_is_what_one_sees() {
    let section = README.split("\n## Talk with a tenant").nth(1).unwrap();
    let block = section
        .split("```console\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let (command, rest) = block.split_once('\n').unwrap();
    let flags: Vec<&str> = command
        .strip_prefix("$ runback repl ")
        .unwrap()
        .split(' ')
        .collect();
    let bench = Bench::new().variable("NO_COLOR", "1");
    let mut person = Person::new(&bench, &flags);
    let mut turns = rest.split(PROMPT);
    let greeting = turns.next().unwrap().trim();
    assert!(person.seen().contains(greeting), "{greeting}");
    person.without_chance();
    for (count, turn) in turns.enumerate() {
        let (typed, wanted) = turn.split_once('\n').unwrap();
        let (question, wanted) = match wanted.split_once(QUESTION) {
            Some((question, rest)) => (Some(question), rest.strip_prefix("y\n").unwrap()),
            None => (None, wanted),
        };
        if typed == ":quit" {
            let (shown, code) = person.quits();
            assert_eq!((lines(&shown), code), (lines(wanted), 0));
            assert!(count > 5);
            return;
        }
        person.begins(typed);
        if let Some(question) = question {
            let shown = person.hears(QUESTION);
            assert!(shown.contains(question), "{shown}");
            person.types("y\r");
        }
        let shown = person.waits();
        let mut shown = lines(&shown);
        // The answer, where the terminal echoes it behind the question.
        shown.retain(|line| line != "y");
        let wanted = lines(wanted);
        assert_eq!(shown, wanted, "{typed}");
    }
    panic!("it is never left");
}
