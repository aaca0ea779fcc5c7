//! The traps of Rhai that the host takes away: LANGUAGE, last section.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::{Dynamic, FuncRegistration};

use super::bench::{show, told};
use super::{Bench, run};
use crate::error::{Exit, Fault};
use crate::script::Script;

fn starts(text: &str, wanted: &str) {
    let got = run(text);
    assert!(
        got.starts_with(wanted),
        "{text}\n  gave   {got}\n  wanted {wanted}"
    );
}

#[test]
fn a_denial_ends_the_script_whatever_array_function_it_is_caught_in() {
    let closures = [
        "[1, 2].map(|x| confirm(\"sure?\"))",
        "[1, 2].filter(|x| { confirm(\"sure?\"); true })",
        "[1, 2].for_each(|| confirm(\"sure?\"))",
        "[1, 2].some(|x| { confirm(\"sure?\"); true })",
        "[1, 2].any(|x| { confirm(\"sure?\"); true })",
        "[1, 2].all(|x| { confirm(\"sure?\"); true })",
        "[1, 2].find(|x| { confirm(\"sure?\"); true })",
        "[1, 2].reduce(|a, b| confirm(\"sure?\"))",
        "let a = [1, 2]; a.drain(|x| { confirm(\"sure?\"); true })",
        "let a = [1, 2]; a.retain(|x| { confirm(\"sure?\"); true })",
        "let a = [1, 2]; a.sort(|x, y| { confirm(\"sure?\"); 0 })",
        "let a = [1, 2]; a.dedup(|x, y| { confirm(\"sure?\"); true })",
        "[1, 2].each(|x| confirm(\"sure?\"))",
        "[1, 2].sort_by(|x| { confirm(\"sure?\"); x })",
        "#{a: 1}.filter(|k, v| { confirm(\"sure?\"); true })",
        "parallel([1, 2], 2, |x| confirm(\"sure?\"))",
        "try_parallel([1, 2], 2, |x| confirm(\"sure?\"))",
        "attempt(|| confirm(\"sure?\"))",
        "confirm(\"sure?\")",
    ];
    for closure in closures {
        let bench = Bench::new();
        let outcome = bench.run(&format!(
            "try {{ {closure} }} catch (e) {{ print(\"caught\") }} print(\"went on\"); 5"
        ));
        let fault = outcome.expect_err(closure);
        assert_eq!(
            (fault.code.as_str(), fault.exit),
            ("NotConfirmed", Exit::Denied),
            "{closure}"
        );
        assert!(
            bench.heard.printed.lock().unwrap().is_empty(),
            "{closure} went on"
        );
        assert_eq!(fault.place.unwrap().line, 1);
    }
}

#[test]
fn sort_and_dedup_pass_errors_on_and_leave_the_array() {
    starts(
        "let a = [3, 1, 2]; a.sort(|x, y| x.nme < y)",
        "NoSuchProperty: a whole number has no property `nme`",
    );
    starts(
        "let a = [3, 1, 2]; a.sort(|x, y| throw \"no\")",
        "Thrown: no",
    );
    starts(
        "let a = [3, 1, 2]; try { a.sort(|x, y| throw \"no\") } catch {} a",
        "[3,1,2]",
    );
    starts("let a = [3, 1, 2]; a.sort(|x, y| x - y); a", "[1,2,3]");
    starts("let a = [3, 1, 2]; a.sort(|x, y| x < y); a", "[1,2,3]");
    starts("let a = [\"b\", 1]; a.sort()", "NotComparable: ");
    starts("let a = [\"b\", \"a\"]; a.sort(); a", "[\"a\",\"b\"]");
    starts(
        "let a = [now(), now() - duration(\"1h\")]; a.sort(); a",
        "[\"2026-11-24T01:00:00Z\",\"2026-11-24T02:00:00Z\"]",
    );
    starts(
        "let a = [1, 1, 2]; a.dedup(|x, y| throw \"no\")",
        "Thrown: no",
    );
    starts("let a = [1, 1, 2]; a.dedup(); a", "[1,2]");
    starts("let a = [1, 1, 2]; a.dedup(|x, y| x == y); a", "[1,2]");
    starts(
        "let a = [1]; a.dedup(|x| true); [1,2].dedup(|x| true)",
        "WrongArguments: ",
    );
    starts("[#{n: 2}, #{n: 1}].sort_by(\"n\")", "[{\"n\":1},{\"n\":2}]");
    starts(
        "[#{n: 2}, #{n: ()}, #{n: 1}].sort_by(|x| x.n)",
        "[{\"n\":1},{\"n\":2},{\"n\":null}]",
    );
    starts(
        "[#{name: 2}].sort_by(\"nmae\")",
        "NoSuchProperty: no row has a column `nmae` @test.rhai:1:14 / did you mean `name`?",
    );
}

