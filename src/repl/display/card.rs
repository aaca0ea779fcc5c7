//! One object or map: a line for each property that it has.

use std::fmt::Write as _;

use rhai::{Dynamic, Map};

use super::{Screen, cell, session, size};
use crate::script::api::globals::columns_of;
use crate::script::api::rows::column;
use crate::script::values::Object;
use crate::text;

pub(super) fn object(screen: &Screen, object: &Object) -> String {
    let value = Dynamic::from(object.clone());
    let mut names = columns_of(std::slice::from_ref(&value));
    // What the host knows better than the JSON.
    for name in object.names() {
        if ["status", "count", "workload"].contains(&name)
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    let pairs: Vec<(String, Dynamic)> = names
        .into_iter()
        .map(|name| {
            let value = column(&value, &name).unwrap_or_default();
            (name, value)
        })
        // Shown as a bar.
        .filter(|(name, value)| !value.is_unit() && name != "restoreSessionArtifactCount")
        .collect();
    let title = screen.paint.bold(object.kind().words());
    let mut out = match session::bar(object, 30) {
        Some(bar) => format!("{title}  {bar}\n"),
        None => format!("{title}\n"),
    };
    out.push_str(&lines(screen, &pairs));
    out
}

pub(super) fn map(screen: &Screen, map: &Map) -> String {
    if map.is_empty() {
        return "#{}".to_owned();
    }
    let pairs: Vec<(String, Dynamic)> = map
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    lines(screen, &pairs)
}

fn lines(screen: &Screen, pairs: &[(String, Dynamic)]) -> String {
    let (width, _) = size();
    let names = pairs.iter().map(|(name, _)| text::width(name)).max();
    let names = names.unwrap_or(0).min(width / 2);
    let mut out = String::new();
    for (name, value) in pairs {
        let name = text::fit(name, names).into_owned();
        let pad = " ".repeat(names.saturating_sub(text::width(&name)));
        let value = text::one_line(&cell::short(value, screen.times)).into_owned();
        let room = width.saturating_sub(names + 4);
        let _ = writeln!(
            out,
            "  {}{pad}  {}",
            screen.paint.cyan(&name),
            text::fit(&value, room)
        );
    }
    out
}
