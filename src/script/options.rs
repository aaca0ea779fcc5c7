//! Option maps `#{…}`: every key is known or an error, every value has its type or an error that names the option.

use rhai::{Dynamic, Map};

use super::failure::Failure;
use super::values::Datetime;
use super::words;
use crate::graph::Version;

/// The options of one call.
#[derive(Debug)]
pub(crate) struct OptionMap {
    map: Map,
}

impl OptionMap {
    /// Takes the map, with keys out of `allowed` only. A value of `()` is as good as absent.
    ///
    /// # Errors
    /// `UnknownOption`, with the nearest allowed name.
    pub(crate) fn read(map: Map, allowed: &[&str]) -> Result<Self, Failure> {
        for key in map.keys() {
            if allowed.contains(&key.as_str()) {
                continue;
            }
            return Err(unknown(key, allowed.iter().copied()));
        }
        Ok(Self { map })
    }

    /// No options given.
    pub(crate) fn none() -> Self {
        Self { map: Map::new() }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Dynamic> {
        self.map.get(name).filter(|value| !value.is_unit())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.typed(name, "a text", |value| {
            value
                .as_immutable_string_ref()
                .ok()
                .map(|text| text.to_string())
        })
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.typed(name, "true or false", |value| value.as_bool().ok())
    }

    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.typed(name, "a whole number", |value| value.as_int().ok())
    }

    /// A count: at least 1.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, Failure> {
        self.typed(name, "a whole number of at least 1", |value| {
            value
                .as_int()
                .ok()
                .and_then(|count| usize::try_from(count).ok())
                .filter(|count| *count > 0)
        })
    }

    pub(crate) fn datetime(&self, name: &str) -> Result<Option<Datetime>, Failure> {
        self.typed(
            name,
            "a datetime: write `datetime(\"2026-11-20T03:00:00Z\")`",
            |value| value.read_lock::<Datetime>().map(|time| *time),
        )
    }

    pub(crate) fn map(&self, name: &str) -> Result<Option<Map>, Failure> {
        self.typed(name, "a map `#{…}`", |value| {
            value.as_map_ref().ok().map(|map| map.clone())
        })
    }

    /// An array (or list) of texts; one text alone stands for a list of it.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        self.typed(name, "an array of texts", |value| {
            if let Ok(text) = value.as_immutable_string_ref() {
                return Some(vec![text.to_string()]);
            }
            let items = match value.read_lock::<super::values::List>() {
                Some(list) => list.to_array(),
                None => value.as_array_ref().ok()?.clone(),
            };
            items
                .into_iter()
                .map(|item| item.into_string().ok())
                .collect()
        })
    }

    /// One of a few words.
    pub(crate) fn choice(&self, name: &str, choices: &[&str]) -> Result<Option<String>, Failure> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        if choices.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let failure = Failure::new("BadOption", format!("option `{name}` cannot be `{text}`"));
        Err(match words::nearest(&text, choices.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!(
                "it is one of {}",
                words::list(choices.iter().copied())
            )),
        })
    }

    /// Which of Graph's two versions the call goes to; `None`: the run's own.
    pub(crate) fn version(&self) -> Result<Option<Version>, Failure> {
        let version = self.choice("version", &["v1.0", "beta"])?;
        Ok(version.map(|version| match version.as_str() {
            "beta" => Version::Beta,
            _ => Version::V1,
        }))
    }

    fn typed<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl Fn(&Dynamic) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        read(value).map(Some).ok_or_else(|| {
            let given = words::article(words::kind(value));
            Failure::new(
                "BadOption",
                format!("option `{name}` must be {wanted}; this is {given}"),
            )
        })
    }
}

/// A key that is no option, with its neighbour among those that are.
pub(crate) fn unknown<'n>(key: &str, allowed: impl Iterator<Item = &'n str>) -> Failure {
    let allowed: Vec<_> = allowed.collect();
    let failure = Failure::new("UnknownOption", format!("there is no option `{key}` here"));
    match words::nearest(key, allowed.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None if allowed.is_empty() => failure.hint("this function takes no options"),
        None => failure.hint(format!("the options are {}", words::list(allowed))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(key: &str, value: impl Into<Dynamic>) -> Map {
        Map::from([(key.into(), value.into())])
    }

    #[test]
    fn an_unknown_option_is_named_with_its_neighbour() {
        let failure = OptionMap::read(map("limt", 5_i64), &["limit", "tags"]).unwrap_err();
        assert_eq!(failure.message, "there is no option `limt` here");
        assert_eq!(failure.hint.as_deref(), Some("did you mean `limit`?"));
    }

    #[test]
    fn a_value_of_the_wrong_type_names_its_option() {
        let options = OptionMap::read(map("limit", "many"), &["limit"]).unwrap();
        let failure = options.count("limit").unwrap_err();
        assert_eq!(
            failure.message,
            "option `limit` must be a whole number of at least 1; this is a text"
        );
        assert_eq!(OptionMap::none().count("limit").unwrap(), None);
        let options = OptionMap::read(map("prefer", "lastest"), &["prefer"]).unwrap();
        assert_eq!(
            options
                .choice("prefer", &["latest", "oldest"])
                .unwrap_err()
                .hint
                .as_deref(),
            Some("did you mean `latest`?")
        );
    }
}
