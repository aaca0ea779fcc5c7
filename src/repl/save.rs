//! `:save FILE`: what has worked in the conversation, as a runbook with a header, its arguments guessed from what was typed.

mod guess;
mod write;

use std::path::{Path, PathBuf};

use super::commands::unquoted;
use super::{Outcome, Repl, Then};
use crate::error::{Exit, Fault};
use crate::run::replace;
use crate::script;
use crate::talk::{Reply, Talk as _};
use crate::text;

/// A statement that has worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) typed: String,
    /// It became the last value.
    pub(super) has_value: bool,
}

impl Kept {
    pub(super) fn new(typed: &str, has_value: bool) -> Self {
        Self {
            typed: typed.trim().to_owned(),
            has_value,
        }
    }
}

pub(super) fn command(repl: &mut Repl, file: &str) -> Outcome {
    let fault = |message: String| Fault::new(Exit::Unstarted, "NotSaved", message);
    let name = unquoted(file);
    if name.is_empty() {
        return Err(vec![
            fault("`:save` wants a file".to_owned()).hint("for example `:save night.rhai`"),
        ]);
    }
    let mut path = PathBuf::from(&name);
    if path.extension().is_none() {
        path.set_extension("rhai");
    }
    if repl.kept.is_empty() {
        return Err(vec![fault(
            "there is nothing to save: no statement has worked yet".to_owned(),
        )]);
    }
    if path.exists() && !repl.saved.contains(&path) {
        let question = format!("`{}` is there already: replace it?", path.display());
        let reply = repl.talk.within(|| repl.talk.voice.ask(&question, false));
        if reply != Reply::Yes {
            return Err(vec![
                fault(format!("`{}` was left as it is", path.display()))
                    .hint("give it another name"),
            ]);
        }
    }
    let day = repl.talk.world.clock.now().strftime("%Y-%m-%d").to_string();
    let shown = path.display().to_string();
    let book = runbook(&repl.kept, &shown, &day, &path)?;
    replace(&path, book.text.as_bytes())
        .map_err(|error| vec![fault(format!("`{shown}` cannot be written: {error}"))])?;
    repl.saved.push(path);
    let arguments = if book.arguments.is_empty() {
        "without arguments".to_owned()
    } else {
        format!("with the arguments {}", book.arguments.join(", "))
    };
    let count = repl.kept.len();
    repl.talk.voice.note(&format!(
        "{} statement{} in `{shown}`, {arguments}; `runback check {shown}` finds nothing wrong with it",
        text::number(count as u64),
        if count == 1 { "" } else { "s" },
    ));
    Ok(Then::On)
}

struct Book {
    text: String,
    arguments: Vec<String>,
}

/// With guessed arguments where that is right, without where it is not.
fn runbook(kept: &[Kept], name: &str, day: &str, path: &Path) -> Result<Book, Vec<Fault>> {
    let statements = write::statements(kept);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let roots = vec![folder.unwrap_or(Path::new(".")).to_owned()].into();
    let errors = |text: &str| -> Vec<Fault> {
        let examined = script::examine(name, text.as_bytes(), &roots);
        examined.errors().cloned().collect()
    };
    let (body, guesses) = guess::arguments(&statements);
    let text = write::whole(&body, &guesses, day);
    if errors(&text).is_empty() {
        let arguments = guesses.iter().map(|guess| format!("`{}`", guess.name));
        return Ok(Book {
            text,
            arguments: arguments.collect(),
        });
    }
    let text = write::whole(&statements, &[], day);
    let mut found = errors(&text);
    if found.is_empty() {
        return Ok(Book {
            text,
            arguments: Vec::new(),
        });
    }
    found.insert(
        0,
        Fault::new(
            Exit::Unstarted,
            "NotSaved",
            "what has worked here does not stand alone as a runbook; nothing was written",
        )
        .hint("something it needs came from a statement that failed half-way: type that part again, and save then"),
    );
    Err(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(typed: &[(&str, bool)]) -> String {
        let kept: Vec<Kept> = typed
            .iter()
            .map(|(typed, has_value)| Kept::new(typed, *has_value))
            .collect();
        let book = runbook(&kept, "x.rhai", "2026-11-24", Path::new("x.rhai"));
        book.map_or_else(|faults| format!("{faults:?}"), |book| book.text)
    }

    #[test]
    fn a_conversation_becomes_a_runbook() {
        let text = saved(&[
            ("groups::members(\"Finance\")", true),
            (
                "let rows = exchange::points_before(it, now() - duration(\"24h\"))",
                false,
            ),
            ("rows.count_by(\"code\")", true),
            (
                "let session = exchange::create_session(rows, \"new\");",
                false,
            ),
            ("session.activate(); // asks", true),
        ]);
        insta::assert_snapshot!(text, @r#"
        //! What has worked in a conversation of 2026-11-24.
        //!
        //! @param group       string = "Finance"  Entra group, by display name or id
        //! @param before      datetime = -24h     the instant
        //! @param destination string = "new"      "new" (beside what is there) or "inPlace" (over it)

        let it = groups::members(args.group);
        let rows = exchange::points_before(it, args.before);
        rows.count_by("code");
        let session = exchange::create_session(rows, args.destination);
        session.activate(); // asks
        "#);
    }

    #[test]
    fn functions_constants_and_blocks_stand_as_they_were_typed() {
        let text = saved(&[
            ("const MOST = 3", false),
            ("fn few(list) {\n    list.first(global::MOST)\n}", false),
            ("if true { few(users::list()) }", true),
            ("fn few(list) { list.first(1) }", false),
            ("let when = datetime(\"2026-11-20T03:00:00Z\")", false),
        ]);
        insta::assert_snapshot!(text, @r#"
        //! What has worked in a conversation of 2026-11-24.
        //!
        //! @param before datetime = "2026-11-20T03:00:00Z"  the instant

        const MOST = 3;
        if true { few(users::list()) }
        fn few(list) { list.first(1) }
        let when = args.before;
        "#);
    }

    #[test]
    fn what_does_not_stand_alone_is_not_saved() {
        assert!(saved(&[("x + 1", true)]).contains("does not stand alone"));
    }
}
