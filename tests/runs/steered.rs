//! Runs that are stopped, paused and continued from another terminal, or by a signal.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{GOING, RESTORE, last_line_goes_on, later, list, newest, slow, wait_for, waiting};
use crate::support::Served;

#[test]
fn a_run_is_stopped_from_another_terminal_and_goes_on_later() {
    let tenant = slow();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let stopped = bench.runback(&["stop", &run]).expect(0);
    let session = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    assert!(
        stopped
            .stderr
            .contains(&format!("session `{session}` goes on in the service")),
        "{stopped}"
    );
    last_line_goes_on(&stopped, &run);
    let done = running.finish().expect(3);
    assert!(
        done.stderr
            .contains(&format!("stopped with `runback stop {run}`")),
        "{done}"
    );
    assert!(
        done.stderr.contains(&format!(
            "session {session} goes on in the service (exchange, "
        )),
        "{done}"
    );
    last_line_goes_on(&done, &run);
    assert_eq!(bench.result()["error"]["code"], "StoppedFromOutside");
    assert_eq!(bench.books(), [6, 0, 0, 0, 6]);
    assert_eq!(
        (&list(&bench)[0]["state"], &list(&bench)[0]["exit"]),
        (&json!("open"), &json!(3))
    );

    for command in ["stop", "pause", "continue"] {
        let done = bench.runback(&[command, &run]).expect(2);
        assert!(done.stderr.contains("nobody works on run"), "{done}");
        assert!(
            done.stderr.contains(&format!("`runback resume {run}`")),
            "{done}"
        );
    }
    later(&tenant);
    bench.runback(&["resume", &run]).expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    let done = bench.runback(&["stop", &run]).expect(2);
    assert!(
        done.stderr.contains("it has ended with exit code 0"),
        "{done}"
    );
    tenant.expect_nothing_twice();
}

#[test]
fn a_run_that_had_only_read_so_far_can_be_stopped_and_resumed_too() {
    let tenant = Served::fast();
    let bench = tenant.bench().flags(&["--yes"]).script(&format!("let people = groups::members(\"Executives\").count(); debug(\"ready\"); sleep(duration(\"1h\")); {RESTORE}"));
    let mut running = bench.start();
    running.hears("ready");
    let run = newest(&bench);
    bench.runback(&["stop", &run]).expect(0);
    let done = running.finish().expect(2);
    last_line_goes_on(&done, &run);
    assert_eq!(list(&bench)[0]["state"], "open");
    assert_eq!(tenant.sessions().len(), 0);
}

#[test]
fn a_run_pauses_between_waves_and_continues() {
    let tenant = slow();
    let bench = tenant.bench().flags(&["--yes"]).script(
        r#"
        import "std/waves" as waves;
        let rows = exchange::latest_points(groups::members("Executives"));
        let done = waves::run(rows, #{sizes: [1, 100]}, |wave, session| debug(`wave ${wave.number} is over`));
        print(done.waves.len());
        "#,
    );
    let mut running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let done = bench.runback(&["pause", &run]).expect(0);
    assert!(
        done.stderr.contains(&format!("`runback continue {run}`")),
        "{done}"
    );
    later(&tenant);
    running
        .hears("wave 1 is over")
        .hears("paused from another terminal");
    let done = bench.runback(&["runs", &run]).expect(0);
    assert!(done.stdout.contains(", paused\n"), "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    bench.runback(&["continue", &run]).expect(0);
    running.hears("continued");
    wait_for(&tenant, 1, GOING);
    later(&tenant);
    let done = running.finish().expect(0);
    assert_eq!(done.stdout, "2\n");
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
}

#[test]
fn a_paused_run_can_be_stopped() {
    let tenant = slow();
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         let session = exchange::create_session(rows, \"new\");\n\
         debug(\"ready\");\nsleep(duration(\"1500ms\"));\nsession.activate();",
    );
    let mut running = bench.start();
    running.hears("ready");
    let run = newest(&bench);
    bench.runback(&["pause", &run]).expect(0);
    running.hears("paused from another terminal");
    bench.runback(&["stop", &run]).expect(0);
    let done = running.finish().expect(3);
    assert_eq!(
        tenant.count("POST /restoreSessions/{id}/activate"),
        0,
        "{done}"
    );
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
}

/// Ctrl-C and SIGTERM while a change is on its way: it is brought to its end, and then the run goes on where it was.
#[test]
fn a_change_in_flight_is_brought_to_its_end() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let tenant = Served::fast();
        tenant.faults("slow=1x:500ms@POST …/activate");
        let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
        let mut running = bench.start();
        while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let done = running.finish().expect(code);
        let run = newest(&bench);
        last_line_goes_on(&done, &run);
        // Its answer came: nothing is in doubt.
        assert!(
            !bench
                .runback(&["runs", &run])
                .expect(0)
                .stdout
                .contains("nobody knows")
        );
        let activated = tenant.count("POST /restoreSessions/{id}/activate");
        bench.runback(&["resume", &run]).expect(0);
        assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
        assert_eq!(
            tenant.count("POST /restoreSessions/{id}/activate"),
            activated
        );
        tenant.expect_nothing_twice();
    }
}

/// A read that hangs ends at once, also inside of a change that has not been sent yet.
#[test]
fn a_read_in_flight_ends_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let tenant = Served::fast();
        tenant.faults("slow=1x:1h@GET …/restoreSessions/{id}");
        let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
        let mut running = bench.start();
        while tenant.count("GET /restoreSessions/{id}")
            + tenant.count("GET /exchangeRestoreSessions/{id}")
            == 0
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let begun = Instant::now();
        let done = running.finish().expect(code);
        // 100 ms, and what a process on a busy machine takes to end.
        assert!(
            begun.elapsed() < Duration::from_millis(700),
            "{:?}\n{done}",
            begun.elapsed()
        );
        last_line_goes_on(&done, &newest(&bench));
    }
}
