//! The line editor: keys, history, what is drawn while somebody types.

use std::cell::RefCell;
use std::rc::Rc;

use rustyline::config::{BellStyle, Configurer as _};
use rustyline::error::ReadlineError;
use rustyline::hint::HistoryHinter;
use rustyline::history::{FileHistory, History as _, SearchDirection};
use rustyline::{ColorMode, CompletionType, Config, Editor as Lines, ExternalPrinter as _};

use super::completion::Completion;
use super::helper::{Desk, End};
use super::highlight::Colours;
use super::hints::Hints;
use super::history::{Keeping, MOST};
use super::prompt::Prompt;
use crate::error::{Exit, Fault};
use crate::run::Conversation;
use crate::talk::Voice;
use crate::text::Paint;

/// What came of asking for a line.
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C; whether there was nothing on the line.
    Interrupted {
        was_empty: bool,
    },
    /// Ctrl-D, or the terminal is gone.
    End,
}

pub(super) struct Editor {
    lines: Lines<Desk, FileHistory>,
    prompt: Prompt,
    keeping: Option<Keeping>,
    /// The line as it was last seen.
    seen: Rc<RefCell<String>>,
    voice: Voice,
    /// What stands on the next line already.
    initial: String,
}

impl Editor {
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new(talk: &Conversation, prompt: Prompt, paint: Paint) -> Result<Self, Fault> {
        let colours = match paint {
            Paint::Coloured => ColorMode::Forced,
            Paint::Plain => ColorMode::Disabled,
        };
        let config = Config::builder()
            .auto_add_history(false)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            .color_mode(colours)
            .tab_stop(4)
            .build();
        let history = FileHistory::with_config(&config);
        let mut lines = Lines::with_history(config, history).map_err(|error| unusable(&error))?;
        let _ = lines.history_mut().set_max_len(MOST);
        let _ = lines.history_mut().ignore_dups(true);
        lines
            .set_max_history_size(MOST)
            .map_err(|error| unusable(&error))?;
        let keeping = Keeping::new(&talk.state.typed_history(), &talk.world);
        let keeping = Some(keeping).filter(Keeping::is_private);
        if let Some(keeping) = &keeping {
            // One that cannot be read is as good as none.
            let _ = lines.load_history(&keeping.file);
        }
        let seen = Rc::<RefCell<String>>::default();
        lines.set_helper(Some(Desk {
            completion: Completion {
                console: talk.shared_console(),
            },
            hints: Hints {
                console: talk.shared_console(),
                history: HistoryHinter::new(),
                line: seen.clone(),
            },
            colours: Colours {
                prompt: prompt.clone(),
                paint,
            },
            end: End,
        }));
        Ok(Self {
            lines,
            prompt,
            keeping,
            seen,
            voice: talk.voice.clone(),
            initial: String::new(),
        })
    }

    /// The next line, or the next lines where one asks for more.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub(super) fn read(&mut self) -> Result<Typed, Fault> {
        self.seen.borrow_mut().clear();
        // What is said meanwhile goes above the line. Where there is no terminal to do that on, it is said as ever.
        if let Ok(mut printer) = self.lines.create_external_printer() {
            self.voice.typing(Some(Box::new(move |line| {
                let _ = printer.print(format!("{line}\n"));
            })));
        }
        let prompt = self.prompt.plain();
        let initial = std::mem::take(&mut self.initial);
        let read = if initial.is_empty() {
            self.lines.readline(&prompt)
        } else {
            self.lines.readline_with_initial(&prompt, (&initial, ""))
        };
        self.voice.typing(None);
        match read {
            Ok(line) => {
                self.keep(&line);
                Ok(Typed::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted {
                was_empty: self.seen.borrow().trim().is_empty(),
            }),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(unusable(&error)),
        }
    }

    /// Puts something on the next line, to be looked at before it is run.
    pub(super) fn offer(&mut self, text: &str) {
        text.clone_into(&mut self.initial);
    }

    fn keep(&mut self, line: &str) {
        let Some(keeping) = self.keeping.as_ref().filter(|keeping| keeping.keeps(line)) else {
            return;
        };
        if self
            .lines
            .add_history_entry(line.trim_end())
            .unwrap_or(false)
        {
            // At once: a conversation may be killed.
            let _ = self.lines.append_history(&keeping.file);
        }
    }

    /// What was typed, the newest last.
    pub(super) fn history(&self, most: usize) -> Vec<String> {
        let history = self.lines.history();
        let first = history.len().saturating_sub(most);
        (first..history.len())
            .filter_map(|index| history.get(index, SearchDirection::Forward).ok()?)
            .map(|entry| entry.entry.into_owned())
            .collect()
    }
}

fn unusable(error: &ReadlineError) -> Fault {
    let message = format!("the terminal cannot be used: {error}");
    Fault::new(Exit::Unstarted, "NoTerminal", message)
        .hint("a script can be piped in: `runback repl < script.rhai`")
}
