//! Takes out of an output what differs from run to run.

/// Shapes: `d` a digit, `x` a digit or small letter, `h` a hexadecimal digit, anything else itself.
const SHAPES: &[(&str, &str)] = &[
    ("dddd-dd-ddTdd-dd-ddZ-xxxxxx", "[RUN]"),
    ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "[ID]"),
    ("dddd-dd-ddTdd:dd:dd.dddZ", "[TIME]"),
    ("dddd-dd-ddTdd:dd:dd.ddZ", "[TIME]"),
    ("dddd-dd-ddTdd:dd:dd.dZ", "[TIME]"),
    ("dddd-dd-ddTdd:dd:ddZ", "[TIME]"),
    ("dd:dd:ddZ", "[CLOCK]"),
    ("dd:dd:dd UTC", "[CLOCK]"),
    // In the name of the folder that the service restores into.
    ("dddd-dd-dd dd:dd", "[MINUTE]"),
];

/// Replaces ids, run ids, instants and what a run took by their kind, and the test's folder by `[FOLDER]`.
pub fn mask(text: &str, folder: &str) -> String {
    let text = text.replace(folder, "[FOLDER]");
    let text: String = text.split_inclusive('\n').map(without_cost).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    'next: while let Some(c) = rest.chars().next() {
        for (shape, name) in SHAPES {
            if fits(rest, shape) {
                out.push_str(name);
                rest = &rest[shape.len()..];
                continue 'next;
            }
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// `2 sessions, 0.3 s, 133 requests` is `2 sessions, [COST]`: waiting takes as many requests as it takes.
fn without_cost(line: &str) -> String {
    let cost = line
        .trim_end()
        .strip_suffix(" requests")
        .and_then(|line| line.split_once(" session"));
    match cost {
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => {
            let plural = if rest.starts_with('s') { "s" } else { "" };
            format!("{count} session{plural}, [COST]\n")
        }
        _ => line.to_owned(),
    }
}

fn fits(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, kind)| match kind {
                b'd' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
                b'h' => byte.is_ascii_hexdigit(),
                own => byte == own,
            })
}

#[test]
fn only_what_differs_from_run_to_run_is_masked() {
    let text = "at 2026-11-24T01:58:33Z in /t/x: 2026-11-24T01-58-33Z-k3f9q2 é 959ba739-b064-4a95-b5fa-37a58e2e08f1 5,000";
    assert_eq!(
        mask(text, "/t/x"),
        "at [TIME] in [FOLDER]: [RUN] é [ID] 5,000"
    );
}

#[test]
fn what_a_run_took_is_masked_in_the_closing_line_only() {
    let text = "2 sessions, 0.3 s, 133 requests\n1 session, 2 h 14 min, 1,204 requests\nno session, 5 requests\n";
    assert_eq!(
        mask(text, "/t/x"),
        "2 sessions, [COST]\n1 session, [COST]\nno session, 5 requests\n"
    );
}
