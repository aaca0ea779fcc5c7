//! Values, arguments, errors.

use super::{Bench, run};

#[test]
fn smoke() {
    for text in [
        "1 + 1",
        "args.x",
        "//! @param x int = 5 A number\nfn f() { args.x } f() + [1].map(|i| i + args.x)[0]",
        "//! @param count int = 5 A number\nargs.cuont",
        "\"7\" > 5",
        "now() < \"2026-11-20\"",
        "now() < ()",
        "now() != ()",
        "now() - duration(\"1d12h\")",
        "(now() - datetime(\"2026-11-23T00:00:00Z\")).hours",
        "foo(1)",
        "duratoin(\"1h\")",
        "duration(1, 2)",
        "let a = [3,1,2]; a.sort(); a",
        "try { throw \"x\" } catch (e) { e.message + \"|\" + e.code }",
        "try { [1][5] } catch (e) { e.message + \"|\" + e.code + \"|\" + e.line }",
        "try { datetime(\"x\") } catch (e) { e.message + \"|\" + e.code + \"|\" + e.line + e.hint }",
        "try { let x = [1].map(|a| nofunc(a)); } catch (err) { err.message + \"|\" + err.code + \"|\" + err.line }",
        "fn inner(x) { x.y.z() }\nfn outer(x) { inner(x) }\n\nouter(5)",
        "[1].map(|| 5)",
        "[1].each(|| 5)",
        "eval(\"1\")",
        "exit(5)",
        "let x = 1; x.foo",
        "let x = (); x.foo",
        "let m = #{a: 1}; m.b",
        "for x in 5 {}",
        "1 / 0",
        "fn f(n) { f(n + 1) } f(0)",
        "print(1); print(#{a: [now()]}); debug(2)",
        "\"${now()} ${duration(\"1h\")}\"",
        "users::lst()",
        "5 + [1]",
        "let x = 5; x(1)",
        "undefinedvar + 1",
        "|x| x",
    ] {
        let bench = Bench::new();
        println!("{text}\n   => {}", bench.show(text));
        let printed = bench.heard.printed.lock().unwrap();
        if !printed.is_empty() {
            println!("   printed {printed:?}");
        }
    }
    assert_eq!(run("1 + 1"), "2");
}
