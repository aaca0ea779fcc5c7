//! What there is: `:vars`, `:type`, `:time`, `:more`, `:times`, `:history`.

use std::fmt::Write as _;
use std::time::Duration;

use super::bad;
use crate::repl::completion::sort_of;
use crate::repl::display::{Times, short, size};
use crate::repl::{Outcome, Repl, Then};
use crate::script::values::Stream;
use crate::script::words;
use crate::text;

#[allow(clippy::unnecessary_wraps)] // all commands have one shape
pub(super) fn vars(repl: &mut Repl, _: &str) -> Outcome {
    let (width, _) = size();
    let console = repl.talk.console();
    let mut out = String::new();
    let variables = console.variables();
    let names = variables.iter().map(|(name, ..)| text::width(name)).max();
    let names = names.unwrap_or(0);
    for (name, is_constant, value) in &variables {
        let kind = match (is_constant, words::kind(value)) {
            (true, kind) => format!("{kind}, constant"),
            (false, kind) => kind.to_owned(),
        };
        let shown = short(value, repl.screen.times);
        let line = format!("{name:names$}  {kind:24}  {}", text::one_line(&shown));
        let _ = writeln!(out, "{}", text::fit(&line, width));
    }
    for function in console.functions() {
        let _ = writeln!(out, "fn {}({})", function.name, function.params.join(", "));
    }
    for (alias, functions) in console.imports() {
        let names: Vec<&str> = functions
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        let line = format!("import {alias}: {}", names.join(", "));
        let _ = writeln!(out, "{}", text::fit(&line, width));
    }
    drop(console);
    if out.is_empty() {
        out.push_str("(nothing yet: `let x = users::list();` makes a variable)");
    }
    repl.screen.page(&out);
    Ok(Then::On)
}

pub(super) fn kind(repl: &mut Repl, expression: &str) -> Outcome {
    if expression.is_empty() {
        return Err(vec![
            bad("`:type` wants something to look at").hint("for example `:type it`"),
        ]);
    }
    let expression = expression.trim_end_matches(';');
    let sort = sort_of(&repl.talk.console(), expression);
    let Some(sort) = sort else {
        let fault = bad(format!(
            "what `{expression}` is cannot be told without running it"
        ));
        return Err(vec![
            fault.hint("type it as a statement, and then `:type it`"),
        ]);
    };
    let graph = sort.kind.map_or("", crate::script::values::Kind::name);
    let shown = if graph.is_empty() || graph == sort.words {
        sort.words
    } else {
        format!("{} ({graph})", sort.words)
    };
    repl.screen.say(&shown);
    Ok(Then::On)
}

pub(super) fn time(repl: &mut Repl, statement: &str) -> Outcome {
    if statement.is_empty() {
        return Err(vec![
            bad("`:time` wants a statement").hint("for example `:time exchange::units().count()`"),
        ]);
    }
    let client = repl.talk.tenant().client.clone();
    let (begun, sent) = (repl.talk.world.clock.now(), client.requests().sent);
    let outcome = repl.statement(statement);
    let took = repl.talk.world.clock.now().duration_since(begun);
    let took = Duration::try_from(took).unwrap_or_default();
    let sent = client.requests().sent - sent;
    let requests = if sent == 1 { "request" } else { "requests" };
    let shown = if took < Duration::from_millis(50) {
        format!("{} ms", took.as_millis())
    } else {
        text::time(took)
    };
    repl.screen.say(&format!("took {shown}, {sent} {requests}"));
    outcome.map(|()| Then::On)
}

pub(super) fn more(repl: &mut Repl, _: &str) -> Outcome {
    if repl.last.is_unit() {
        return Err(vec![bad("there is no last value yet")]);
    }
    let mut value = repl.last.clone();
    let stream = value.read_lock::<Stream>().map(|stream| stream.clone());
    if let Some(stream) = stream {
        let items: Result<rhai::Array, _> = repl.talk.within(|| stream.read().collect());
        value = items
            .map_err(|failure| vec![repl.talk.reason().unwrap_or_else(|| failure.fault())])?
            .into();
    }
    repl.screen.whole(&value);
    Ok(Then::On)
}

pub(super) fn times(repl: &mut Repl, which: &str) -> Outcome {
    repl.screen.times = match which {
        "local" => Times::Local,
        "utc" => Times::Utc,
        _ => return Err(vec![bad("`:times` wants `local` or `utc`")]),
    };
    Ok(Then::On)
}

pub(super) fn history(repl: &mut Repl, most: &str) -> Outcome {
    let most = if most.is_empty() {
        20
    } else {
        most.parse::<usize>()
            .map_err(|_| vec![bad(format!("`{most}` is no number"))])?
    };
    let Some(editor) = &repl.editor else {
        return Err(vec![bad("there is no history of what comes out of a pipe")]);
    };
    let entries = editor.history(most);
    let out: Vec<String> = entries
        .iter()
        .map(|entry| text::shown(&entry.replace('\n', "\n    ")).into_owned())
        .collect();
    repl.screen.page(&out.join("\n"));
    Ok(Then::On)
}
