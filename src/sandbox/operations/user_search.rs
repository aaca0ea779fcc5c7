//! `$search` in the directory.

use crate::sandbox::answer::Refusal;
use crate::sandbox::filter::Literal;
use crate::sandbox::tenant::Person;

use super::users::property;

/// `"displayName:adele" OR "mail:adele"`: a property whose words begin with a text.
pub(super) struct Search {
    /// Any of these, each all of its clauses.
    choices: Vec<Vec<(String, String)>>,
}

impl Search {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let clause = |clause: &str| -> Result<(String, String), Refusal> {
            let inner = clause
                .trim()
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            let (name, words) = inner
                .and_then(|inner| inner.split_once(':'))
                .ok_or_else(|| {
                    Refusal::bad_request(format!(
                        "Syntax error in $search: '{clause}' is not \"property:text\"."
                    ))
                })?;
            if ![
                "displayName",
                "mail",
                "userPrincipalName",
                "givenName",
                "surname",
            ]
            .contains(&name)
            {
                return Err(Refusal::unsupported_query(format!(
                    "Searching in '{name}' is not supported."
                )));
            }
            Ok((name.to_owned(), words.to_lowercase()))
        };
        let choices = text
            .split(" OR ")
            .map(|choice| choice.split(" AND ").map(clause).collect());
        Ok(Self {
            choices: choices.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn finds(&self, person: &Person<'_>) -> bool {
        let holds = |(name, text): &(String, String)| match property(person, name) {
            Some(Literal::Text(value)) => {
                let value = value.to_lowercase();
                let mut words = value.split(|letter: char| !letter.is_alphanumeric());
                value.starts_with(text) || words.any(|word| word.starts_with(text))
            }
            _ => false,
        };
        self.choices.iter().any(|clauses| clauses.iter().all(holds))
    }
}
