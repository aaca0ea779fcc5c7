//! What can be typed next, for whoever completes it: names with their signatures, by the kind of value they belong to.

use std::collections::BTreeSet;

use super::function::{self, From, Function};
use super::shape::{SHAPES, Shape};
use super::{codes, find, index, operation, topic};
use crate::script::values::Kind;

/// One name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) name: String,
    /// How it is called and what it gives, or what it is.
    pub(crate) said: String,
    pub(crate) is_function: bool,
    /// Rhai's own: offered behind ours.
    pub(crate) is_language: bool,
}

impl Offer {
    fn of(function: &Function) -> Self {
        // Overloads of one name differ in what may be left out: the longest says it all.
        let longest = function.signatures.iter().max_by_key(|text| text.len());
        Self {
            name: function.name.clone(),
            said: longest.map_or_else(String::new, |text| bare(text, &function.name)),
            is_function: true,
            is_language: function.from == From::Language,
        }
    }

    fn property(name: String, returns: &str) -> Self {
        Self {
            said: format!("{name}: {returns}"),
            name,
            is_function: false,
            is_language: false,
        }
    }
}

/// What a value is, as far as is known without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sort {
    /// In the words of signatures: "session", "stream of unit", "text".
    pub(crate) words: String,
    /// Of an object in hand.
    pub(crate) kind: Option<Kind>,
}

impl Sort {
    pub(crate) fn of(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            kind: None,
        }
    }

    /// "unit" of "stream of unit".
    pub(crate) fn element(&self) -> Option<Self> {
        let (_, of) = self.words.split_once(" of ")?;
        Some(Self::of(of))
    }

    /// The shape of "session or ()", of "array of row", of an object in hand.
    fn shapes(&self) -> Vec<&'static Shape> {
        if let Some(kind) = self.kind.filter(|kind| !kind.is_untyped()) {
            let exact = SHAPES
                .iter()
                .find(|shape| shape.kinds().any(|known| known == kind));
            return exact
                .or_else(|| SHAPES.iter().find(|shape| shape.name == "object"))
                .into_iter()
                .collect();
        }
        let alternatives = self.words.split(" or ").map(str::trim);
        alternatives
            .filter_map(|words| {
                let plain = words.split(" of ").next().unwrap_or(words);
                let plain = if plain == "Graph object" {
                    "object"
                } else {
                    plain
                };
                SHAPES.iter().find(|shape| shape.is_called(plain))
            })
            .collect()
    }
}

/// What stands behind the dot of such a value, ours first.
pub(crate) fn members(sort: &Sort) -> Vec<Offer> {
    let mut offers = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |offer: Offer| {
        if is_name(&offer.name) && seen.insert(offer.name.clone()) {
            offers.push(offer);
        }
    };
    let shapes = sort.shapes();
    for shape in &shapes {
        let (general, own): (Vec<&Function>, Vec<&Function>) = shape
            .functions(From::Host)
            .partition(|function| function.receiver == Some("object"));
        own.into_iter().map(Offer::of).for_each(&mut add);
        for property in shape.own_properties() {
            add(Offer::property(property.name, &property.returns));
        }
        let kinds: Vec<Kind> = match sort.kind {
            Some(kind) => vec![kind],
            None => shape.kinds().collect(),
        };
        for property in kinds.into_iter().flat_map(super::shape::published) {
            add(Offer::property(property.name, &property.returns));
        }
        general.into_iter().map(Offer::of).for_each(&mut add);
    }
    for shape in &shapes {
        shape
            .functions(From::Language)
            .map(Offer::of)
            .for_each(&mut add);
    }
    offers
}

/// What a property of such a value comes as.
pub(crate) fn property(sort: &Sort, name: &str) -> Option<Sort> {
    let offers = members(sort);
    let offer = offers.iter().find(|offer| offer.name == name)?;
    let (_, returns) = offer.said.split_once(": ")?;
    (!offer.is_function).then(|| Sort::of(returns))
}

/// What a method of such a value gives.
pub(crate) fn method(sort: &Sort, name: &str) -> Option<Sort> {
    let element = sort.words.split_once(" of ").map(|(_, of)| of);
    if let ("collect" | "filter" | "first", Some(of)) = (name, element) {
        return Some(Sort::of(&format!("array of {of}")));
    }
    for shape in sort.shapes() {
        for from in [From::Host, From::Language] {
            let found = shape.functions(from).find(|function| function.name == name);
            if let Some(returns) = found.and_then(|function| function.returns.first()) {
                return Some(Sort::of(returns));
            }
        }
    }
    None
}

/// The functions of a namespace of the host; of `""` those without one.
pub(crate) fn functions(namespace: &str) -> Vec<Offer> {
    let all = index::of_namespace(namespace);
    all.into_iter().map(Offer::of).collect()
}

