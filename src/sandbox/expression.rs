//! The service's own language of conditions: `(name -contains 'x') -and (hasAttachment -eq true)`.
//!
//! ```text
//! any      = all { "-or" all }
//! all      = one { "-and" one }
//! one      = "(" any ")" | property "-any" "(" any ")" | property operator value
//! value    = 'text' | true | false | "[" 'text' { "," 'text' } "]"
//! ```

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// `memberOf -any (…)`
    Any(String, Box<Expression>),
    Term(Term),
}

/// One comparison. The operator comes without its dash and in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) property: String,
    pub(super) operator: String,
    pub(super) value: Operand,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Text(String),
    Flag(bool),
    List(Vec<String>),
}

impl Expression {
    /// Reads a condition.
    ///
    /// # Errors
    /// Says what is wrong, and near which characters.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            rest: text,
            depth: 0,
        };
        let expression = parser.any()?;
        if parser.rest.trim().is_empty() {
            Ok(expression)
        } else {
            Err(parser.unexpected())
        }
    }

    /// All comparisons in it.
    pub(super) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => [one.terms(), other.terms()].concat(),
            Self::Any(_, inner) => inner.terms(),
            Self::Term(term) => vec![term],
        }
    }
}

struct Parser<'text> {
    rest: &'text str,
    depth: u32,
}

/// Deeper nesting than a person writes; the parser recurses.
const MAX_DEPTH: u32 = 64;

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, String> {
        let mut left = self.all()?;
        while self.operator("-or") {
            left = Expression::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut left = self.one()?;
        while self.operator("-and") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the expression is nested too deeply".into());
        }
        let expression = if self.mark('(') {
            let inner = self.any()?;
            self.expect(')')?;
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn term(&mut self) -> Result<Expression, String> {
        let property = self.word()?;
        let operator = self.word()?.to_ascii_lowercase();
        let Some(operator) = operator.strip_prefix('-') else {
            return Err(format!("`{operator}` is no operator: they begin with `-`"));
        };
        if operator == "any" {
            self.expect('(')?;
            let inner = self.any()?;
            self.expect(')')?;
            return Ok(Expression::Any(property, Box::new(inner)));
        }
        Ok(Expression::Term(Term {
            property,
            operator: operator.to_owned(),
            value: self.operand()?,
        }))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.mark('[') {
            let mut values = vec![self.text()?];
            while self.mark(',') {
                values.push(self.text()?);
            }
            self.expect(']')?;
            return Ok(Operand::List(values));
        }
        self.skip();
        if self.rest.starts_with('\'') {
            return Ok(Operand::Text(self.text()?));
        }
        match self.word()?.to_ascii_lowercase().as_str() {
            "true" => Ok(Operand::Flag(true)),
            "false" => Ok(Operand::Flag(false)),
            other => Err(format!("`{other}` is no value: texts stand in '…'")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        self.skip();
        let Some(mut rest) = self.rest.strip_prefix('\'') else {
            return Err(self.unexpected());
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
                return Ok(text);
            }
        }
    }

    fn word(&mut self) -> Result<String, String> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c)))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.unexpected());
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word.to_owned())
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a joining operator that ends where a word ends.
    fn operator(&mut self, operator: &str) -> bool {
        self.skip();
        let Some((start, after)) = self.rest.split_at_checked(operator.len()) else {
            return false;
        };
        let whole = after.starts_with(|c: char| c.is_whitespace() || c == '(');
        if start.eq_ignore_ascii_case(operator) && whole {
            self.rest = after;
            return true;
        }
        false
    }

    fn mark(&mut self, mark: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(mark) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.mark(mark) {
            Ok(())
        } else {
            Err(format!("`{mark}` is missing, {}", self.unexpected()))
        }
    }

    fn unexpected(&self) -> String {
        let rest = self.rest.trim_start();
        if rest.is_empty() {
            return "the expression ends too early".into();
        }
        format!("unexpected `{}`", rest.chars().take(20).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_forms_read() {
        for (text, terms) in [
            ("(name -contains 'contoso')", 1),
            (
                "(Sender -like 'abc@contoso.com') -and (HasAttachment -eq 'true')",
                2,
            ),
            (
                "((subject -contains 'a') -or (subject -contains 'b')) -and (sender -eq 'x@y') -and hasAttachment -eq true",
                4,
            ),
            ("(memberOf -any (group.id -in ['1', '2']))", 1),
            (
                "((displayName -contains 'Finance')  -or  (displayName -contains 'Legal'))",
                2,
            ),
        ] {
            let expression = Expression::parse(text).expect(text);
            assert_eq!(expression.terms().len(), terms, "{text}");
        }
        let quoted = Expression::parse("name -contains 'it''s'").expect("it reads");
        assert_eq!(quoted.terms()[0].value, Operand::Text("it's".into()));
    }

    #[test]
    fn broken_ones_are_turned_down() {
        for text in [
            "",
            "name",
            "name -contains",
            "name contains 'x'",
            "name -contains x",
            "name -contains 'x",
            "name -contains ‘x’",
            "(name -contains 'x'",
            "name -contains 'x' 'y'",
            "name -contains 'x' -and",
            "group.id -in []",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}a -eq 'b'", "(".repeat(100));
        assert!(Expression::parse(&deep).is_err());
    }
}