#[test]
fn the_name_of_a_function_is_no_closure() {
    for call in [
        "map(\"act\")",
        "filter(\"act\")",
        "some(\"act\")",
        "all(\"act\")",
        "dedup(\"act\")",
        "reduce(\"act\")",
        "reduce(\"act\", 0)",
        "reduce_rev(\"act\")",
        "reduce_rev(\"act\", 0)",
        "sort(\"act\")",
        "drain(\"act\")",
        "retain(\"act\")",
    ] {
        let text = format!(
            "fn act(x) {{ throw \"ran\" }} fn act(x, y) {{ throw \"ran\" }} let a = [1, 2]; a.{call}"
        );
        starts(&text, "WrongArguments: `");
    }
    starts(
        "fn act(x) { throw \"ran\" } [\"x\", \"act\"].index_of(\"act\")",
        "1",
    );
    starts("[\"x\", \"y\", \"x\"].index_of(\"x\", 1)", "2");
    starts("[\"x\"].index_of(\"y\")", "-1");
}

#[test]
fn comparing_different_kinds_is_an_error_with_a_hint() {
    starts(
        "now() < \"2026-11-20\"",
        "NotComparable: a datetime cannot be compared with a text @test.rhai:1:7 / write `datetime(\"2026-11-20\")`",
    );
    starts("\"2026-11-20\" == now()", "NotComparable");
    starts(
        "\"7\" > 5",
        "NotComparable: a text cannot be compared with a whole number @test.rhai:1:5 / write `parse_int(\"7\")`",
    );
    starts("let a = \"7\"; let b = 5; a > b", "NotComparable");
    starts("5 == \"5\"", "NotComparable");
    starts("5.5 != \"5\"", "NotComparable");
    starts(
        "duration(\"1h\") > 60",
        "NotComparable: a duration cannot be compared with a whole number",
    );
    starts("now() > ()", "NotComparable");
    starts("() < 5", "NotComparable");
    starts(
        "true == 1",
        "NotComparable: true or false cannot be compared with a whole number",
    );
    for (text, value) in [
        ("() == ()", "true"),
        ("5 == ()", "false"),
        ("() != \"x\"", "true"),
        ("now() == ()", "false"),
        ("[] != ()", "true"),
        ("#{} == ()", "false"),
        ("5 == 5.0", "true"),
        ("5 < 5.5", "true"),
        ("\"a\" < \"b\"", "true"),
        ("'a' == \"a\"", "true"),
        ("now() == now()", "true"),
        ("duration(\"60m\") == duration(\"1h\")", "true"),
        ("[1, \"x\"] == [1, \"x\"]", "true"),
        ("\"x\" in [1, \"x\"]", "true"),
        ("#{a: 1} == #{a: 1}", "true"),
        (
            "let m = #{a: [1, #{b: 2}]}; m == #{a: [1, #{b: 2}]}",
            "true",
        ),
        ("switch 5 { 5 => \"five\", _ => \"other\" }", "five"),
        ("let x = 1; x += 2; x -= 1; x * 3 % 4", "2"),
        ("true && !false || false", "true"),
        ("let s = \"a\"; s += \"b\"; s + 1", "ab1"),
        ("() ?? 5", "5"),
    ] {
        assert_eq!(run(text), value, "{text}");
    }
}

