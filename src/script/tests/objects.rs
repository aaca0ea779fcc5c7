//! Graph's objects, lists and streams in the hands of a script.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rhai::Dynamic;
use serde_json::json;

use super::Bench;
use crate::graph::Json;
use crate::script::Failure;
use crate::script::values::object::Live;
use crate::script::values::{Columns, Kind, Object, Source, Stream};

fn object(kind: &str, value: &serde_json::Value) -> Object {
    Object::new(Kind::of(kind), Json::of(value))
}

fn show(text: &str) -> String {
    let session = object(
        "exchangeRestoreSession",
        &json!({
            "id": "s1", "status": "active", "createdDateTime": "2026-11-20T03:00:00.5Z", "completedDateTime": null,
            "createdBy": {"application": {"id": "app", "displayName": "A"}},
            "restoreSessionArtifactCount": {"total": 3, "completed": 1},
            "mailboxRestoreArtifacts": [{"id": "a1", "status": "added"}, {"id": "a2", "status": "added"}],
            "somethingNew": 5,
        }),
    );
    let same = object("restoreSessionBase", &json!({"id": "s1"}));
    let point = object(
        "restorePoint",
        &json!({"id": "s1", "protectionDateTime": "2023-03-30T12-01-03.45Z", "tags": "fastRestore"}),
    );
    let row = object("mailboxProtectionUnit", &json!({"id": "u1", "email": null})).with_columns(
        Columns::new()
            .with("name", "Ada")
            .with("point", Dynamic::from(point.clone()))
            .with("code", Dynamic::UNIT),
    );
    let free = Object::new(
        Kind::UNTYPED,
        Json::of(&json!({"at": "2026-11-20T03:00:00Z", "list": [{"x": 1}], "n": 1.5})),
    );
    let policy = object(
        "retentionSetting",
        &json!({"interval": "R/P1W", "period": "P7D"}),
    );
    let odd = object(
        "restorePoint",
        &json!({"id": "p", "protectionDateTime": "soon"}),
    );
    let values = [
        ("session", session),
        ("same", same),
        ("point", point),
        ("row", row),
        ("free", free),
        ("policy", policy),
        ("odd", odd),
    ];
    Bench::new().show_with(
        text,
        values
            .into_iter()
            .map(|(name, value)| (name, Dynamic::from(value)))
            .collect(),
    )
}

#[test]
fn properties_have_their_published_types() {
    for (text, value) in [
        ("session.createdDateTime", "2026-11-20T03:00:00.5Z"),
        ("session.createdDateTime < now()", "true"),
        ("session.completedDateTime == ()", "true"),
        ("session.error == ()", "true"),
        ("session.createdBy.application.displayName", "A"),
        ("session.createdBy?.user?.id ?? \"nobody\"", "nobody"),
        ("session.restoreSessionArtifactCount.total + 1", "4"),
        ("session[\"status\"]", "active"),
        ("session.mailboxRestoreArtifacts.len()", "2"),
        ("session.mailboxRestoreArtifacts[1].id", "a2"),
        ("session.mailboxRestoreArtifacts[-1].id", "a2"),
        (
            "let ids = []; for a in session.mailboxRestoreArtifacts { ids.push(a.id) } ids",
            "[\"a1\",\"a2\"]",
        ),
        (
            "session.mailboxRestoreArtifacts.map(|a| a.id)",
            "[\"a1\",\"a2\"]",
        ),
        (
            "session.mailboxRestoreArtifacts.filter(|a| a.id == \"a1\").len()",
            "1",
        ),
        (
            "session.mailboxRestoreArtifacts.count_by(\"status\")",
            "{\"added\":2}",
        ),
        ("session.raw.somethingNew", "5"),
        (
            "let m = session.raw; m.status = \"x\"; session.status",
            "active",
        ),
        ("point.protectionDateTime", "2023-03-30T12:01:03.45Z"),
        ("odd.protectionDateTime", "soon"),
        ("policy.period.days", "7"),
        ("row.name + row.point.tags", "AdafastRestore"),
        ("row.code == ()", "true"),
        ("row.email == ()", "true"),
        ("free.at", "2026-11-20T03:00:00Z"),
        ("type_of(free.at)", "string"),
        ("free.anything == ()", "true"),
        ("free.list[0].x", "1"),
        ("free.n", "1.5"),
    ] {
        assert_eq!(show(text), value, "{text}");
    }
}

