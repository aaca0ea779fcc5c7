//! Codes: what a row, the books or an error says in one word, and what to do about it.

use std::sync::LazyLock;

use serde_json::json;

use super::Page;

/// One code.
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) advice: Option<&'static str>,
}

const GROUPS: [(&str, &str); 5] = [
    ("row", "Why a row has no restore point"),
    ("book", "Why an item was skipped, or is unknown"),
    ("graph", "Of the service, as it publishes them"),
    ("script", "Of a call in a script"),
    ("run", "Of the run itself"),
];

pub(crate) fn codes() -> &'static [Code] {
    static ALL: LazyLock<Vec<Code>> = LazyLock::new(|| {
        include_str!("codes.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, rest) = line.split_once(' ')?;
                let (group, rest) = rest.split_once(' ')?;
                let (meaning, advice) = match rest.split_once(" | ") {
                    Some((meaning, advice)) => (meaning, Some(advice)),
                    None => (rest, None),
                };
                Some(Code {
                    name,
                    group,
                    meaning,
                    advice,
                })
            })
            .collect()
    });
    &ALL
}

impl Code {
    fn said(&self) -> String {
        match self.advice {
            Some(advice) => format!("{} {}", self.meaning, sentence(advice)),
            None => self.meaning.to_owned(),
        }
    }

    pub(crate) fn page(&self) -> Page {
        let group = GROUPS
            .iter()
            .find(|(group, _)| *group == self.group)
            .map_or("", |(_, words)| words);
        let advice = self
            .advice
            .map_or(String::new(), |advice| format!("\n{}\n", sentence(advice)));
        Page {
            name: self.name.to_owned(),
            text: format!(
                "# {}\n\n{}\n{advice}\nA code ({}). `runback doc codes` lists all.\n",
                self.name,
                self.meaning,
                lower(group)
            ),
            data: json!({"kind": "code", "name": self.name, "group": self.group, "text": self.meaning, "advice": self.advice}),
        }
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// All of them on one page.
pub(crate) fn page() -> Page {
    let mut text = "# codes\n\nOne word says what became of an item, or what went wrong: in a row's `code`, in the books and reports, in `e.code`. Graph's codes are spelt as Graph publishes them, and the service may have more.\n".to_owned();
    for (group, words) in GROUPS {
        text.push_str(&format!("\n{words}:\n\n"));
        for code in codes().iter().filter(|code| code.group == group) {
            text.push_str(&super::line(code.name, &code.said()));
        }
    }
    Page {
        name: "codes".to_owned(),
        text,
        data: json!({"kind": "topic", "name": "codes", "codes": codes().iter().map(|code| code.page().data).collect::<Vec<_>>()}),
    }
}
