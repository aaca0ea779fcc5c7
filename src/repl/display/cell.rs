//! One value on one line.

use jiff::tz::TimeZone;
use rhai::Dynamic;

use crate::script::convert;
use crate::script::values::{Datetime, List, Object};

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// As scripts write them and reports hold them.
    Utc,
    /// As the clock on the wall has them, with the offset.
    Local,
}

impl Times {
    fn of(self, time: Datetime) -> String {
        match self {
            Self::Utc => time.to_string(),
            Self::Local => {
                let local = time.0.to_zoned_datetime(TimeZone::system());
                local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
            }
        }
    }
}

/// A value that fits on a line; `None` for lists and maps.
pub(super) fn text(value: &Dynamic, times: Times) -> Option<String> {
    if value.is_unit() {
        return Some(String::new());
    }
    if let Some(time) = value.read_lock::<Datetime>() {
        return Some(times.of(*time));
    }
    if let Some(object) = value.read_lock::<Object>() {
        return Some(name(&object, times));
    }
    let is_list = value.is_array() || value.is_map() || value.is::<List>();
    (!is_list).then(|| convert::show(value))
}

/// A value in a cell of a table, whatever it is.
pub(crate) fn short(value: &Dynamic, times: Times) -> String {
    if let Some(text) = text(value, times) {
        return text;
    }
    let items = match value.read_lock::<List>() {
        Some(list) => list.to_array(),
        None => match value.as_array_ref() {
            Ok(items) => items.clone(),
            Err(_) => return convert::show(value),
        },
    };
    let few = items.len() <= 3 && !value.is_array();
    let texts: Option<Vec<String>> = items.iter().map(|item| text(item, times)).collect();
    match texts {
        Some(texts) if few => texts.join(", "),
        _ => format!("({} items)", items.len()),
    }
}

/// What an object inside another is called.
fn name(object: &Object, times: Times) -> String {
    if object.kind().is_a("restorePoint")
        && let Ok(time) = object.get("protectionDateTime")
        && let Some(time) = time.read_lock::<Datetime>()
    {
        return times.of(*time);
    }
    let get = |name: &str| {
        let value = object.get(name).ok()?;
        let text = value.into_string().ok()?;
        Some(text).filter(|text| !text.is_empty())
    };
    // An identity set says who below another name.
    let inner = || {
        let json: serde_json::Map<String, serde_json::Value> = object.json().parse().ok()?;
        let one = json.values().find_map(|value| {
            let name = value.get("displayName").or_else(|| value.get("id"))?;
            Some(name.as_str()?.to_owned())
        });
        one.or_else(|| serde_json::to_string(&json).ok())
    };
    ["displayName", "name", "userPrincipalName", "id"]
        .into_iter()
        .find_map(get)
        .or_else(inner)
        .unwrap_or_default()
}
