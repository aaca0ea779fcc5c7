//! Small help with wording: nearest names, lists in a sentence, values by their everyday names.

use rhai::Dynamic;

use super::values::{Datetime, Duration, List, Object, Stream};

/// Longer names are not compared with others.
const LONGEST_NAME: usize = 100;

/// The name that was probably meant: at most two slips, three in a long word; also one that differs in case only.
pub(crate) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let letters = name.chars().count();
    // Nobody slipped from there; and to compare takes as long as both are long.
    if letters > LONGEST_NAME {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = match letters {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    names
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            *distance <= allowed && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// What a function of other languages is called here.
pub(crate) fn translated(name: &str) -> Option<&'static str> {
    Some(match name {
        "where" | "Where" | "select_many" => "filter",
        "select" | "Select" | "collect_map" => "map",
        "foreach" | "forEach" | "ForEach" => "each",
        "length" | "size" | "Count" | "Length" => "len",
        "append_item" | "Add" | "addItem" => "push",
        "toLowerCase" | "ToLower" | "lower" | "toLower" | "lowercase" => "to_lower",
        "toUpperCase" | "ToUpper" | "upper" | "toUpper" | "uppercase" => "to_upper",
        "includes" | "Contains" | "has" => "contains",
        "substring" | "Substring" | "substr" | "slice" => "sub_string",
        "startsWith" | "StartsWith" | "startswith" => "starts_with",
        "endsWith" | "EndsWith" | "endswith" => "ends_with",
        "indexOf" | "IndexOf" => "index_of",
        "Trim" | "strip" => "trim",
        "Split" => "split",
        "Replace" => "replace",
        "Join" => "join",
        "println" | "printf" | "echo" | "puts" => "print",
        "toString" | "ToString" | "str" | "string" => "to_string",
        "orderBy" | "OrderBy" | "sortBy" | "sorted" => "sort_by",
        "groupBy" | "GroupBy" => "group_by",
        "distinct" | "Distinct" | "unique" => "unique_by",
        "take" | "Take" | "head" => "first",
        "ToInt" | "parseInt" | "int" => "parse_int",
        "parseFloat" | "float" => "parse_float",
        _ => return None,
    })
}

/// `` `a`, `b` and `c` ``; long lists are cut.
pub(crate) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.len() > 12 {
        let more = names.len() - 11;
        names.truncate(11);
        return format!("{} and {more} more", names.join(", "));
    }
    match names.pop() {
        None => "nothing".to_owned(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
    }
}

/// With its article: "a text", "an array".
pub(crate) fn article(noun: &str) -> String {
    if noun.starts_with("the ") || noun == "nothing" || noun == "`()`" || noun == "true or false" {
        return noun.to_owned();
    }
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U'])
        && !noun.starts_with("user")
        && !noun.starts_with("One");
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// What a person calls a value of this kind, without article.
pub(crate) fn kind(value: &Dynamic) -> &'static str {
    if let Some(object) = value.read_lock::<Object>() {
        return object.kind().words();
    }
    type_words(value.type_name())
}

/// The everyday name of a type, from Rust's or Rhai's name of it.
pub(crate) fn type_words(name: &str) -> &'static str {
    match name {
        "()" => "`()`",
        "bool" => "true or false",
        "i64" | "int" | "INT" => "whole number",
        "f64" | "float" => "number",
        "char" => "character",
        "&str | ImmutableString | String"
        | "string"
        | "String"
        | "&str"
        | "ImmutableString"
        | "alloc::string::String" => "text",
        "array" | "Array" => "array",
        "map" | "Map" | "object map" => "map",
        "blob" | "Blob" => "blob",
        "Fn" | "FnPtr" => "closure",
        "range" | "range=" => "range",
        "Instant" | "timestamp" => "timestamp",
        "Dynamic" | "?" => "value",
        _ if name == std::any::type_name::<Object>() || name == "object" => "Graph object",
        _ if name == std::any::type_name::<List>() || name == "list" => "list",
        _ if name == std::any::type_name::<Stream>() || name == "stream" => "stream",
        _ if name == std::any::type_name::<Datetime>() || name == "datetime" => "datetime",
        _ if name == std::any::type_name::<Duration>() || name == "duration" => "duration",
        _ if name.contains("ImmutableString") => "text",
        _ if name.contains("FnPtr") => "closure",
        _ if name.contains("Vec<rhai") => "array",
        _ if name.contains("BTreeMap") => "map",
        _ if name.contains("Range") => "range",
        _ if name.ends_with("Failure") || name == "error" => "error",
        _ if name.ends_with("Args") || name == "arguments" => "the arguments",
        _ if name.ends_with("CsvWriter") || name == "csv writer" => "csv writer",
        _ => "value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_away() {
        let names = ["protectionDateTime", "expirationDateTime", "id", "tags"];
        assert_eq!(
            nearest("protectionDatetime", names),
            Some("protectionDateTime")
        );
        assert_eq!(
            nearest("protectonDateTime", names),
            Some("protectionDateTime")
        );
        assert_eq!(nearest("status", names), None);
        assert_eq!(nearest("tgas", names), Some("tags"));
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(article("array"), "an array");
        assert_eq!(article("text"), "a text");
    }
}
