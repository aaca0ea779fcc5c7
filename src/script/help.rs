//! The help of a function, read out of the comment at its registration.
//!
//! ```text
//! What it does, in sentences.
//!
//! - `item`: what an argument means.
//! - Options: `after` (…), `limit` (…).
//! - Returns what the signature does not say.
//! - Throws `NoUnit`, and whatever else can go wrong.
//! - Anything else worth knowing.
//! - Policy class: read. Graph: GET restorePoints. Permission: BackupRestore-Search.Read.All.
//!
//! ```rhai
//! an example that runs
//! ```
//! ```

/// What a function may do to the tenant at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It does not talk to the tenant.
    Nothing,
    Read,
    Draft,
    Activate,
    Delete,
    /// Decided by what is called: the path of a `graph::` call.
    Path,
    /// Decided by what its closure calls.
    Closure,
    /// It sends what the stream reads.
    Stream,
}

const REACHES: [(&str, Reach); 8] = [
    ("none", Reach::Nothing),
    ("read", Reach::Read),
    ("draft", Reach::Draft),
    ("activate", Reach::Activate),
    ("delete", Reach::Delete),
    ("change", Reach::Path),
    ("that of what the closure calls", Reach::Closure),
    ("that of what is read", Reach::Stream),
];

impl Reach {
    /// As a policy file and the help name it.
    pub(crate) fn name(self) -> &'static str {
        REACHES
            .iter()
            .find(|(_, reach)| *reach == self)
            .map_or("", |(name, _)| name)
    }
}

/// Help in its parts. Texts are Markdown, on one line each but for the example.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Help {
    /// What it does; paragraphs stand apart by an empty line.
    pub(crate) text: String,
    /// By name.
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) options: Option<String>,
    pub(crate) returns: Option<String>,
    pub(crate) throws: Option<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) reach: Option<Reach>,
    /// `POST restorePoints/search`: method and path below the service's root (or Graph's, for users and groups).
    pub(crate) graph: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) example: Option<String>,
}

