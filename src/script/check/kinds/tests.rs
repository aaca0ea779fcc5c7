use super::Kinds;
use crate::script::program::File;
use crate::script::source::Text;

fn wrong(text: &str) -> Vec<String> {
    let (file, faults) = File::parse(Text::read("x.rhai", text.as_bytes()).unwrap());
    assert!(faults.is_empty(), "{text}: {faults:?}");
    let kinds = Kinds::of(&file);
    let mut found: Vec<_> = kinds
        .wrong
        .into_iter()
        .map(|(_, failure)| failure.message)
        .collect();
    found.sort();
    found
}

#[test]
fn a_slip_behind_a_dot_is_found_where_the_kind_is_certain() {
    for (text, name) in [
        ("users::get(\"x\").dispalyName", "dispalyName"),
        ("let u = users::get(\"x\"); print(u.maill);", "maill"),
        (
            "let rows = exchange::latest_points([]); for row in rows { print(row.pont); }",
            "pont",
        ),
        (
            "let rows = exchange::latest_points([]); rows.filter(|row| row.coed == ())",
            "coed",
        ),
        (
            "let rows = exchange::latest_points([]); rows[0].pionts",
            "pionts",
        ),
        (
            "let r = exchange::latest_points([]); let x = 5; parallel(r, 2, |row| row.pont + x)",
            "pont",
        ),
        (
            "exchange::latest_points([]).filter(|r| true).map(|row| row.point.protectionDatetime)",
            "protectionDatetime",
        ),
        (
            "let s = exchange::create_session(); s.artifacts().each(|a| print(a.statsu))",
            "statsu",
        ),
        (
            "let s = exchange::create_session(); print(s.staus)",
            "staus",
        ),
        (
            "for w in exchange::latest_points([]).chunks(5) { for row in w { row.nmae } }",
            "nmae",
        ),
        (
            "fn f() { let u = users::get(\"x\"); if u.mail == () { u.displayname } }",
            "displayname",
        ),
        (
            "users::list().map(|u| exchange::latest_points([u]).map(|row| row.pont))",
            "pont",
        ),
    ] {
        let found = wrong(text);
        assert!(
            found.len() == 1 && found[0].contains(&format!("`{name}`")),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_key_that_a_map_has_not_got_is_doubtful() {
    let doubtful = |text: &str| {
        let (file, _) = File::parse(Text::read("x.rhai", text.as_bytes()).unwrap());
        Kinds::of(&file).doubtful.len()
    };
    assert_eq!(doubtful("let m = #{name: 1}; m.nmae"), 1);
    assert_eq!(doubtful("#{name: 1}.nmae"), 1);
    for text in [
        "let m = #{name: 1}; m.other",
        "let m = #{name: 1}; m.nmae = 2; m.nmae",
        "let m = #{name: 1}; m[\"nmae\"] = 2; m.nmae",
        "let m = #{name: 1}; for k in [\"nmae\"] { m[k] = 2; } m.nmae",
        "let m = #{name: 1}; m += #{nmae: 2}; m.nmae",
        "let m = #{name: 1}; let n = #{nmae: 1}; m.mixin(n); m.nmae",
        "let m = json::parse(\"{}\"); m.nmae",
    ] {
        assert_eq!(doubtful(text), 0, "{text}");
    }
}

#[test]
fn a_comparison_that_can_only_fail_is_found() {
    for (text, message) in [
        (
            "if \"7\" > 5 { }",
            "a text cannot be compared with a whole number",
        ),
        (
            "let rows = exchange::latest_points([]); rows.filter(|row| row.point.protectionDateTime < \"2026-11-20\")",
            "a datetime cannot be compared with a text",
        ),
        (
            "now() < \"2026-11-20\"",
            "a datetime cannot be compared with a text",
        ),
        (
            "let d = duration(\"1h\"); d > 5",
            "a duration cannot be compared with a whole number",
        ),
        (
            "users::list().count() == \"5\"",
            "a whole number cannot be compared with a text",
        ),
    ] {
        assert_eq!(wrong(text), [message], "{text}");
    }
    for text in [
        "5 > 4.5; \"a\" < \"b\"; now() < datetime(\"2026-11-20T03:00:00Z\")",
        "let d = duration(\"1h\"); d = 5; d > 5",
        "let u = users::get(\"x\"); u.createdDateTime == ()",
        "graph::get(\"/users/x\").createdDateTime < \"2026\"",
        "csv::read(\"x.csv\")[0].createdDateTime < \"2026\"",
    ] {
        assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn nothing_is_claimed_where_something_else_may_be_meant() {
    for text in [
        "users::get(\"x\").displayName",
        "let u = users::get(\"x\"); u = #{}; u.dispalyName",
        "let u = users::get(\"x\"); { let u = #{}; u.dispalyName }",
        "let u = users::get(\"x\"); u.raw.dispalyName",
        "let u = users::get(\"x\"); [1].map(|u| u.dispalyName)",
        "fn f(u) { u.dispalyName } f(users::get(\"x\"))",
        "fn f() { this = 5; } let u = users::get(\"x\"); u.f(); u.dispalyName",
        "let rows = exchange::latest_points([]); for row in rows { row.pont = 1; row.pont }",
        "let rows = exchange::latest_points([]).map(|r| #{pont: r}); rows[0].pont",
        "graph::get(\"/users/x\").dispalyName",
        "groups::members(\"x\", #{kinds: \"all\"}).map(|m| m.dispalyName)",
        "let s = exchange::create_session(); s.workload; s.parts; s.count; s.status; s.raw.x",
        "let rows = exchange::latest_points([]); rows.len; rows[0].item.anything",
        "let u = (); u = users::get(\"x\"); u.dispalyName",
        "for u in users::list() { } let u = #{}; u.dispalyName",
    ] {
        assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
    }
}
