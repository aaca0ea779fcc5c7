//! Ctrl-C, SIGTERM, a second Ctrl-C, a time limit, a reader that goes away: the run ends soon, says so, and closes the books.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Done, Running, Served};

const SIGNALS: [(&str, i32, &str); 2] = [
    ("INT", 130, "stopped by Ctrl-C"),
    ("TERM", 143, "stopped by SIGTERM"),
];

/// Sends the signal and expects the end within a second.
#[track_caller]
fn stop(mut running: Running, (signal, code, said): (&str, i32, &str)) -> Done {
    running.signal(signal);
    let begun = Instant::now();
    let done = running.finish().expect(code);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "took {took:?}\n{done}");
    assert!(done.stderr.contains(said), "{done}");
    done
}

/// A script that says `ready` and then does something that never ends.
#[track_caller]
fn stops(bench: &Bench) {
    for signal in SIGNALS {
        let mut running = bench.start();
        running.hears("ready");
        stop(running, signal);
        let result = bench.result();
        assert_eq!(result["exit"], signal.1);
        assert_eq!(bench.books(), [0; 5]);
    }
}

#[test]
fn during_a_network_wait() {
    let tenant = Served::start(&["--latency", "1h"]);
    stops(
        &tenant
            .bench()
            .script("debug(\"ready\"); users::list().count()"),
    );
}

#[test]
fn during_a_sleep() {
    stops(&Bench::new().script("debug(\"ready\"); sleep(duration(\"1h\"));"));
}

#[test]
fn during_a_tight_loop_that_catches_everything() {
    stops(
        &Bench::new()
            .script("debug(\"ready\"); let n = 0; loop { try { loop { n += 1; } } catch { } }"),
    );
}

#[test]
fn during_a_parallel_loop() {
    stops(&Bench::new().script(
        "let items = []; for i in 0..100 { items.push(i); }\ndebug(\"ready\");\n\
         parallel(items, 8, |i| { let n = 0; loop { n += 1; } });",
    ));
    let tenant = Served::start(&["--latency", "1h"]);
    stops(&tenant.bench().script(
        "debug(\"ready\");\ntry_parallel([1, 2, 3], 3, |i| users::list().count());\nsleep(duration(\"1h\"));",
    ));
}

#[test]
fn during_the_wait_for_sessions_the_service_goes_on() {
    for signal in SIGNALS {
        // Takes hours.
        let tenant = Served::start(&["--speed", "1"]);
        let bench = tenant.bench().flags(&["--yes"]).script(
            "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
             let session = exchange::create_session(rows, \"new\").activate();\n\
             debug(\"ready\");\nsession.wait();",
        );
        let mut running = bench.start();
        running.hears("ready");
        let done = stop(running, signal);
        assert_eq!(bench.books(), [6, 0, 0, 0, 6], "{done}");
        let result = bench.result();
        assert_eq!(result["sessions"].as_array().unwrap().len(), 1);
        assert!(done.stderr.contains("asked 6 = "), "{done}");
        tenant.expect_nothing_twice();
    }
}

#[test]
fn during_the_wait_at_the_end() {
    let tenant = Served::start(&["--speed", "1"]);
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\").activate();\n\
         debug(\"ready\");\n()",
    );
    let mut running = bench.start();
    running.hears("ready");
    stop(running, SIGNALS[0]);
    assert_eq!(bench.books(), [6, 0, 0, 0, 6]);
}

#[test]
fn before_an_activation_nothing_is_activated_any_more() {
    let tenant = Served::fast();
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         let session = exchange::create_session(rows, \"new\");\n\
         debug(\"ready\");\n\
         try { sleep(duration(\"1h\")); } catch { }\n\
         try { session.activate(); } catch { }",
    );
    let mut running = bench.start();
    running.hears("ready");
    let done = stop(running, SIGNALS[1]);
    assert_eq!(bench.books(), [6, 0, 0, 6, 0], "{done}");
    assert_eq!(tenant.sessions()[0]["status"], "draft");
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    // The lost answer is waited for; nothing else can be said of it before.
    let tenant = Served::fast();
    tenant.faults("slow=1x:1h@POST …/activate");
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         let session = exchange::create_session(rows, \"new\");\n\
         session.activate();",
    );
    let mut running = bench.start();
    while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running
        .signal("INT")
        .hears("press Ctrl-C again to leave at once")
        .signal("INT");
    let begun = Instant::now();
    running.finish().expect(130);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_time_limit_ends_a_wait_and_keeps_the_books() {
    let tenant = Served::start(&["--speed", "1"]);
    let bench = tenant.bench().flags(&["--yes", "--max-time", "1s"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\").activate().wait();",
    );
    let done = bench.run().expect(3);
    assert!(done.stderr.contains("--max-time"), "{done}");
    assert_eq!(bench.books(), [6, 0, 0, 0, 6], "{done}");
}

#[test]
fn a_time_limit_cannot_be_caught() {
    let bench = Bench::new()
        .flags(&["--max-time", "100ms"])
        .script("loop { try { sleep(duration(\"1h\")) } catch { } }");
    let begun = Instant::now();
    let done = bench.run().expect(2);
    assert!(begun.elapsed() < Duration::from_secs(1), "{done}");
    assert!(done.stderr.contains("--max-time"), "{done}");
}

#[test]
fn a_reader_that_goes_away_in_the_middle_of_a_restore_is_no_error() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(
        "print(\"first\");\n\
         let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         let session = exchange::create_session(rows, \"new\").activate().wait();\n\
         for i in 0..2000 { table(session.artifacts(), [\"name\"]); if i > 3 { break; } }\n\
         for i in 0..20000 { print(\"a line that nobody reads any more\"); }",
    );
    let mut child = bench
        .command()
        .args(["run", "--yes", "script.rhai"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
}