impl Help {
    pub(crate) fn read(doc: &str) -> Self {
        let (doc, example) = match doc.split_once("```rhai\n") {
            Some((doc, rest)) => {
                let example = rest.split("```").next().unwrap_or(rest);
                (doc, Some(example.trim_end().to_owned()))
            }
            None => (doc, None),
        };
        let mut help = Self {
            example,
            ..Self::default()
        };
        let mut text: Vec<String> = Vec::new();
        for block in doc
            .split("\n\n")
            .map(str::trim)
            .filter(|block| !block.is_empty())
        {
            if block.starts_with("- ") {
                for bullet in bullets(block) {
                    help.bullet(&bullet);
                }
            } else {
                text.push(block.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        help.text = text.join("\n\n");
        help
    }

    fn bullet(&mut self, bullet: &str) {
        if let Some(options) = bullet.strip_prefix("Options: ") {
            self.options = Some(options.to_owned());
        } else if bullet.starts_with("Returns ") {
            self.returns = Some(bullet.to_owned());
        } else if bullet.starts_with("Throws ") {
            self.throws = Some(bullet.to_owned());
        } else if bullet.starts_with("Policy class: ") {
            self.reach(bullet);
        } else if let Some((name, text)) = bullet
            .strip_prefix('`')
            .and_then(|rest| rest.split_once("`: "))
        {
            self.arguments.push((name.to_owned(), text.to_owned()));
        } else {
            self.notes.push(bullet.to_owned());
        }
    }

    fn reach(&mut self, line: &str) {
        // Sentences end in a stop and a space: names of permissions have stops inside.
        for sentence in line.trim_end_matches('.').split(". ") {
            let names = |names: &str| names.split(", ").map(str::to_owned).collect();
            if let Some(class) = sentence.strip_prefix("Policy class: ") {
                self.reach = REACHES
                    .iter()
                    .find(|(name, _)| *name == class)
                    .map(|(_, reach)| *reach);
            } else if let Some(graph) = sentence.strip_prefix("Graph: ") {
                self.graph = names(graph);
            } else if let Some(permissions) = sentence
                .strip_prefix("Permission: ")
                .or_else(|| sentence.strip_prefix("Permissions: "))
            {
                self.permissions = names(permissions);
            } else {
                self.notes.push(format!("{sentence}."));
            }
        }
    }

    /// Adds what an overload says of itself.
    pub(crate) fn join(&mut self, other: Self) {
        if self.text.is_empty() {
            *self = other;
            return;
        }
        if !other.text.is_empty() {
            self.text = format!("{}\n\n{}", self.text, other.text);
        }
        add(&mut self.arguments, other.arguments);
        add(&mut self.notes, other.notes);
        add(&mut self.graph, other.graph);
        add(&mut self.permissions, other.permissions);
        self.options = match (self.options.take(), other.options) {
            (Some(one), Some(two)) => Some(wider(one, two)),
            (one, two) => one.or(two),
        };
        self.returns = self.returns.take().or(other.returns);
        self.throws = match (self.throws.take(), other.throws) {
            (Some(one), Some(two)) if one != two => {
                let two = two.strip_prefix("Throws ").unwrap_or(&two).to_owned();
                Some(format!("{}; {two}", one.trim_end_matches('.')))
            }
            (one, two) => one.or(two),
        };
        self.reach = self.reach.or(other.reach);
        self.example = match (self.example.take(), other.example) {
            (Some(one), Some(two)) => Some(format!("{one}\n\n{two}")),
            (one, two) => one.or(two),
        };
    }

    /// The options it names, in their order: what stands between backticks outside brackets. What brackets hold are the values of an
    /// option, or what it means.
    pub(crate) fn option_names(&self) -> Vec<&str> {
        let options = self.options.as_deref().unwrap_or_default();
        let mut names: Vec<&str> = Vec::new();
        let mut depth = 0_usize;
        for (number, part) in options.split('`').enumerate() {
            if number % 2 == 0 {
                depth =
                    (depth + part.matches('(').count()).saturating_sub(part.matches(')').count());
                continue;
            }
            // `name`, or `name: value`.
            let name = part.split(':').next().unwrap_or_default();
            let is_name = !part.contains("::")
                && !name.is_empty()
                && name
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '_');
            if depth == 0 && is_name && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The first sentence of the text, without its stop: what a list shows.
    pub(crate) fn summary(&self) -> &str {
        let first = self.text.split("\n\n").next().unwrap_or_default();
        first
            .split_once(". ")
            .map_or(first.trim_end_matches('.'), |(sentence, _)| sentence)
    }
}

/// The options of two overloads: those of the one that has all of the other, or both.
fn wider(one: String, two: String) -> String {
    let help = |options: &str| Help {
        options: Some(options.to_owned()),
        ..Help::default()
    };
    let (first, second) = (help(&one), help(&two));
    let (first, second) = (first.option_names(), second.option_names());
    if second.iter().all(|name| first.contains(name)) {
        one
    } else if first.iter().all(|name| second.contains(name)) {
        two
    } else {
        format!("{}, {two}", one.trim_end_matches('.'))
    }
}

fn add<T: PartialEq>(known: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !known.contains(&item) {
            known.push(item);
        }
    }
}

/// Each bullet on one line; lines without a bullet go on with the one before.
fn bullets(block: &str) -> Vec<String> {
    let mut bullets: Vec<String> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("- "), bullets.last_mut()) {
            (Some(bullet), _) => bullets.push(bullet.trim().to_owned()),
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            (None, None) => {}
        }
    }
    bullets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_read_into_its_parts() {
        let help = Help::read(
            "Waits until the session ends. Returns\nit.\n\nIt may be long.\n\n- `timeout`: give up\n  after this long.\n- Options: `a`, `b`.\n- Throws `Timeout`.\n- One more thing.\n- Policy class: read. Graph: GET restoreSessions/{id}, POST restorePoints/search. Permissions: BackupRestore-Restore.Read.All, BackupRestore-Search.Read.All. Files only there.\n\n```rhai\nsession.wait();\nprint(1);\n```",
        );
        assert_eq!(
            help,
            Help {
                text: "Waits until the session ends. Returns it.\n\nIt may be long.".into(),
                arguments: vec![("timeout".into(), "give up after this long.".into())],
                options: Some("`a`, `b`.".into()),
                returns: None,
                throws: Some("Throws `Timeout`.".into()),
                notes: vec!["One more thing.".into(), "Files only there.".into()],
                reach: Some(Reach::Read),
                graph: vec![
                    "GET restoreSessions/{id}".into(),
                    "POST restorePoints/search".into()
                ],
                permissions: vec![
                    "BackupRestore-Restore.Read.All".into(),
                    "BackupRestore-Search.Read.All".into()
                ],
                example: Some("session.wait();\nprint(1);".into()),
            }
        );
        assert_eq!(help.summary(), "Waits until the session ends");
        assert_eq!(help.option_names(), ["a", "b"]);
    }

    fn with_options(options: &str) -> Help {
        Help::read(&format!("It does.\n\n- Options: {options}"))
    }

    #[test]
    fn options_are_what_stands_outside_brackets() {
        let help = with_options(
            "`query` (needed: `(a -eq 'b')`, also with `recipient`), `window: #{after, before}` (`before` is strict), `top` as `users::list` has it.",
        );
        assert_eq!(help.option_names(), ["query", "window", "top"]);
    }

    #[test]
    fn options_of_all_overloads_are_named() {
        for (one, two, both) in [
            (
                "`version`.",
                "`size` (most), `version`.",
                "`size` (most), `version`.",
            ),
            ("`size`, `version`.", "`version`.", "`size`, `version`."),
            ("`size`.", "`version`.", "`size`, `version`."),
        ] {
            let mut help = with_options(one);
            help.join(with_options(two));
            assert_eq!(help.options.as_deref(), Some(both));
        }
    }
}
