//! The tour, as a newcomer takes it.

use crate::support::{Bench, Person, Served};

#[test]
fn ten_steps_from_the_first_look_to_the_runbook() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, &["--sandbox", "--speed", "20000"]);
    let mut shown = person.says(":tour");
    for step in 1..=10 {
        assert!(
            shown.contains(&format!("Step {step} of 10.")),
            "{step}: {shown}"
        );
        // What the step itself says is to be typed stands alone, set in by four.
        let example = shown
            .lines()
            .skip_while(|line| !line.contains(&format!("Step {step} of 10.")))
            .find_map(|line| line.strip_prefix("    "))
            .unwrap_or_else(|| panic!("{shown}"))
            .trim()
            .to_owned();
        if step == 2 {
            // Something else does not take the step.
            assert!(!person.says("1 + 1").contains("Step"));
            person.says("users::list()");
        }
        if step == 8 {
            person.begins(&example);
            person.hears("[y/N/all] ");
            person.types("y\r");
            shown = person.waits();
        } else {
            shown = person.says(&example);
        }
    }
    assert!(
        shown.contains("Done: a restore from the first look to the runbook."),
        "{shown}"
    );
    bench.runback(&["check", "tour.rhai"]).expect(0);
}

#[test]
fn a_tour_can_be_left_and_is_for_the_sandbox() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, &["--sandbox"]);
    person.says(":tour");
    assert!(person.says(":tour skip").contains("Step 2 of 10."));
    assert!(person.says(":tour stop").contains("the tour is over"));
    assert!(!person.says("users::list().first(1)").contains("Step"));
    drop(person);
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    assert!(person.says(":tour").contains("`runback repl --sandbox`"));
}
