//! Holds the arrows between the rooms: who may know whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms it may use. A room that is not named here fails the test: it needs a place in the house first.
const ARROWS: &[(&str, &[&str])] = &[
    // Tests only.
    ("fuzz", &[]),
    ("text", &[]),
    ("error", &["text"]),
    ("instant", &[]),
    ("cancel", &[]),
    ("world", &["cancel"]),
    ("unix", &[]),
    ("config", &["error", "unix"]),
    ("policy", &["error", "text", "unix"]),
    ("journal", &["error", "unix"]),
    ("stop", &["cancel", "error"]),
    ("talk", &["error", "text", "unix", "world"]),
    ("graph", &["cancel", "text", "world"]),
    ("advice", &["error", "graph"]),
    ("sandbox", &[]),
    (
        "changes",
        &[
            "advice", "error", "graph", "instant", "journal", "policy", "stop", "talk", "world",
        ],
    ),
    ("history", &["changes", "error", "journal"]),
    (
        "directory",
        &[
            "advice", "error", "graph", "instant", "stop", "talk", "world",
        ],
    ),
    (
        "backup",
        &[
            "advice",
            "changes",
            "directory",
            "error",
            "graph",
            "instant",
            "journal",
            "policy",
            "stop",
            "talk",
            "world",
        ],
    ),
    (
        "script",
        &[
            "advice",
            "backup",
            "changes",
            "directory",
            "error",
            "graph",
            "history",
            "instant",
            "policy",
            "stop",
            "talk",
            "text",
            "unix",
            "world",
        ],
    ),
    ("report", &["backup", "error", "graph", "instant", "text"]),
    (
        "runs",
        &[
            "advice",
            "backup",
            "changes",
            "directory",
            "error",
            "graph",
            "instant",
            "journal",
            "policy",
            "report",
            "stop",
            "talk",
            "text",
            "world",
        ],
    ),
    (
        "plan",
        &[
            "backup", "changes", "error", "graph", "instant", "text", "world",
        ],
    ),
    (
        "run",
        &[
            "advice",
            "backup",
            "changes",
            "directory",
            "error",
            "graph",
            "history",
            "instant",
            "journal",
            "plan",
            "policy",
            "report",
            "runs",
            "script",
            "stop",
            "talk",
            "text",
            "unix",
            "world",
        ],
    ),
    (
        "watch",
        &[
            "error", "instant", "journal", "plan", "policy", "report", "run", "runs", "talk",
            "text", "unix", "world",
        ],
    ),
    ("manual", &["changes", "graph", "script", "text"]),
    (
        "repl",
        &[
            "backup", "changes", "error", "graph", "manual", "run", "script", "talk", "text",
            "unix", "world",
        ],
    ),
    (
        "doctor",
        &[
            "advice", "backup", "config", "error", "graph", "instant", "policy", "text", "unix",
            "world",
        ],
    ),
    (
        "cli",
        &[
            "advice", "backup", "cancel", "changes", "config", "doctor", "error", "graph",
            "journal", "manual", "plan", "policy", "repl", "report", "run", "runs", "sandbox",
            "script", "stop", "talk", "text", "unix", "watch", "world",
        ],
    ),
];

/// A file of `src/`: its room, its path, its code without comments.
struct Source {
    room: String,
    path: PathBuf,
    code: String,
}

fn sources() -> Vec<Source> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Unit tests may use what they need.
                if path.file_name().is_some_and(|name| name != "tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path.file_stem().is_some_and(|name| name != "tests")
            {
                let inside = path.strip_prefix(&base).unwrap();
                let room = inside
                    .iter()
                    .next()
                    .unwrap()
                    .to_string_lossy()
                    .trim_end_matches(".rs")
                    .to_owned();
                let text = fs::read_to_string(&path).unwrap();
                // Unit tests may use what they need.
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                let code = code.collect::<Vec<_>>().join("\n");
                found.push(Source {
                    room,
                    path: inside.to_owned(),
                    code,
                });
            }
        }
    }
    found.retain(|source| source.room != "main" && source.room != "lib");
    assert!(
        found.len() > 20,
        "the sources are where they are looked for"
    );
    found
}

