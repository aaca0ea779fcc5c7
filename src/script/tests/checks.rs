//! What `check` finds.

use super::Bench;

fn check(text: &str) -> Vec<String> {
    Bench::new().check(text)
}

#[test]
fn look() {
    for text in [
        "let x = parse_itn(\"5\");",
        "skip(1); print(1, 2);",
        "let a = [1]; a.pusj(1); a.push(); a.sort_by()",
        "csv::raed(\"x\"); csv::read(); jsn::read(1)",
        "import \"x\" as csv;",
        "import \"a\" + \"b\" as ab;",
        "Fn(\"a\" + \"b\").call(1); Fn(\"print\").call(1);",
        "fn skip(x) { x }\nfn confirm() {}\nfn mine() {}\nfn len() {}",
        "//! @param a int = 1 x\nprint(args.b); print(args[\"c\"].d); [1].map(|x| x + args.aa);",
        "let sum = 0; let list = []; parallel([1], 2, |x| { sum += x; list.push(x); let own = 1; own += 2; });",
        "let sum = 0; let f = |x| { [1].each(|y| sum += y) }; parallel([1], 2, f); [1].each(|x| sum += x);",
        "parallel([1], 2, || 5); attempt(|x| 5);",
        "let m = #{f: |x| x}; m.f(5); m.g = |x| x; m.g(2);",
        "exit(1); timestamp();",
        "eval(\"1\")",
        "let x = “a”;",
        "let x = 1; /* open\nprint(1);",
        "fn add(a, b) { a + b } add(1); addd(1, 2); 5.add(1)",
        "let f = |x| x; f(1)",
        "let x = 5; let y = |z| z + x; y.call(1)",
        "for x in 5 {}",
        "let x = nul;",
        "users",
        "csv",
        "x = 5;",
    ] {
        println!("{text}");
        for found in check(text) {
            println!("   => {found}");
        }
    }
}