#[test]
fn args_are_seen_everywhere_and_cannot_be_changed() {
    let bench = Bench::new().file("lib.rhai", "fn limit() { [1].map(|x| args.count + x)[0] }");
    let header =
        "//! @param count int = 5 How many\nimport \"lib\" as lib;\nfn own() { args.count }\n";
    let show = |text: &str| bench.show(&format!("{header}{text}"));
    assert_eq!(
        show(
            "own() + lib::limit() + [1].map(|x| args.count)[0] + parallel([1], 1, |x| args.count)[0]"
        ),
        "21"
    );
    assert_eq!(
        show("args.cuont"),
        "UnknownArgument: the script has no argument `cuont` @test.rhai:4:6 / did you mean `count`?"
    );
    assert_eq!(
        show("args[\"cuont\"]").split(" @").next(),
        Some("UnknownArgument: the script has no argument `cuont`")
    );
    assert!(
        show("args.count = 7").starts_with("ReadOnly"),
        "{}",
        show("args.count = 7")
    );
    assert!(
        show("args = 7").starts_with("SyntaxError") || show("args = 7").starts_with("ReadOnly"),
        "{}",
        show("args = 7")
    );
}

#[test]
fn errors_inside_imported_files_have_their_place_and_chain() {
    let bench = Bench::new().file(
        "lib.rhai",
        "fn inner(x) {\n    throw \"deep\"\n}\nfn outer(x) { inner(x) }",
    );
    let fault = bench
        .run("import \"lib\" as lib;\nfn start() { lib::outer(1) }\n\nstart();")
        .unwrap_err();
    assert_eq!(told(&fault), "Thrown: deep @lib.rhai:2:5");
    assert_eq!(
        fault.place.as_ref().unwrap().text.as_deref(),
        Some("    throw \"deep\"")
    );
    assert_eq!(
        fault.context,
        [
            "in `inner`, called at lib.rhai:4",
            "in `outer`, called at test.rhai:2",
            "in `start`, called at test.rhai:4"
        ]
    );
    let bench = Bench::new().file("lib.rhai", "fn inner(x) {\n    datetime(\"never\")\n}");
    let told = told(
        &bench
            .run("import \"lib\" as lib;\nparallel([1], 1, |x| lib::inner(1));")
            .unwrap_err(),
    );
    assert!(
        told.starts_with("BadTime: `never` is no datetime @lib.rhai:2:5"),
        "{told}"
    );
    let bench = Bench::new().file("lib.rhai", "let x = 5;\nlet y = ;");
    assert!(
        bench
            .show("import \"lib\" as lib;")
            .contains("@lib.rhai:2:9")
    );
}

#[test]
fn imports_stay_inside() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("evil.rhai"), "fn f() { 1 }").unwrap();
    let bench = Bench::new()
        .file("sub/a.rhai", "import \"b\" as b; fn f() { b::g() }")
        .file("sub/b.rhai", "fn g() { 7 }");
    std::os::unix::fs::symlink(
        outside.path().join("evil.rhai"),
        bench.path().join("link.rhai"),
    )
    .unwrap();
    assert_eq!(bench.show("import \"sub/a\" as a; a::f()"), "7");
    for name in [
        "../evil",
        "link",
        "/etc/passwd",
        outside.path().join("evil").to_str().unwrap(),
        "nothing",
        "std/nothing",
    ] {
        let got = bench.show(&format!("import \"{name}\" as x;"));
        assert!(got.starts_with("BadImport"), "{name}: {got}");
    }
    let bench = Bench::new()
        .file("a.rhai", "import \"b\" as b;")
        .file("b.rhai", "import \"a\" as a;");
    assert!(
        bench
            .show("import \"a\" as a;")
            .contains("it imports itself")
    );
}

