//! One value of a config file, as the flag of its name would take it.

use std::path::Path;

use toml::de::DeValue;

use super::{Key, Kind};

/// What a setting's paths are relative to.
pub(super) struct Base<'b> {
    pub(super) folder: &'b Path,
    pub(super) home: Option<&'b Path>,
}

impl Key {
    /// The value as text, one for each time that the flag would be given.
    ///
    /// # Errors
    /// The sentence that says what is expected.
    pub(super) fn values(
        &self,
        value: &DeValue<'_>,
        base: &Base<'_>,
    ) -> Result<Vec<String>, String> {
        if let (true, Some(items)) = (self.many, value.as_array()) {
            return items
                .iter()
                .map(|item| self.one(item.get_ref(), base))
                .collect();
        }
        self.one(value, base).map(|value| vec![value])
    }

    fn one(&self, value: &DeValue<'_>, base: &Base<'_>) -> Result<String, String> {
        let taken = match (self.kind, value) {
            (Kind::Switch, DeValue::Boolean(value)) => Some(value.to_string()),
            (Kind::Count | Kind::Number, DeValue::Integer(number)) => {
                i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                    .ok()
                    .map(|number| number.to_string())
            }
            (Kind::Number, DeValue::Float(number)) => Some(number.as_str().replace('_', "")),
            (Kind::Text, DeValue::String(text)) => Some(text.to_string()),
            (Kind::Path, DeValue::String(path)) => return base.resolve(path),
            _ => None,
        };
        taken.ok_or_else(|| {
            format!(
                "`{}` wants {}, not {}",
                self.name,
                self.wants(),
                what(value)
            )
        })
    }

    fn wants(&self) -> &'static str {
        match self.kind {
            Kind::Switch => "`true` or `false`",
            Kind::Count | Kind::Number => "a number",
            Kind::Text | Kind::Path if self.many => "text in quotes, or a list of texts",
            Kind::Text | Kind::Path => "text in quotes",
        }
    }

    /// How such a setting is written.
    pub(super) fn example(&self) -> String {
        let value = match self.kind {
            Kind::Switch => "true",
            Kind::Count => "1",
            Kind::Number => "8",
            Kind::Text | Kind::Path if self.many => "[\"…\"]",
            Kind::Text | Kind::Path => "\"…\"",
        };
        format!("write `{} = {value}`", self.name)
    }
}

impl Base<'_> {
    /// A path relative to the config file; `~/` is the home folder.
    fn resolve(&self, path: &str) -> Result<String, String> {
        let resolved = match (path.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) => return Err(format!("`{path}`: there is no home folder")),
            (None, _) => self.folder.join(path),
        };
        // Made of text, so it is text again.
        Ok(resolved.to_string_lossy().into_owned())
    }
}

fn what(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_flag_takes_and_others_are_named() {
        let base = Base {
            folder: Path::new("conf"),
            home: Some(Path::new("/home/a")),
        };
        let rows = [
            (Kind::Switch, false, "true", Ok("true")),
            (
                Kind::Switch,
                false,
                "\"yes\"",
                Err("`x` wants `true` or `false`, not text"),
            ),
            (Kind::Count, false, "2", Ok("2")),
            (Kind::Number, false, "1_000", Ok("1000")),
            (Kind::Number, false, "0x10", Ok("16")),
            (Kind::Number, false, "0.5", Ok("0.5")),
            (
                Kind::Number,
                false,
                "\"8\"",
                Err("`x` wants a number, not text"),
            ),
            (Kind::Text, false, "'a\"b'", Ok("a\"b")),
            (
                Kind::Text,
                false,
                "5",
                Err("`x` wants text in quotes, not a number"),
            ),
            (
                Kind::Text,
                false,
                "2026-11-20",
                Err("`x` wants text in quotes, not a date"),
            ),
            (
                Kind::Text,
                false,
                "[]",
                Err("`x` wants text in quotes, not a list"),
            ),
            (Kind::Path, false, "\"ca.pem\"", Ok("conf/ca.pem")),
            (Kind::Path, false, "\"/ca.pem\"", Ok("/ca.pem")),
            (Kind::Path, false, "\"~/ca.pem\"", Ok("/home/a/ca.pem")),
            (Kind::Path, true, "[\"a\", \"b\"]", Ok("conf/a conf/b")),
            (Kind::Path, true, "\"a\"", Ok("conf/a")),
            (
                Kind::Path,
                true,
                "[1]",
                Err("`x` wants text in quotes, or a list of texts, not a number"),
            ),
            (
                Kind::Switch,
                false,
                "{a = 1}",
                Err("`x` wants `true` or `false`, not a table"),
            ),
        ];
        for (kind, many, text, expected) in rows {
            let key = Key {
                name: "x".to_owned(),
                kind,
                many,
            };
            let value = DeValue::parse(text).unwrap();
            let values = key.values(value.get_ref(), &base);
            assert_eq!(
                values.map(|values| values.join(" ")),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{text}"
            );
        }
    }
}
