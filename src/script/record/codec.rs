//! Values of scripts as bytes: what a call was given (to tell it from another), and what it gave (to give it again).
//!
//! JSON with objects for what JSON has no word for, each with one key: `{"$m": map}`, `{"$o": object}`. An object's own JSON
//! stands in it as it came.

use std::collections::HashMap;

use rhai::{Array, Dynamic, FnPtr, Map};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::backup::{Browse, Service, Session, Workload};
use crate::graph::{Json, Version};
use crate::script::api::session::bulk::Added;
use crate::script::failure::Failure;
use crate::script::values::{Columns, Datetime, Duration, Kind, List, Object, Stream};

/// Why a value has no bytes: it lives in this process alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alive;

/// What a value is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// To be read again.
    Keeping,
    /// To be compared: what cannot be read again has a name at least.
    Comparing,
}

/// The bytes of a value.
///
/// # Errors
/// [`Alive`] for sessions that the script has made, streams, closures.
pub(super) fn encode(value: &Dynamic) -> Result<Vec<u8>, Alive> {
    let mut out = Vec::new();
    write(value, For::Keeping, &mut out)?;
    Ok(out)
}

/// What the arguments of a call are told apart by.
pub(super) fn digest(arguments: &[&mut Dynamic]) -> [u8; 16] {
    let mut out = Vec::new();
    for argument in arguments {
        // Everything can be written for comparing.
        let _ = write(argument, For::Comparing, &mut out);
        out.push(b'\n');
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(&out)[..16]);
    digest
}

fn write(value: &Dynamic, purpose: For, out: &mut Vec<u8>) -> Result<(), Alive> {
    if value.is_unit() {
        out.extend(b"null");
    } else if let Ok(flag) = value.as_bool() {
        out.extend(if flag { &b"true"[..] } else { b"false" });
    } else if let Ok(number) = value.as_int() {
        out.extend(number.to_string().bytes());
    } else if let Ok(number) = value.as_float() {
        // By its bits: every number, also those that JSON does not have.
        tagged("$f", out, |out| json(&number.to_bits(), out));
    } else if let Ok(text) = value.as_immutable_string_ref() {
        json(&text.as_str(), out);
    } else if let Ok(letter) = value.as_char() {
        tagged("$c", out, |out| json(&letter, out));
    } else if let Some(items) = value.read_lock::<Array>() {
        list(&items, purpose, out)?;
    } else if let Some(map) = value.read_lock::<Map>() {
        out.extend(b"{\"$m\":");
        write_map(
            map.iter().map(|(key, value)| (key.as_str(), value)),
            purpose,
            out,
        )?;
        out.push(b'}');
    } else if let Some(items) = value.read_lock::<List>() {
        out.extend(b"{\"$l\":");
        list(items.items(), purpose, out)?;
        out.push(b'}');
    } else if let Some(time) = value.read_lock::<Datetime>() {
        tagged("$t", out, |out| json(&time.0, out));
    } else if let Some(length) = value.read_lock::<Duration>() {
        tagged("$d", out, |out| json(&length.0, out));
    } else if let Some(object) = value.read_lock::<Object>() {
        write_object(&object, purpose, out)?;
    } else if let Some(failure) = value.read_lock::<Failure>() {
        tagged("$e", out, |out| json(&failure.kept(), out));
    } else if purpose == For::Keeping {
        return Err(Alive);
    } else if let Some(function) = value.read_lock::<FnPtr>() {
        tagged("fn", out, |out| json(&function.fn_name(), out));
    } else if let Some(stream) = value.read_lock::<Stream>() {
        tagged("stream", out, |out| json(&stream.what(), out));
    } else {
        tagged("other", out, |out| json(&value.type_name(), out));
    }
    Ok(())
}

fn write_object(object: &Object, purpose: For, out: &mut Vec<u8>) -> Result<(), Alive> {
    if let Some(session) = object.behind::<Session>() {
        return match (purpose, session.found()) {
            (For::Keeping, None) => Err(Alive),
            (For::Keeping, Some((version, found))) => {
                let name = session.workload.name;
                tagged("$s", out, |out| {
                    json(&(name, version.map(Version::segment), found), out);
                });
                Ok(())
            }
            (For::Comparing, _) => {
                tagged("session", out, |out| json(&session.mark(), out));
                Ok(())
            }
        };
    }
    if let Some(browse) = object.behind::<Browse>() {
        let (name, version) = (browse.workload.name, browse.version.map(Version::segment));
        match purpose {
            For::Keeping => tagged("$b", out, |out| json(&(name, version, browse.json()), out)),
            For::Comparing => tagged("browse", out, |out| json(&*browse.id, out)),
        }
        return Ok(());
    }
    if let Some(added) = object.behind::<Added>() {
        if purpose == For::Keeping {
            return Err(Alive);
        }
        tagged("request", out, |out| json(&added.session.mark(), out));
        return Ok(());
    }
    out.extend(b"{\"$o\":[");
    json(&object.kind().name(), out);
    out.push(b',');
    out.extend(object.json().bytes());
    if let Some(columns) = object.columns() {
        out.push(b',');
        let columns: Vec<_> = columns
            .names()
            .filter_map(|name| Some((name, columns.get(name)?)))
            .collect();
        write_map(columns.into_iter(), purpose, out)?;
    }
    out.extend(b"]}");
    Ok(())
}

