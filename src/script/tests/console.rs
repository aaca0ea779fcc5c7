//! A conversation, line by line.

use super::Bench;
use super::bench::{show, told};
use crate::script::Script;
use crate::script::console::Console;

fn talk(lines: &[&str]) -> Vec<String> {
    let bench = Bench::new().file("lib.rhai", "fn seven() { 7 }");
    let script = Script::load("repl", b"//! @param n int = 5 x\nprint(1)").unwrap();
    let mut console = Console::new(&bench.host(&script).unwrap());
    let answer = |line: &&str| match console.run(line) {
        Ok(value) => show(Ok(value)),
        Err(faults) => told(&faults[0]),
    };
    lines.iter().map(answer).collect()
}

#[test]
fn functions_variables_imports_and_args_stay() {
    let got = talk(&[
        "let x = 5;",
        "fn twice(n) { n * 2 + args.n }",
        "twice(x)",
        "let f = |y| y + x;",
        "f.call(1)",
        "import \"lib\" as lib;",
        "lib::seven()",
        "x = 6; x",
        "[1, 2].map(|y| twice(y))",
        "const C = 3;",
        "C",
        // A function sees a constant of an earlier statement, also one that was typed before any function.
        "fn thrice(n) { n * global::C }",
        "thrice(2)",
        "const C = 4;",
        "thrice(2)",
    ]);
    assert_eq!(
        got,
        [
            "()", "()", "15", "()", "6", "()", "7", "6", "[7,9]", "()", "3", "()", "6", "()", "8"
        ]
    );
}

#[test]
fn a_mistake_does_not_end_the_conversation() {
    let got = talk(&[
        "let x = 5;",
        "x.foo",
        "paralel([1], 1, |x| x)",
        "try { [1][7] } catch (e) { x = e.code }",
        "x",
        "args.m",
        "1 +",
    ]);
    assert_eq!(
        got[1],
        "NoSuchProperty: a whole number has no property `foo` @repl:2:3"
    );
    assert_eq!(
        got[2],
        "NoSuchFunction: there is no function `paralel` @repl:3:1 / did you mean `parallel`?"
    );
    assert_eq!(got[4], "OutOfBounds");
    assert!(got[5].starts_with("UnknownArgument"));
    assert!(got[6].starts_with("SyntaxError"));
}

#[test]
fn the_place_of_a_mistake_is_where_it_was_typed() {
    let got = talk(&[
        "fn boom(list) {\n    list[7]\n}",
        "let = 5",
        "boom([1])",
        "lisst.len()",
    ]);
    assert!(got[1].contains("@repl:4:5"), "{}", got[1]);
    assert!(got[2].contains("@repl:2:"), "{}", got[2]);
    assert!(got[3].contains("@repl:6:1"), "{}", got[3]);
}