#[test]
fn bytes_that_are_no_script_are_refused_with_a_hint() {
    let load = |bytes: &[u8]| match Script::load("x.rhai", bytes) {
        Ok(_) => "ok".to_owned(),
        Err(faults) => told(&faults[0]),
    };
    assert_eq!(load("\u{feff}print(1);".as_bytes()), "ok");
    assert_eq!(load(b"#!/usr/bin/env -S runback run\nprint(1);"), "ok");
    assert_eq!(load(b"let x = 1;\r\nprint(x);\r\n"), "ok");
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("print(1);".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(
        load(&utf16),
        "BadScript: `x.rhai` is UTF-16 / save it as UTF-8 (PowerShell: `Set-Content -Encoding utf8`)"
    );
    assert!(load(&utf16[2..]).contains("UTF-16"));
    assert!(load(b"\x7fELF\x00\x01\x02\xff").starts_with("BadScript"));
    assert!(load(b"").contains("is empty"));
    assert!(load(b"  \n").contains("is empty"));
    assert!(load(&vec![b' '; (1 << 20) + 1]).contains("1 MiB"));
    assert!(
        load("let x = “a”;".as_bytes())
            .starts_with("SyntaxError: `“` is a typographic quote @x.rhai:1:9")
    );
    assert_eq!(
        load("let x = \"it’s “fine”\"; // “ok”\n/* “ */ let y = `“ ${\"“\"} ”`;".as_bytes()),
        "ok"
    );
    assert!(
        load(b"let x = 1;\n/* open\nprint(1);")
            .starts_with("SyntaxError: the comment that begins here is never closed @x.rhai:2:1")
    );
    assert_eq!(load(b"/* a /* nested */ b */ let x = \"/* no\"; let y = #\"a \" /* b\"#; let z = `/* ${1 + 1} `;"), "ok");
    assert!(load(b"#!/x\n\nlet x = ;").contains("@x.rhai:3:9"));
}

#[test]
fn a_closure_of_the_wrong_arity_is_told_so() {
    for text in [
        "[1].each(|| 5)",
        "[1].each(|a, b| 5)",
        "parallel([1], 1, || 5)",
        "try_parallel([1], 1, |a, b| 5)",
        "[#{a: 1}].count_by(|| 5)",
    ] {
        starts(
            text,
            "WrongArguments: a closure here takes one value: write `|x| …`",
        );
    }
    starts(
        "attempt(|x| 5).error.message",
        "a closure here takes no value",
    );
    starts(
        "[1].map(|a, b, c| 5)",
        "WrongArguments: the closure given to `map` takes one value",
    );
    starts(
        "[1].filter(|a, b, c| true)",
        "WrongArguments: the closure given to `filter` takes one value",
    );
}

#[test]
fn no_type_name_of_rust_is_ever_shown() {
    for text in [
        "foo(1, \"a\", [1], #{}, now(), |x| x, ())",
        "duration(1, 2)",
        "duration(now(), [])",
        "skip(1)",
        "table(5)",
        "table([1], 5)",
        "\"a\" - 5",
        "now() + 5",
        "now() + now()",
        "[1][\"a\"]",
        "#{}[1]",
        "5.foo",
        "5.foo()",
        "now().foo",
        "csv::read(5)",
        "csv::read(\"x\", 5)",
        "if 5 { }",
        "while \"a\" { }",
        "let x = 5; x[70]",
        "let x = now(); x[1]",
        "-\"a\"",
        "!5",
        "parse_int([])",
        "sleep(5)",
        "sleep(\"5s\")",
        "parallel(5, 1, |x| x)",
        "parallel([1], \"a\", |x| x)",
        "\"a\".len(5)",
        "[1].push()",
        "let m = #{}; m.x.y",
        "fn f(x) { x } f(1, 2)",
        "for x in now() { }",
        "json::text(|x| x)",
        "throw #{a: now()}",
        "let a = [1]; a += 5; a.insert(\"x\", 1)",
    ] {
        let bench = Bench::new();
        for got in [
            bench.show(text),
            bench.show(&format!(
                "try {{ {text} }} catch (e) {{ throw `${{e}} ${{e.message}}` }}"
            )),
            bench.check(text).join("\n"),
        ] {
            for bad in [
                "&str",
                "ImmutableString",
                "alloc::",
                "rhai::",
                "runback::",
                "i64",
                "f64",
                "Dynamic",
                "FnPtr",
                "Variant",
            ] {
                assert!(!got.contains(bad), "{text}: {got}");
            }
        }
    }
}

#[test]
fn every_caught_error_answers() {
    let told = "e.code + \"|\" + e.message + \"|\" + e.line";
    let catch = |text: &str| {
        run(&format!(
            "let r = (); try {{ {text} }} catch (e) {{ r = {told} }} r"
        ))
    };
    assert_eq!(catch("throw \"x\""), "|x|");
    assert_eq!(catch("throw #{code: \"Mine\", message: \"m\"}"), "Mine|m|");
    assert_eq!(
        catch("[1][5]"),
        "OutOfBounds|the array has 1 element, there is no [5]|1"
    );
    assert_eq!(catch("\n\ndatetime(\"x\")"), "BadTime|`x` is no datetime|3");
    assert_eq!(
        catch("nofunc(5)"),
        "NoSuchFunction|there is no function `nofunc`|1"
    );
    assert_eq!(
        catch("[1].map(|x| nofunc(x))"),
        "NoSuchFunction|there is no function `nofunc`|1"
    );
    assert_eq!(catch("1 / 0"), "Arithmetic|division by zero: 1 / 0|1");
    assert_eq!(
        catch("\"7\" > 5"),
        "NotComparable|a text cannot be compared with a whole number|1"
    );
    assert_eq!(
        run("let r = attempt(|| datetime(\"x\")); r.error.code + r.value"),
        "BadTime"
    );
    assert_eq!(run("attempt(|| 5).value"), "5");
    assert_eq!(run("attempt(|| 5).error == ()"), "true");
    // Thrown again it keeps its place.
    starts(
        "try {\ndatetime(\"x\")\n} catch (e) {\nthrow e;\n}",
        "BadTime: `x` is no datetime @test.rhai:2:1",
    );
    starts("try { throw \"a\" } catch (e) { throw e }", "Thrown: a");
}

#[test]
fn what_a_runbook_may_not_use_is_off() {
    starts("eval(\"1\")", "SwitchedOff");
    starts("exit(5)", "SwitchedOff");
    starts("try { exit() } catch { 5 } 6", "6");
    starts("timestamp()", "SwitchedOff");
    starts("sleep(5)", "WrongArguments: `sleep` takes a duration");
    starts("undefined_name", "NoSuchVariable");
    starts("fn f(n) { f(n + 1) } f(0)", "TooDeep");
    starts("fn f(n) { [n].map(|x| f(x + 1)) } f(0)", "TooDeep");
    starts(
        "parallel([1], 1, |x| { fn_deep(x) }); fn fn_deep(n) { fn_deep([[[[n + 1]]]][0][0][0][0]) }",
        "TooDeep",
    );
}

#[test]
fn endless_recursion_is_an_error_in_every_thread() {
    for body in [
        "f(n + 1)",
        "[n].map(|x| f(x + 1))",
        "attempt(|| f(n + 1)).value",
        "let m = #{a: [#{b: [f(((((((((n + 1)))))))))]}]}; m",
        "if n > 0 { for x in [n] { switch n { _ => { while true { return f([[n + 1]][0][0]) } } } } }",
        "parallel([n], 1, |x| f(x + 1))",
    ] {
        let text = format!("fn f(n) {{ {body} }}");
        let nested = body.starts_with("parallel") || body.starts_with("attempt");
        for call in ["f(1)", "parallel([1, 2], 2, |x| f(x))"] {
            let got = run(&format!("{text} {call}"));
            assert!(
                got.starts_with("TooDeep") || (nested && !got.starts_with("Bug")),
                "{body} {call}: {got}"
            );
        }
    }
}

/// Sets the flag after a while and says how long after that the script was over.
fn stopped_after(text: &str) -> Duration {
    let bench = Bench::new();
    let stop = bench.stop.clone();
    let pressed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        stop.set(Fault::new(Exit::Interrupted, "Interrupted", "interrupted"));
        Instant::now()
    });
    let fault = bench.run(text).expect_err(text);
    let over = Instant::now();
    assert_eq!(fault.exit, Exit::Interrupted, "{text}");
    over.duration_since(pressed.join().unwrap())
}

