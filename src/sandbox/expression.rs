//! The service's own language of conditions: `(name -contains 'x') -and (hasAttachment -eq true)`.
//!
//! ```text
//! any      = all { "-or" all }
//! all      = one { "-and" one }
//! one      = "(" any ")" | property "-any" "(" any ")" | property operator value
//! value    = 'text' | true | false | "[" 'text' { "," 'text' } "]"
//! ```

use super::cursor::Cursor;

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
        let mut parser = Parser(Cursor::new(text, "expression"));
        let expression = parser.any()?;
        if parser.0.rest.trim().is_empty() {
            Ok(expression)
        } else {
            Err(parser.0.unexpected())
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

struct Parser<'text>(Cursor<'text>);

/// What a word holds beside letters and digits.
const WORD: &str = "-._";

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
        self.0.enter()?;
        let expression = if self.0.mark('(') {
            let inner = self.any()?;
            self.0.expect(')')?;
            inner
        } else {
            self.term()?
        };
        self.0.leave();
        Ok(expression)
    }

    fn term(&mut self) -> Result<Expression, String> {
        let property = self.0.word(WORD)?.to_owned();
        let operator = self.0.word(WORD)?.to_ascii_lowercase();
        let Some(operator) = operator.strip_prefix('-') else {
            return Err(format!("`{operator}` is no operator: they begin with `-`"));
        };
        if operator == "any" {
            self.0.expect('(')?;
            let inner = self.any()?;
            self.0.expect(')')?;
            return Ok(Expression::Any(property, Box::new(inner)));
        }
        Ok(Expression::Term(Term {
            property,
            operator: operator.to_owned(),
            value: self.operand()?,
        }))
    }

    fn text(&mut self) -> Result<String, String> {
        self.0.quoted()?.ok_or_else(|| self.0.unexpected())
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.0.mark('[') {
            let mut values = vec![self.text()?];
            while self.0.mark(',') {
                values.push(self.text()?);
            }
            self.0.expect(']')?;
            return Ok(Operand::List(values));
        }
        if let Some(text) = self.0.quoted()? {
            return Ok(Operand::Text(text));
        }
        match self.0.word(WORD)?.to_ascii_lowercase().as_str() {
            "true" => Ok(Operand::Flag(true)),
            "false" => Ok(Operand::Flag(false)),
            other => Err(format!("`{other}` is no value: texts stand in '…'")),
        }
    }

    /// Takes a joining operator that ends where a word ends.
    fn operator(&mut self, operator: &str) -> bool {
        self.0.skip();
        let Some((start, after)) = self.0.rest.split_at_checked(operator.len()) else {
            return false;
        };
        let whole = after.starts_with(|c: char| c.is_whitespace() || c == '(');
        if start.eq_ignore_ascii_case(operator) && whole {
            self.0.rest = after;
            return true;
        }
        false
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