/// The rooms behind `crate::` in a file, also in `use crate::{a, b::c}`.
fn used(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.insert(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut start = true;
        for (index, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => start = true,
                c if start && c.is_alphanumeric() => {
                    rooms.insert(word(&list[index..]));
                    start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == source.room) else {
            wrong.push(format!(
                "{}: the room `{}` has no place in the table",
                source.path.display(),
                source.room
            ));
            continue;
        };
        for room in used(&source.code) {
            // What `lib.rs` shows to `main.rs`.
            let room = match room.as_str() {
                "Exit" | "Fault" => "error".to_owned(),
                "World" => "world".to_owned(),
                _ => room,
            };
            if room != source.room && !allowed.contains(&room.as_str()) {
                wrong.push(format!(
                    "{}: `{}` may not use `crate::{room}`",
                    source.path.display(),
                    source.room
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_arrows_point_one_way() {
    for (position, (room, below)) in ARROWS.iter().enumerate() {
        for other in *below {
            let known = ARROWS.iter().position(|(name, _)| name == other);
            assert!(
                known.is_some_and(|known| known < position),
                "`{room}` → `{other}` does not point down"
            );
        }
    }
}

/// Each word, and the rooms that may say it.
#[test]
fn each_library_is_known_to_one_room() {
    let words: &[(&str, &[&str])] = &[
        ("reqwest", &["graph"]),
        ("hyper_util", &["graph"]),
        ("azure_identity", &["graph"]),
        ("oauth2", &["graph"]),
        ("jsonwebtoken", &["graph"]),
        ("p12_keystore", &["graph"]),
        ("rhai", &["script", "run", "repl", "cli"]),
        ("rustyline", &["repl"]),
        ("axum", &["sandbox"]),
        ("indicatif", &["talk"]),
        ("pulldown_cmark", &["manual"]),
        ("comfy_table", &["report"]),
        ("maud", &["report"]),
        ("quick_xml", &["report"]),
        ("clap", &["cli", "run"]),
        ("clap_complete", &["cli"]),
        ("tracing_subscriber", &["cli"]),
        ("toml", &["config", "policy"]),
        ("rustix", &["unix"]),
        ("notify", &["watch"]),
        ("minisign", &["watch"]),
        ("minisign_verify", &["watch"]),
        ("rusqlite", &["journal"]),
        ("lz4_flex", &["journal"]),
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, rooms) in words {
            let said = source.code.contains(&format!("{word}::"))
                || source.code.contains(&format!("use {word}"));
            if said && !rooms.contains(&source.room.as_str()) {
                wrong.push(format!(
                    "{}: only {rooms:?} may use `{word}`",
                    source.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_door_sends_changes() {
    for source in sources() {
        let is_test = source.path.to_string_lossy().contains("tests");
        let sends = source.code.contains(".change(") || source.code.contains("Client::change");
        assert!(
            !sends || is_test || matches!(source.room.as_str(), "changes" | "graph"),
            "{}: changes go through the door in changes/",
            source.path.display()
        );
    }
}

#[test]
fn script_functions_know_no_http() {
    for source in sources()
        .iter()
        .filter(|source| source.path.starts_with("script/api"))
    {
        for word in ["reqwest", "hyper", "http::"] {
            let said = source
                .code
                .lines()
                .any(|line| line.trim_start().starts_with("use ") && line.contains(word));
            assert!(!said, "{}: `{word}`", source.path.display());
        }
    }
}

#[test]
fn uses_are_found_in_every_form() {
    let code = "use crate::graph::Call;\nuse crate::{error::{Exit, Fault}, stop};\nlet x = crate::world::World; $crate::no::x";
    let rooms: Vec<String> = used(code).into_iter().collect();
    assert_eq!(rooms, ["error", "graph", "stop", "world"]);
}