/// What a function gives, by its full name.
pub(crate) fn returned(name: &str) -> Option<Sort> {
    let of = |function: &&Function| function.receiver.is_none() && function.full_name() == name;
    let found = function::all().iter().find(of)?;
    found.returns.first().map(|returns| Sort::of(returns))
}

/// The namespaces, with what each is about.
pub(crate) fn namespaces() -> Vec<Offer> {
    index::namespaces()
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| Offer {
            name: name.to_owned(),
            said: format!("{name}::  {}", index::about(name)),
            is_function: false,
            is_language: false,
        })
        .collect()
}

/// The building blocks that `import` takes.
pub(crate) fn blocks() -> Vec<String> {
    index::blocks()
        .iter()
        .map(|block| block.name.clone())
        .collect()
}

/// Signatures of whatever has this name: `exchange::units`, `.activate` of such a value, `table`.
pub(crate) fn signatures(name: &str, receiver: Option<&Sort>) -> Vec<String> {
    if let Some(sort) = receiver {
        for shape in sort.shapes() {
            for from in [From::Host, From::Language] {
                let found = shape.functions(from).find(|function| function.name == name);
                if let Some(function) = found {
                    return function.signatures.clone();
                }
            }
        }
        return Vec::new();
    }
    let mut all = function::all()
        .iter()
        .filter(|function| function.receiver.is_none());
    all.find(|function| function.full_name() == name)
        .map(|function| function.signatures.clone())
        .unwrap_or_default()
}

/// The keys that the option map of a function takes.
pub(crate) fn options(name: &str, is_method: bool) -> Vec<String> {
    let of = |function: &&Function| {
        function.receiver.is_some() == is_method
            && if is_method {
                function.name == name
            } else {
                function.full_name() == name
            }
    };
    let mut keys = Vec::new();
    for function in function::all().iter().filter(of) {
        let Some(options) = &function.help.options else {
            continue;
        };
        for key in keys_in(options) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

/// The names in backticks, but not what stands in brackets to explain one.
fn keys_in(options: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut depth = 0_usize;
    let mut rest = options;
    while let Some(at) = rest.find(['(', ')', '`']) {
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        match mark {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {
                let Some(end) = rest.find('`') else { break };
                let word: String = rest[..end]
                    .chars()
                    .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                    .collect();
                // `as \`users::list\` has them` is a reference.
                if depth == 0 && !word.is_empty() && !rest[..end].contains("::") {
                    keys.push(word);
                }
                rest = &rest[end + 1..];
            }
        }
    }
    keys
}

/// Everything that `:doc` knows, cmdlets too.
pub(crate) fn names() -> Vec<String> {
    let mut names: BTreeSet<String> = find::names();
    names.extend(codes::codes().iter().map(|code| code.name.to_owned()));
    names.extend(topic::topics().map(|(name, _)| name.to_owned()));
    let cmdlets = operation::operations()
        .iter()
        .flat_map(|operation| &operation.cmdlets);
    names.extend(cmdlets.cloned());
    names.into_iter().collect()
}

/// A signature without what stands before the name: that was typed already.
fn bare(signature: &str, name: &str) -> String {
    let call = format!("{name}(");
    signature
        .find(&call)
        .map_or(signature, |at| &signature[at..])
        .to_owned()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(offers: &[Offer]) -> Vec<&str> {
        offers.iter().map(|offer| offer.name.as_str()).collect()
    }

    #[test]
    fn a_session_offers_its_functions_and_its_properties() {
        let sort = Sort {
            words: "exchange restore session".to_owned(),
            kind: Some(Kind::of("exchangeRestoreSession")),
        };
        let offers = members(&sort);
        let names = names(&offers);
        for name in [
            "activate",
            "artifacts",
            "wait",
            "status",
            "createdDateTime",
            "parts",
        ] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert!(
            !names.contains(&"len") && !names.contains(&"to_upper"),
            "{names:?}"
        );
        assert_eq!(
            method(&sort, "artifacts").unwrap().words,
            "stream of artifact"
        );
    }

    #[test]
    fn what_a_call_gives_is_known_without_calling() {
        let units = returned("exchange::units").unwrap();
        assert_eq!(units.words, "stream of unit");
        let offers = members(&units);
        assert!(names(&offers).contains(&"collect"));
        assert_eq!(method(&units, "collect").unwrap().words, "array of unit");
        let unit = units.element().unwrap();
        assert!(names(&members(&unit)).contains(&"directoryObjectId"));
    }

    #[test]
    fn the_keys_of_options_are_found_in_their_help() {
        assert_eq!(
            keys_in(
                "`after`, `before` (datetimes; `before` is strict), `tags` (`\"fastRestore\"`), `limit` (50), `version`"
            ),
            ["after", "before", "tags", "limit", "version"]
        );
        assert_eq!(
            keys_in("`window: #{after, before}` in which points are looked for, `name`"),
            ["window", "name"]
        );
        assert!(options("exchange::points", false).contains(&"limit".to_owned()));
    }
}
