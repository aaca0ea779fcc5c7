//! `$filter` expressions: read once, tried on many entities.

use super::cursor::Cursor;
use jiff::Timestamp;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        path: String,
        with: Comparison,
        value: Literal,
    },
    In {
        path: String,
        values: Vec<Literal>,
    },
    Test {
        path: String,
        test: Test,
        value: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function of two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    StartsWith,
    EndsWith,
    Contains,
}

/// A value in a filter, or of a property it names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Flag(bool),
    Number(i64),
    Time(Timestamp),
    Null,
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says what is wrong, and near which character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser(Cursor::new(text, "filter"));
        let filter = parser.any()?;
        parser.0.skip();
        if parser.0.rest.is_empty() {
            Ok(filter)
        } else {
            Err(parser.0.unexpected())
        }
    }

    /// Comparisons and tests in it.
    pub(super) fn terms(&self) -> usize {
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.terms() + other.terms(),
            Self::Not(one) => one.terms(),
            Self::In { values, .. } => values.len(),
            Self::Compare { .. } | Self::Test { .. } => 1,
        }
    }

    /// The parts that are joined by `and`.
    pub(super) fn conjuncts(&self) -> Vec<&Filter> {
        match self {
            Self::And(one, other) => [one.conjuncts(), other.conjuncts()].concat(),
            other => vec![other],
        }
    }

    /// True where it compares nothing but these properties, and those only for equality with texts.
    pub(super) fn only_equal(&self, paths: &[&str]) -> bool {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                one.only_equal(paths) && other.only_equal(paths)
            }
            Self::Compare {
                path,
                with: Comparison::Equal,
                value: Literal::Text(_),
            } => paths.contains(&path.as_str()),
            _ => false,
        }
    }

    /// The texts that a property is compared with.
    pub(super) fn texts(&self, wanted: &str) -> Vec<&str> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                [one.texts(wanted), other.texts(wanted)].concat()
            }
            Self::Compare {
                path,
                value: Literal::Text(text),
                ..
            } if path == wanted => vec![text],
            _ => Vec::new(),
        }
    }

    /// True where the directory answers it only with `ConsistencyLevel: eventual` and `$count=true`.
    pub(super) fn is_advanced(&self) -> bool {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                one.is_advanced() || other.is_advanced()
            }
            Self::Not(_) => true,
            Self::Compare { path, with, .. } => {
                *with == Comparison::Unequal || path.ends_with("/$count")
            }
            Self::In { .. } => false,
            Self::Test { test, .. } => *test != Test::StartsWith,
        }
    }

    /// Tries it on one entity. `get` gives the value of a property, or nothing where there is no such property.
    ///
    /// # Errors
    /// The path that `get` does not know.
    pub(super) fn matches(&self, get: &dyn Fn(&str) -> Option<Literal>) -> Result<bool, String> {
        let value_of = |path: &str| get(path).ok_or_else(|| path.to_owned());
        Ok(match self {
            // Both sides are tried, so that an unknown path is found whatever the first side says.
            Self::And(one, other) => one.matches(get)? & other.matches(get)?,
            Self::Or(one, other) => one.matches(get)? | other.matches(get)?,
            Self::Not(one) => !one.matches(get)?,
            Self::Compare { path, with, value } => compare(&value_of(path)?, *with, value),
            Self::In { path, values } => {
                let actual = value_of(path)?;
                values
                    .iter()
                    .any(|value| compare(&actual, Comparison::Equal, value))
            }
            Self::Test { path, test, value } => {
                let Literal::Text(actual) = value_of(path)? else {
                    return Ok(false);
                };
                let (actual, value) = (actual.to_lowercase(), value.to_lowercase());
                match test {
                    Test::StartsWith => actual.starts_with(&value),
                    Test::EndsWith => actual.ends_with(&value),
                    Test::Contains => actual.contains(&value),
                }
            }
        })
    }
}