#[test]
fn a_stop_ends_loops_sleeps_and_workers_at_once() {
    for text in [
        "loop { }",
        "let x = 0; while true { x += 1; }",
        "sleep(duration(\"1h\"))",
        "parallel([1, 2, 3, 4], 4, |x| sleep(duration(\"1h\")))",
        "try_parallel(0..1000, 4, |x| loop { })",
        "loop { try { sleep(duration(\"1h\")) } catch { } }",
        "loop { attempt(|| sleep(duration(\"1h\"))); }",
        "loop { [1].map(|x| { sleep(duration(\"1h\")); x }) }",
        "let f = |x| { loop { } }; [1, 2].each(f);",
    ] {
        let late = stopped_after(text);
        assert!(late < Duration::from_millis(100), "{text}: {late:?}");
    }
}

#[test]
fn parallel_keeps_order_bounds_and_the_lowest_error() {
    assert_eq!(
        run("parallel([3, 1, 2], 8, |x| { sleep(duration(`${x * 10}ms`)); x * 2 })"),
        "[6,2,4]"
    );
    assert_eq!(
        run("parallel(0..5, 2, |x| parallel(0..3, 2, |y| x * 10 + y).len())"),
        "[3,3,3,3,3]"
    );
    starts(
        "parallel([0, 1, 2, 3], 4, |x| { sleep(duration(`${(4 - x) * 20}ms`)); throw `no ${x}` })",
        "Thrown: no 0",
    );
    starts("parallel([1], 0, |x| x)", "BadArgument");
    assert_eq!(run("let n = 5; parallel([1, 2], 2, |x| x + n)"), "[6,7]");
    assert_eq!(
        run(
            "try_parallel([1, 2], 2, |x| if x == 1 { throw \"no\" } else { x }).map(|r| [r.item, r.value, if r.error == () { () } else { r.error.message }])"
        ),
        "[[1,null,\"no\"],[2,2,null]]"
    );
    let started = Instant::now();
    run("parallel(0..16, 8, |x| sleep(duration(\"100ms\")))");
    let took = started.elapsed();
    assert!(
        took > Duration::from_millis(195) && took < Duration::from_millis(500),
        "{took:?}"
    );
    // Nothing new is begun after an error.
    let bench = Bench::new();
    bench.show("parallel(0..100, 2, |x| { print(x); sleep(duration(\"20ms\")); throw \"no\" })");
    assert!(bench.heard.printed.lock().unwrap().len() <= 4);
}