fn write_map<'v>(
    entries: impl Iterator<Item = (&'v str, &'v Dynamic)>,
    purpose: For,
    out: &mut Vec<u8>,
) -> Result<(), Alive> {
    out.push(b'{');
    for (position, (key, value)) in entries.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        json(&key, out);
        out.push(b':');
        write(value, purpose, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn list(items: &[Dynamic], purpose: For, out: &mut Vec<u8>) -> Result<(), Alive> {
    out.push(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, purpose, out)?;
    }
    out.push(b']');
    Ok(())
}

fn tagged(tag: &str, out: &mut Vec<u8>, inner: impl FnOnce(&mut Vec<u8>)) {
    out.extend(b"{\"");
    out.extend(tag.bytes());
    out.extend(b"\":");
    inner(out);
    out.push(b'}');
}

fn json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    // Texts, numbers and JSON: nothing that could fail.
    let _ = serde_json::to_writer(out, value);
}

/// A value again. Sessions come back as this process has them.
///
/// # Errors
/// Bytes that this version of runback did not write.
pub(super) fn decode(bytes: &[u8], backup: &Service) -> Result<Dynamic, serde_json::Error> {
    read(serde_json::from_slice(bytes)?, backup)
}

fn read(raw: &RawValue, backup: &Service) -> Result<Dynamic, serde_json::Error> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'n') => Ok(Dynamic::UNIT),
        Some(b't' | b'f') => Ok(serde_json::from_str::<bool>(text)?.into()),
        Some(b'"') => Ok(serde_json::from_str::<String>(text)?.into()),
        Some(b'[') => Ok(Dynamic::from_array(array(raw, backup)?)),
        Some(b'{') => read_tagged(text, backup),
        _ => Ok(serde_json::from_str::<i64>(text)?.into()),
    }
}

fn array(raw: &RawValue, backup: &Service) -> Result<Array, serde_json::Error> {
    let items: Vec<&RawValue> = serde_json::from_str(raw.get())?;
    items.into_iter().map(|item| read(item, backup)).collect()
}

fn read_tagged(text: &str, backup: &Service) -> Result<Dynamic, serde_json::Error> {
    let object: HashMap<&str, &RawValue> = serde_json::from_str(text)?;
    let unknown = || serde::de::Error::custom("a value in the record is of an unknown kind");
    let (tag, raw) = object.into_iter().next().ok_or_else(unknown)?;
    let text = raw.get();
    Ok(match tag {
        "$f" => f64::from_bits(serde_json::from_str(text)?).into(),
        "$c" => serde_json::from_str::<char>(text)?.into(),
        "$t" => Dynamic::from(Datetime(serde_json::from_str(text)?)),
        "$d" => Dynamic::from(Duration(serde_json::from_str(text)?)),
        "$l" => Dynamic::from(List::new(array(raw, backup)?)),
        "$m" => {
            let entries: HashMap<String, &RawValue> = serde_json::from_str(text)?;
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key.into(), read(value, backup)?);
            }
            map.into()
        }
        "$o" => {
            let parts: Vec<&RawValue> = serde_json::from_str(text)?;
            let [kind, json, columns @ ..] = &parts[..] else {
                return Err(unknown());
            };
            let kind = Kind::of(&serde_json::from_str::<String>(kind.get())?);
            let mut object = Object::exact(kind, serde_json::from_str(json.get())?);
            if let Some(columns) = columns.first() {
                object = object.with_columns(read_columns(columns, backup)?);
            }
            Dynamic::from(object)
        }
        "$e" => Dynamic::from(Failure::again(serde_json::from_str(text)?)),
        "$s" | "$b" => {
            let (name, version, json): (String, Option<String>, Json) = serde_json::from_str(text)?;
            let workload = Workload::named(&name).ok_or_else(unknown)?;
            let version = version.as_deref().and_then(Version::of_segment);
            if tag == "$s" {
                let session = backup.known_session(workload, version, json);
                Dynamic::from(crate::script::api::session::object(session.into()))
            } else {
                let browse = backup.known_browse(workload, json, version);
                Dynamic::from(crate::script::api::browse::object(browse))
            }
        }
        _ => return Err(unknown()),
    })
}

fn read_columns(raw: &RawValue, backup: &Service) -> Result<Columns, serde_json::Error> {
    let entries: HashMap<String, &RawValue> = serde_json::from_str(raw.get())?;
    let mut columns = Columns::new();
    for name in Columns::NAMES {
        if let Some(value) = entries.get(name) {
            columns = columns.with(name, read(value, backup)?);
        }
    }
    Ok(columns)
}