fn compare(actual: &Literal, with: Comparison, value: &Literal) -> bool {
    use std::cmp::Ordering;
    let order = match (actual, value) {
        (Literal::Text(one), Literal::Text(other)) => {
            Some(one.to_lowercase().cmp(&other.to_lowercase()))
        }
        (Literal::Flag(one), Literal::Flag(other)) => Some(one.cmp(other)),
        (Literal::Number(one), Literal::Number(other)) => Some(one.cmp(other)),
        (Literal::Time(one), Literal::Time(other)) => Some(one.cmp(other)),
        (Literal::Null, Literal::Null) => Some(Ordering::Equal),
        _ => None,
    };
    match with {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::Unequal => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

struct Parser<'text>(Cursor<'text>);

/// What a path holds beside letters and digits.
const PATH: &str = "/$_.@";

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter, String> {
        let mut left = self.all()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut left = self.one()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.0.enter()?;
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.one()?))
        } else if self.0.mark('(') {
            let inner = self.any()?;
            self.0.expect(')')?;
            inner
        } else {
            self.term()?
        };
        self.0.leave();
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, String> {
        let path = self.0.word(PATH)?.to_owned();
        if self.0.mark('(') {
            let test = match path.to_ascii_lowercase().as_str() {
                "startswith" => Test::StartsWith,
                "endswith" => Test::EndsWith,
                "contains" => Test::Contains,
                _ => return Err(format!("there is no function `{path}`")),
            };
            let path = self.0.word(PATH)?.to_owned();
            self.0.expect(',')?;
            let Literal::Text(value) = self.literal()? else {
                return Err("a text in quotes is needed".into());
            };
            self.0.expect(')')?;
            return Ok(Filter::Test { path, test, value });
        }
        let operator = self.0.word(PATH)?;
        let with = match operator {
            "eq" => Comparison::Equal,
            "ne" => Comparison::Unequal,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "in" => {
                self.0.expect('(')?;
                let mut values = vec![self.literal()?];
                while self.0.mark(',') {
                    values.push(self.literal()?);
                }
                self.0.expect(')')?;
                return Ok(Filter::In { path, values });
            }
            _ => return Err(format!("there is no operator `{operator}`")),
        };
        Ok(Filter::Compare {
            path,
            with,
            value: self.literal()?,
        })
    }

    fn literal(&mut self) -> Result<Literal, String> {
        if let Some(text) = self.0.quoted()? {
            return Ok(Literal::Text(text));
        }
        let end = self
            .0
            .rest
            .find(|c: char| c.is_whitespace() || ",)".contains(c))
            .unwrap_or(self.0.rest.len());
        let (word, rest) = self.0.rest.split_at(end);
        let literal = match word {
            "true" => Literal::Flag(true),
            "false" => Literal::Flag(false),
            "null" => Literal::Null,
            _ => match (word.parse(), word.parse()) {
                (Ok(number), _) => Literal::Number(number),
                (_, Ok(instant)) => Literal::Time(instant),
                _ => return Err(self.0.unexpected()),
            },
        };
        self.0.rest = rest;
        Ok(literal)
    }

    /// Takes a keyword that ends where a word ends.
    fn word(&mut self, word: &str) -> bool {
        self.0.skip();
        match self.0.rest.strip_prefix(word) {
            Some(after) if after.starts_with(|c: char| c.is_whitespace() || c == '(') => {
                self.0.rest = after;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Option<Literal> {
        Some(match path {
            "displayName" => Literal::Text("Zoë O'Brien".into()),
            "accountEnabled" => Literal::Flag(true),
            "assignedLicenses/$count" => Literal::Number(1),
            "mail" => Literal::Null,
            "protectionDateTime" => {
                Literal::Time("2026-11-24T14:00:00Z".parse().expect("a constant"))
            }
            _ => return None,
        })
    }

    #[test]
    fn filters_say_what_they_say() {
        for (filter, expected) in [
            ("displayName eq 'zoë o''brien'", true),
            (
                "startswith(displayName,'Zo') and accountEnabled eq true",
                true,
            ),
            ("not(accountEnabled eq true) or mail eq null", true),
            ("assignedLicenses/$count ne 0", true),
            ("displayName in ('a', 'b')", false),
            ("protectionDateTime lt 2026-11-24T14:00:00Z", false),
            ("protectionDateTime lt 2026-11-24T14:00:01Z", true),
            ("mail ne null", false),
        ] {
            assert_eq!(
                Filter::parse(filter).expect(filter).matches(&get),
                Ok(expected),
                "{filter}"
            );
        }
    }

    #[test]
    fn broken_filters_are_turned_down() {
        for filter in [
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'a",
            "a like 'b'",
            "(a eq 1",
            "a eq 1 b",
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
        let unknown =
            Filter::parse("accountEnabled eq false and shoeSize eq 43").expect("it reads");
        assert_eq!(unknown.matches(&get), Err("shoeSize".into()));
    }

    #[test]
    fn advanced_filters_are_told_apart() {
        for (filter, advanced) in [
            ("startswith(displayName,'a')", false),
            ("endswith(mail,'a')", true),
            ("mail ne 'a'", true),
            ("assignedLicenses/$count eq 0", true),
            ("not startswith(mail,'a')", true),
        ] {
            assert_eq!(
                Filter::parse(filter).expect(filter).is_advanced(),
                advanced,
                "{filter}"
            );
        }
    }
}
