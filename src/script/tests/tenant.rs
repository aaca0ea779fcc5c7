//! What `check` says about calls that reach the tenant; nobody answers them here.

use super::Bench;

fn check(text: &str) -> Vec<String> {
    Bench::new().check(text)
}

#[test]
fn names_of_the_host_cannot_be_written_anew() {
    for (text, name) in [
        ("fn activate() { }", "activate"),
        ("fn points_before(a, b) { }", "points_before"),
        ("fn units() { }", "units"),
        ("fn skip(a) { }", "skip"),
        ("fn object.wait() { }", "wait"),
        ("private fn parallel(a) { }", "parallel"),
    ] {
        let found = check(text);
        assert!(
            found.iter().any(|found| found
                .starts_with(&format!("NameTaken: `{name}` is a function of the host"))),
            "{text}: {found:?}"
        );
    }
    for text in ["fn helper(x) { x }", "fn len() { 1 }", "fn my_wait() { }"] {
        assert_eq!(check(text), Vec::<String>::new(), "{text}");
    }
    assert!(
        check("import \"x\" as exchange;")
            .iter()
            .any(|found| found.starts_with("NameTaken"))
    );
}

#[test]
fn an_order_may_not_change_the_tenant() {
    for text in [
        "let a = [1]; let s = exchange::create_session(); a.sort(|x, y| { s.activate(); 0 })",
        "let a = [1]; let s = exchange::create_session(); a.dedup(|x, y| { s.add(x, \"new\"); true })",
        "fn go_on(s) { s.activate() } let a = [1]; let s = exchange::create_session(); a.sort(|x, y| { go_on(s); 0 })",
    ] {
        let found = check(text);
        assert!(
            found.iter().any(|found| found.starts_with("ChangeInOrder")),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        check("let a = [1]; a.sort(|x, y| x - y); a.sort_by(|x| users::get(x).id);"),
        Vec::<String>::new()
    );
}

#[test]
fn the_examples_of_all_help_are_scripts() {
    for entry in &crate::script::library::shelves().entries {
        let Some(example) = entry
            .doc
            .split("```rhai\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
        else {
            continue;
        };
        // `…` stands for what the reader writes; names of the example are given from outside.
        let example = example.replace("{ … }", "{ }").replace('…', "x");
        let given = "let rows = []; let row = #{}; let session = (); let x = ();";
        let found = check(&format!(
            "//! @param people file = \"x\"\n//! @param group string = \"x\"\n//! @param before datetime = now\n//! @param run string = \"x\"\n{given}\n{example}"
        ));
        let found: Vec<_> = found
            .iter()
            .filter(|found| !found.starts_with("NoSuchVariable"))
            .collect();
        assert!(
            found.is_empty(),
            "{}: {found:?}\n{example}",
            entry.signature()
        );
    }
}

#[test]
fn every_signature_names_its_parameters() {
    for entry in &crate::script::library::shelves().entries {
        let own = entry.arity - usize::from(entry.receiver.is_some());
        assert_eq!(entry.params.len(), own, "{}", entry.signature());
    }
}