#[test]
fn objects_are_the_same_by_kind_and_id() {
    for (text, value) in [
        ("session == same", "true"),
        ("session == point", "false"),
        ("session != ()", "true"),
        ("() == session", "false"),
        ("session in [same]", "true"),
        ("\"status\" in session", "true"),
        ("\"somethingNew\" in session", "true"),
        ("\"error\" in session", "false"),
        ("\"name\" in row", "true"),
        ("[session, same].index_of(same)", "0"),
    ] {
        assert_eq!(show(text), value, "{text}");
    }
    assert!(
        show("session == \"s1\"").starts_with(
            "NotComparable: an exchange restore session cannot be compared with a text"
        )
    );
    assert!(
        show("session < same")
            .starts_with("NotComparable: an exchange restore session has no order")
            || show("session < same").starts_with("NotComparable")
    );
}

#[test]
fn a_slip_in_a_name_is_an_error_with_its_neighbour() {
    assert_eq!(
        show("session.createdDatetime"),
        "NoSuchProperty: an exchange restore session has no property `createdDatetime` @test.rhai:1:9 / did you mean `createdDateTime`?"
    );
    assert!(show("session.somethingNew").contains("`.raw.somethingNew`"));
    assert!(
        show("point.name").starts_with("NoSuchProperty: a restore point has no property `name`")
    );
    assert!(show("session.statsu").contains("did you mean `status`?"));
    assert_eq!(
        show("let c = \"\"; try { session.statsu } catch (e) { c = e.code } c"),
        "NoSuchProperty"
    );
}

#[test]
fn nothing_of_graphs_can_be_assigned_to() {
    assert!(
        show("session.status = \"x\"")
            .starts_with("ReadOnly: `.status` of a Graph object cannot be assigned to"),
        "{}",
        show("session.status = \"x\"")
    );
    assert!(show("session[\"status\"] = \"x\"").starts_with("ReadOnly"));
    assert!(show("session.status += \"x\"").starts_with("ReadOnly"));
    for text in [
        "session.mailboxRestoreArtifacts.push(1)",
        "let l = session.mailboxRestoreArtifacts; l.push(1)",
        "session.mailboxRestoreArtifacts.clear()",
        "session.mailboxRestoreArtifacts.sort()",
        "session.mailboxRestoreArtifacts.remove(0)",
        "session.mailboxRestoreArtifacts.insert(0, 1)",
        "let l = session.mailboxRestoreArtifacts; l[0] = 1",
        "let l = session.mailboxRestoreArtifacts; l += 1",
    ] {
        assert!(
            show(text)
                .starts_with("ReadOnly: this list belongs to a Graph object and is read-only"),
            "{text}: {}",
            show(text)
        );
    }
    assert_eq!(
        show("let l = session.mailboxRestoreArtifacts.collect(); l.push(1); l.len()"),
        "3"
    );
}

struct Session(std::sync::Mutex<&'static str>);

impl Live for Session {
    fn json(&self) -> Json {
        Json::of(&json!({"id": "s", "status": *self.0.lock().unwrap()}))
    }
    fn property(self: Arc<Self>, name: &str) -> Option<Dynamic> {
        (name == "parts").then(|| 3.into())
    }
    fn names(&self) -> &'static [&'static str] {
        &["parts"]
    }
}

#[test]
fn live_objects_show_one_state_in_all_copies() {
    let session = Arc::new(Session("draft".into()));
    let live = Object::live(Kind::of("restoreSessionBase"), session.clone());
    let copy = Dynamic::from(live.clone());
    *session.0.lock().unwrap() = "active";
    let got = Bench::new().show_with("[s.status, s.parts, s.error]", vec![("s", copy)]);
    assert_eq!(got, "[\"active\",3,null]");
    assert!(live.behind::<Session>().is_some());
}

fn counted(end: i64, fails: bool, opened: &Arc<AtomicUsize>) -> Dynamic {
    let opened = opened.clone();
    let open = move || -> Box<dyn Source> {
        opened.fetch_add(1, Ordering::Relaxed);
        let failure = fails.then(|| {
            let mut failure = Failure::new("Forbidden", "list units was refused");
            failure.status = Some(403);
            Err(failure)
        });
        Box::new((0..end).map(|number| Ok(number.into())).chain(failure))
    };
    Dynamic::from(Stream::new("units", open))
}