#[test]
fn host_functions_that_panic_end_the_run_as_a_bug() {
    let panics = |text: &str| {
        let bench = Bench::new();
        let script = Script::load("test.rhai", text.as_bytes()).unwrap();
        let host = bench.host(&script).unwrap();
        let mut engine =
            crate::script::engine::build(&host, crate::script::engine::Names::default());
        FuncRegistration::new("panics")
            .register_into_engine(&mut engine, |_: i64| -> i64 { panic!("at the disco") });
        let program = crate::script::program::Program::link(
            &crate::script::program::File::parse(
                crate::script::source::Text::read("test.rhai", text.as_bytes()).unwrap(),
            )
            .0,
            &crate::script::imports::Roots::default(),
        )
        .0;
        let outcome = crate::script::trace::guarded(&host.stop, || {
            engine.eval_ast::<Dynamic>(&program.main().ast)
        });
        match outcome {
            Some(Ok(value)) => show(Ok(Some(value))),
            Some(Err(error)) => told(&crate::script::trace::fault(&program, &host.stop, &error)),
            None => told(&host.stop.reason().unwrap()),
        }
    };
    for text in [
        "panics(1)",
        "parallel([1, 2], 2, |x| panics(x))",
        "try { parallel([1, 2], 2, |x| panics(x)) } catch { } 5",
    ] {
        let got = panics(text);
        assert!(
            got.starts_with("Bug: a bug in runback: at the disco"),
            "{text}: {got}"
        );
    }
}

#[test]
fn a_captured_object_works_in_eight_slow_workers() {
    let bench = Bench::new();
    let text = "parallel(0..32, 8, |x| slow(thing, x))";
    let script = Script::load(
        "test.rhai",
        format!("let thing = make();\n{text}").as_bytes(),
    )
    .unwrap();
    let host = bench.host(&script).unwrap();
    let mut engine = crate::script::engine::build(&host, crate::script::engine::Names::default());
    let make = || {
        crate::script::values::Object::new(
            crate::script::values::Kind::of("user"),
            crate::graph::Json::of(&serde_json::json!({"id": "1"})),
        )
    };
    FuncRegistration::new("make").register_into_engine(&mut engine, make);
    let slow = |_: &mut crate::script::values::Object, x: i64| {
        std::thread::sleep(Duration::from_millis(20));
        x
    };
    FuncRegistration::new("slow").register_into_engine(&mut engine, slow);
    for text in [text, "parallel(0..32, 8, |x| thing.slow(x))"] {
        let started = Instant::now();
        let value = engine
            .eval::<Dynamic>(&format!("let thing = make(); {text}"))
            .unwrap();
        assert!(value.into_array().unwrap().len() == 32);
        assert!(
            started.elapsed() < Duration::from_millis(400),
            "{:?}",
            started.elapsed()
        );
    }
    drop(Arc::new(host));
}
