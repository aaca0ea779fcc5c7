//! A script is dropped, and its result lies there.

use std::fs;

use crate::support::{Served, Watched, chmod};

#[test]
fn a_dropped_script_runs_once_and_its_result_lies_beside_it() {
    let watched = Watched::new();
    watched.drop_file(
        "x.rhai",
        "//! @param who string x\nprint(`hello ${args.who}`); csv::write(\"out.csv\", [#{a: 1}]); 7",
    );
    watched.drop_file("x.args.json", r#"{"who": "you"}"#);
    let done = watched.once(&[]);
    assert_eq!(done.code, 0, "{done}");
    let filed = watched.only("done");
    assert_eq!(filed.script(), "x.rhai");
    assert_eq!(filed.result["value"], 7);
    assert_eq!(filed.result["exit"], 0);
    assert_eq!(filed.read("run.log"), "hello you\n7\n");
    assert_eq!(filed.read("files/out.csv"), "a\n1\n");
    let mut names: Vec<_> = fs::read_dir(&filed.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["files", "result.json", "run.log", "x.args.json", "x.rhai"]
    );
    assert!(
        filed
            .folder
            .ends_with(filed.result["run"].as_str().unwrap())
    );
    // Nothing is left to do.
    let done = watched.once(&[]);
    assert_eq!(done.code, 0, "{done}");
    watched.only("done");
}

#[test]
fn what_fails_lies_among_the_failed() {
    let watched = Watched::new();
    watched.drop_file("syntax.rhai", "nope(");
    watched.drop_file("thrown.rhai", "throw \"no\";");
    watched.drop_file("argument.rhai", "//! @param who string x\nprint(args.who);");
    let done = watched.once(&[]);
    assert_eq!(done.code, 1, "{done}");
    let failed = watched.filed("failed");
    assert_eq!(failed.len(), 3, "{done}");
    for filed in &failed {
        assert_eq!(filed.result["exit"], 2, "{}", filed.script());
        let log = filed.read("run.log");
        assert!(log.contains(filed.message()), "{log}");
        let place = filed.script();
        if place != "argument.rhai" {
            assert!(log.contains(&format!("--> {place}:1:")), "{log}");
        }
    }
    let argument = failed
        .iter()
        .find(|filed| filed.script() == "argument.rhai");
    assert!(argument.unwrap().message().contains("`who` is missing"));
}

#[test]
fn a_restore_runs_under_the_policy_and_is_recorded() {
    let tenant = Served::fast();
    let watched = Watched::over(tenant.bench());
    let script = "let s = exchange::create_session(exchange::latest_points(groups::members(\"Executives\").first(3)), \"new\"); s.activate(); s.wait();";
    watched.drop_file("night.rhai", script);
    let done = watched.once(&[]);
    assert_eq!(done.code, 0, "{done}\n{}", watched.tree());
    let filed = watched.only("done");
    assert_eq!(filed.result["books"]["succeeded"], 3);
    let run = filed.result["run"].as_str().unwrap();
    let shown = watched.bench.runback(&["runs", run]).expect(0);
    assert!(shown.stdout.contains("night.rhai"), "{shown}");
    // Without consent nothing is activated.
    watched.set_policy("consent = \"ask\"\n");
    watched.drop_file("other.rhai", script.replace("first(3)", "first(2)"));
    let done = watched.once(&[]);
    assert_eq!(done.code, 1, "{done}");
    let filed = watched.only("failed");
    assert_eq!(filed.result["exit"], 5, "{}", filed.result);
    assert_eq!(
        tenant
            .sessions()
            .iter()
            .filter(|session| session["status"] != "draft")
            .count(),
        1
    );
}

#[test]
fn data_is_read_and_only_the_own_folder_is_written() {
    let watched = Watched::new();
    fs::create_dir(watched.bench.path("data")).unwrap();
    fs::write(watched.bench.path("data/in.json"), "[1, 2]").unwrap();
    fs::write(watched.bench.path("secret.json"), "3").unwrap();
    let denied = |call: &str| {
        format!(
            "if attempt(|| {call}).error.code != \"FileDenied\" {{ throw \"{}\"; }}\n",
            call.replace('"', "'")
        )
    };
    let mut script = String::from(
        "//! @param list file x\nprint(json::read(\"in.json\").len); print(json::read(args.list).len);\n",
    );
    for call in [
        r#"json::write("../../../x.json", 1)"#,
        r#"json::write("x.rhai", 1)"#,
        r#"json::write("X.RHAI", 1)"#,
        r#"json::write("x.args.json", 1)"#,
        r#"json::write("x.rhai.minisig", 1)"#,
        r#"json::write("approved", 1)"#,
        r#"json::write("../approved", 1)"#,
        r#"json::write("../result.json", 1)"#,
        r#"json::read("../x.rhai")"#,
        r#"json::read("/etc/hostname")"#,
        r#"json::read("../secret.json")"#,
    ] {
        script.push_str(&denied(call));
    }
    let data = watched.bench.path("data");
    script.push_str(&denied(&format!(
        "json::write(\"{}\", 1)",
        data.join("out.json").display()
    )));
    script.push_str("json::write(\"out.json\", 1); print(json::read(\"out.json\"));");
    watched.drop_file("x.rhai", &script);
    watched.drop_file(
        "x.args.json",
        format!(r#"{{"list": "{}"}}"#, data.join("in.json").display()),
    );
    let done = watched.once(&["--data", "data"]);
    assert_eq!(done.code, 0, "{done}\n{}", watched.tree());
    assert_eq!(watched.only("done").read("run.log"), "2\n2\n1\n");
    // An argument opens no other file.
    watched.drop_file(
        "y.rhai",
        "//! @param list file x\nprint(json::read(args.list));",
    );
    let secret = watched.bench.path("secret.json");
    watched.drop_file(
        "y.args.json",
        format!(r#"{{"list": "{}"}}"#, secret.display()),
    );
    watched.once(&["--data", "data"]);
    let filed = watched.only("failed");
    assert_eq!(
        (filed.code(), &filed.result["exit"]),
        ("FileDenied", &2.into())
    );
}

#[test]
fn imports_come_from_the_library_and_from_nowhere_else() {
    let watched = Watched::new();
    fs::create_dir(watched.bench.path("library")).unwrap();
    fs::write(watched.bench.path("library/tools.rhai"), "fn two() { 2 }").unwrap();
    // A script may be called as a file of the library is.
    for name in ["good.rhai", "tools.rhai"] {
        watched.drop_file(
            name,
            "import \"tools\" as tools; import \"std/waves\" as waves; print(tools::two());",
        );
    }
    // A neighbour in the inbox, a file elsewhere, a file of the claimed folder itself.
    for (number, import) in [
        "neighbour",
        "../neighbour",
        "../../neighbour",
        "../../../neighbour",
        "/etc/x",
        "../../etc/x",
        "bad3",
    ]
    .iter()
    .enumerate()
    {
        watched.drop_file(
            &format!("bad{number}.rhai"),
            format!("import \"{import}\" as other; print(1);"),
        );
    }
    fs::write(watched.inbox("neighbour.txt"), "fn two() { 3 }").unwrap();
    fs::write(watched.bench.path("neighbour.rhai"), "fn two() { 3 }").unwrap();
    let done = watched.once(&["--library", "library"]);
    assert_eq!(done.code, 1, "{done}");
    let logs = watched
        .filed("done")
        .iter()
        .map(|filed| filed.read("run.log"))
        .collect::<Vec<_>>();
    assert_eq!(logs, ["2\n", "2\n"]);
    let failed = watched.filed("failed");
    assert_eq!(failed.len(), 7);
    assert!(
        failed.iter().all(|filed| filed.code() == "BadImport"),
        "{}",
        watched.tree()
    );
}

#[test]
fn the_status_tells_how_the_watcher_is_getting_on() {
    let watched = Watched::new();
    let never = watched
        .bench
        .runback(&["watch", "--status", "inbox"])
        .expect(2);
    assert!(never.stderr.contains("nobody has ever watched"), "{never}");
    fs::write(watched.inbox("note.txt"), "").unwrap();
    watched.drop_file("x.rhai", "sleep(duration(\"1h\"));");
    let watching = watched.start(&[]);
    watched.waits_until("it runs", || {
        let status = watched
            .bench
            .runback(&["watch", "--status", "inbox", "--format", "json"]);
        status.code == 0 && status.json()[0]["running"][0]["script"] == "x.rhai"
    });
    let status = watched
        .bench
        .runback(&["watch", "--status", "inbox"])
        .expect(0);
    for line in [
        "watching by process",
        "1 files that are no runbooks",
        "x.rhai",
    ] {
        assert!(status.stdout.contains(line), "{status}");
    }
    let mut watching = watching;
    watching.signal("TERM");
    let done = watching.finish();
    assert_eq!(done.code, 143, "{done}");
    let status = watched
        .bench
        .runback(&["watch", "--status", "inbox"])
        .expect(1);
    assert!(status.stdout.contains("nobody watches"), "{status}");
}

#[test]
fn what_others_can_write_in_the_library_is_not_imported() {
    let watched = Watched::new();
    let library = |name: &str| watched.bench.path("library").join(name);
    for folder in ["", "sub", "open"] {
        fs::create_dir(library(folder)).unwrap();
        chmod(&library(folder), 0o755);
    }
    for name in [
        "good",
        "loose",
        "twin",
        "foreign",
        "sub/inner",
        "open/inner",
    ] {
        let path = library(&format!("{name}.rhai"));
        fs::write(&path, "fn two() { 2 }").unwrap();
        chmod(&path, 0o644);
    }
    chmod(&library("loose.rhai"), 0o666);
    chmod(&library("open"), 0o777);
    fs::hard_link(library("twin.rhai"), watched.bench.path("copy")).unwrap();
    let mut bad = vec!["loose", "twin", "open/inner"];
    // Only root can give a file away.
    if std::os::unix::fs::chown(library("foreign.rhai"), Some(12345), None).is_ok() {
        bad.push("foreign");
    }
    let script = |import: &str| format!("import \"{import}\" as other; print(other::two());");
    for import in ["good", "sub/inner"].iter().chain(&bad) {
        let name = format!("of-{}", import.replace('/', "-"));
        watched.drop_file(&format!("{name}.rhai"), script(import));
    }
    // A file that may be imported imports one that may not.
    fs::write(library("through.rhai"), "import \"loose\" as loose;").unwrap();
    chmod(&library("through.rhai"), 0o644);
    watched.drop_file("of-through.rhai", script("through"));
    watched.once(&["--library", "library"]).expect(1);
    assert_eq!(watched.filed("done").len(), 2, "{}", watched.tree());
    let failed = watched.filed("failed");
    assert_eq!(failed.len(), bad.len() + 1, "{}", watched.tree());
    for filed in failed {
        let told = filed.result.to_string();
        assert!(told.contains("\"UnsafeFolder\""), "{told}");
        assert!(!filed.read("run.log").contains("2\n"));
    }
}

#[test]
fn what_is_filed_away_is_of_the_inbox_s_group() {
    use std::os::unix::fs::MetadataExt as _;
    const GROUP: u32 = 12_345;
    let watched = Watched::new();
    if std::os::unix::fs::chown(watched.inbox(""), None, Some(GROUP)).is_err() {
        println!("nobody but root gives folders to any group: not looked at");
        return;
    }
    watched.set_policy("consent = \"given\"\nowners = [0]\n");
    chmod(&watched.inbox(""), 0o1770);
    watched.drop_file("x.rhai", "print(1); csv::write(\"a.csv\", [#{a: 1}]);");
    watched.drop_file("y.rhai", "nope(");
    watched.drop_file("z.txt", "");
    std::os::unix::fs::symlink("z.txt", watched.inbox("z.rhai")).unwrap();
    watched.once(&[]).expect(1);
    for kind in ["done", "failed", "quarantine"] {
        let folder = watched.only(kind).folder;
        let mut paths = vec![
            watched.inbox(kind),
            folder.clone(),
            folder.join("result.json"),
        ];
        if kind == "done" {
            paths.extend([folder.join("run.log"), folder.join("files/a.csv")]);
        }
        for path in paths {
            let facts = path.metadata().unwrap();
            assert_eq!(facts.gid(), GROUP, "{}", path.display());
            assert_ne!(facts.mode() & 0o040, 0, "{}", path.display());
            assert_eq!(facts.mode() & 0o002, 0, "{}", path.display());
        }
    }
    assert_eq!(
        watched.inbox(".runback").metadata().unwrap().mode() & 0o077,
        0
    );
}