#[test]
fn streams_are_read_anew_and_complete_or_an_error() {
    let opened = Arc::new(AtomicUsize::new(0));
    let show = |text: &str| {
        opened.store(0, Ordering::Relaxed);
        Bench::new().show_with(
            text,
            vec![
                ("s", counted(5, false, &opened)),
                ("broken", counted(2, true, &opened)),
                ("empty", counted(0, false, &opened)),
            ],
        )
    };
    assert_eq!(
        show("let n = 0; for x in s { n += x } for x in s { n += x } n"),
        "20"
    );
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    for (text, value) in [
        ("s.collect()", "[0,1,2,3,4]"),
        ("s.count()", "5"),
        ("s.first(2)", "[0,1]"),
        ("s.first(9).len()", "5"),
        ("s.filter(|x| x > 2)", "[3,4]"),
        ("s.map(|x| x * 2)", "[0,2,4,6,8]"),
        ("let n = 0; s.each(|x| n += x); n", "10"),
        ("let n = 0; for (x, i) in s { n += x * i } n", "30"),
        ("s.filter(|x| s.count() > x)", "[0,1,2,3,4]"),
        ("parallel(s, 3, |x| x + 1)", "[1,2,3,4,5]"),
        ("parallel(s.collect(), 3, |x| s.first(1)[0])", "[0,0,0,0,0]"),
        ("3 in s", "true"),
        ("empty.collect()", "[]"),
        ("parallel(empty, 3, |x| x)", "[]"),
        (
            "let n = 0; for x in progress(s, \"counting\") { n += 1 } n",
            "5",
        ),
        ("s.sort_by(|x| -x)", "[4,3,2,1,0]"),
        (
            "let got = []; try { for x in broken { got.push(x) } } catch (e) { got.push(e.code); got.push(e.status) } got",
            "[0,1,\"Forbidden\",403]",
        ),
        (
            "let c = (); try { parallel(broken, 2, |x| x) } catch (e) { c = e.code } c",
            "Forbidden",
        ),
        (
            "let c = (); try { try_parallel(broken, 2, |x| x) } catch (e) { c = e.code } c",
            "Forbidden",
        ),
        (
            "let c = (); try { broken.collect() } catch (e) { c = e.code + e.line } c",
            "Forbidden1",
        ),
        ("json::text(s)", "[0,1,2,3,4]"),
        ("`${s}`", "(a stream of units)"),
    ] {
        assert_eq!(show(text), value, "{text}");
    }
    assert_eq!(
        show("let x = 1;\nfor x in broken { x; }"),
        "Forbidden: list units was refused @test.rhai:2:10"
    );
    assert!(show("s[0]").starts_with("WrongType: a stream has no [index]"));
    assert!(
        show("s.filter(|| true)").starts_with("WrongArguments: a closure here takes one value")
    );
}

