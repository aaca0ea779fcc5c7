//! Names of files and folders, inside quotes and behind commands.

use std::fs;
use std::path::Path;

use super::Choice;

/// What the beginning of a path can become. Hidden ones only where a dot asks for them.
pub(super) fn choices(typed: &str) -> Vec<Choice> {
    let (folder, prefix) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let inside = if folder.is_empty() { "." } else { folder };
    let Ok(entries) = fs::read_dir(Path::new(inside)) else {
        return Vec::new();
    };
    let mut found: Vec<Choice> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_wanted = name.starts_with(prefix)
                && (!name.starts_with('.') || prefix.starts_with('.'))
                && !name.chars().any(char::is_control);
            if !is_wanted {
                return None;
            }
            let is_folder = entry.path().is_dir();
            let end = if is_folder { "/" } else { "" };
            Some(Choice::new(
                format!("{folder}{name}{end}"),
                format!("{name}{end}"),
            ))
        })
        .collect();
    found.sort_by(|one, other| one.put.cmp(&other.put));
    found
}
