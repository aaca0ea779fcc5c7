//! A place in a text that is being parsed, and the steps that filters and expressions have in common.

/// Deeper nesting than a person writes; the parsers recurse.
const MAX_DEPTH: u32 = 64;

/// What is left of a text.
pub(super) struct Cursor<'text> {
    pub(super) rest: &'text str,
    /// What the whole is called: `filter`, `expression`.
    what: &'static str,
    depth: u32,
}

impl<'text> Cursor<'text> {
    pub(super) fn new(text: &'text str, what: &'static str) -> Self {
        Self {
            rest: text,
            what,
            depth: 0,
        }
    }

    pub(super) fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Goes one level in.
    pub(super) fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("the {} is nested too deeply", self.what));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Takes a mark where it stands here.
    pub(super) fn mark(&mut self, mark: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(mark) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    pub(super) fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.mark(mark) {
            Ok(())
        } else {
            Err(format!("`{mark}` is missing, {}", self.unexpected()))
        }
    }

    /// Takes a word of letters, digits and these marks.
    pub(super) fn word(&mut self, marks: &str) -> Result<&'text str, String> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || marks.contains(c)))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.unexpected());
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    /// Takes a text in single quotes where one begins here.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, String> {
        self.skip();
        let Some(mut rest) = self.rest.strip_prefix('\'') else {
            return Ok(None);
        };
        let mut text = String::new();
        loop {
            let (piece, after) = rest.split_once('\'').ok_or("a quote is not closed")?;
            text.push_str(piece);
            // Two quotes in a row are one quote of the text.
            if let Some(more) = after.strip_prefix('\'') {
                text.push('\'');
                rest = more;
            } else {
                self.rest = after;
                return Ok(Some(text));
            }
        }
    }

    pub(super) fn unexpected(&self) -> String {
        let rest = self.rest.trim_start();
        if rest.is_empty() {
            return format!("the {} ends too early", self.what);
        }
        format!("unexpected `{}`", rest.chars().take(20).collect::<String>())
    }
}