#[test]
fn tables_skips_and_files() {
    let bench = Bench::new();
    let point = object(
        "restorePoint",
        &json!({"id": "p1", "protectionDateTime": "2026-11-20T03:00:00Z", "@odata.type": "x"}),
    );
    let unit = object(
        "mailboxProtectionUnit",
        &json!({"id": "u1", "email": "a@b", "weird": 1}),
    )
    .with_columns(
        Columns::new()
            .with("name", "Ada")
            .with("point", Dynamic::from(point)),
    );
    let text = r#"
        table([unit], ["name", "email", "point.protectionDateTime", "error"]);
        table([unit]);
        table([#{b: 1, a: "x"}, #{a: ()}]);
        table([[1, 2], [3, 4]], ["x", "y"]);
        skip(unit, "gone");
        skip("c@d", "left", #{ok: true});
        log::warn("careful");
        csv::write("out.csv", [#{a: "=1+1", b: -5, c: "-x", d: now(), e: ()}]);
        json::write("out.json", #{u: unit, t: duration("1h")});
        let w = csv::writer("w.csv"); w.row(#{a: 1, b: "x;y"}); w.row(#{b: 2}); w.close(); w.close();
        let back = csv::read("out.csv", #{columns: #{b: "int", d: "datetime"}});
        [back[0].a, back[0].b + 1, back[0].d == now(), json::read("out.json").t]
    "#;
    assert_eq!(
        bench.show_with(text, vec![("unit", Dynamic::from(unit.clone()))]),
        "[\"'=1+1\",-4,true,\"PT1H\"]"
    );
    let tables = bench.heard.tables.lock().unwrap();
    assert_eq!(
        tables[0].1,
        [[
            json!("Ada"),
            json!("a@b"),
            json!("2026-11-20T03:00:00Z"),
            json!(null)
        ]]
    );
    assert_eq!(tables[1].0, ["name", "point", "email", "id"]);
    assert_eq!(
        tables[2],
        (
            vec!["a".to_owned(), "b".to_owned()],
            vec![vec![json!("x"), json!(1)], vec![json!(null), json!(null)]]
        )
    );
    let skips = bench.skips.lock().unwrap();
    assert_eq!(
        (
            skips[0].item.as_str(),
            skips[0].ok,
            skips[1].item.as_str(),
            skips[1].ok
        ),
        ("Ada", false, "c@d", true)
    );
    assert_eq!(*bench.heard.logged.lock().unwrap(), ["Warn careful"]);
    let read = |name: &str| std::fs::read_to_string(bench.path().join(name)).unwrap();
    assert_eq!(
        read("out.csv"),
        "a,b,c,d,e\n'=1+1,-5,'-x,2026-11-24T02:00:00Z,\n"
    );
    assert_eq!(read("w.csv"), "a,b\n1,x;y\n,2\n");
    assert_eq!(std::fs::read_dir(bench.path()).unwrap().count(), 3);
    drop(tables);
    let show = |text: &str| bench.show_with(text, vec![("unit", Dynamic::from(unit.clone()))]);
    assert!(show("table([unit], [\"nmae\"])").contains("did you mean `name`?"));
    assert!(show("table([#{name: 1}], [\"nmae\"])").contains("did you mean `name`?"));
    assert!(
        show("skip(unit, \"x\", #{okay: true})")
            .starts_with("UnknownOption: there is no option `okay` here")
    );
}

#[test]
fn csv_files_of_all_kinds_are_read() {
    let bench = Bench::new()
        .file(
            "semi.csv",
            "\u{feff}name;age;note\r\nAda;36;\"a;b\"\r\nBob;;\"two\nlines\"\r\n",
        )
        .file("tab.csv", "a\tb\n1\t2\n")
        .file("bad.csv", "name,age\nAda,36\n\nBob,old\n")
        .file("ragged.csv", "a,b\n1,2\n3\n");
    assert_eq!(
        bench.show("csv::read(\"semi.csv\", #{columns: #{age: \"int\"}})"),
        "[{\"age\":36,\"name\":\"Ada\",\"note\":\"a;b\"},{\"age\":null,\"name\":\"Bob\",\"note\":\"two\\nlines\"}]"
    );
    assert_eq!(bench.show("csv::read(\"tab.csv\")[0].b + 1"), "21");
    assert_eq!(
        bench.show("csv::read(\"bad.csv\", #{columns: #{age: \"int\"}})"),
        "BadCsv: `bad.csv` line 4, column `age`: `old` is no whole number @test.rhai:1:6"
    );
    assert!(
        bench
            .show("csv::read(\"bad.csv\", #{columns: #{aeg: \"int\"}})")
            .contains("did you mean `age`?")
    );
    assert!(
        bench
            .show("csv::read(\"bad.csv\", #{columns: #{age: \"integer\"}})")
            .contains("is no type of a column")
    );
    assert!(
        bench
            .show("csv::read(\"ragged.csv\")")
            .starts_with("BadCsv: `ragged.csv` line 3 has 1 cells, the first line 2")
    );
    assert!(
        bench
            .show("csv::read(\"smei.csv\")")
            .contains("did you mean `semi.csv`?")
    );
    assert!(
        bench
            .show("csv::read(\"/etc/passwd\")")
            .starts_with("FileDenied")
    );
    assert!(
        bench
            .show("json::read(\"../x.json\")")
            .starts_with("FileDenied")
    );
    assert!(
        bench
            .show("csv::write(\"../x.csv\", [])")
            .starts_with("FileDenied")
    );
    assert!(
        bench
            .show("csv::write(\"/tmp/x.csv\", [])")
            .starts_with("FileDenied")
    );
    std::os::unix::fs::symlink("/etc/passwd", bench.path().join("link.csv")).unwrap();
    std::os::unix::fs::symlink("/tmp", bench.path().join("away")).unwrap();
    assert!(
        bench
            .show("csv::read(\"link.csv\")")
            .starts_with("FileDenied")
    );
    assert!(
        bench
            .show("csv::write(\"away/x.csv\", [])")
            .starts_with("FileDenied")
    );
    // A link in the place of a file is replaced, not followed.
    assert_eq!(
        bench.show("csv::write(\"link.csv\", [#{a: 1}]); csv::read(\"link.csv\")[0].a"),
        "1"
    );
}
