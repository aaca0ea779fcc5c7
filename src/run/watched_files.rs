//! The files that the arguments of a watched run name.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::{Exit, Fault};
use crate::script::Header;
use crate::script::header::Type;

/// In a watched folder files are looked for under `--data` only, and of what lies elsewhere nothing is told, not even whether it is
/// there: an argument comes from whoever has dropped the script.
pub(super) fn under_data(
    header: &Header,
    arguments: &[(String, String)],
    data: &[PathBuf],
) -> Result<Vec<(String, String)>, Vec<Fault>> {
    let mut arguments = arguments.to_vec();
    for parameter in header
        .parameters
        .iter()
        .filter(|parameter| parameter.kind == Type::File)
    {
        let given = arguments.iter().any(|(name, _)| *name == parameter.name);
        if let (false, Some(default)) = (given, parameter.default.as_ref().and_then(Value::as_str))
        {
            arguments.push((parameter.name.clone(), default.to_owned()));
        }
        for (_, text) in arguments
            .iter_mut()
            .filter(|(name, _)| *name == parameter.name)
        {
            let Some(path) = file_under(data, text) else {
                let message =
                    format!("an argument names `{text}`, which is no file under `--data`");
                let fault = Fault::new(Exit::Unstarted, "FileDenied", message);
                return Err(vec![fault.hint(
                    "in a watched folder scripts read what the watcher's `--data` names, and a relative name is looked for there",
                )]);
            };
            *text = path.to_string_lossy().into_owned();
        }
    }
    Ok(arguments)
}

fn file_under(data: &[PathBuf], text: &str) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = data
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    let found = folders
        .iter()
        .filter_map(|folder| folder.join(text).canonicalize().ok());
    let mut found = found.filter(|path| folders.iter().any(|folder| path.starts_with(folder)));
    found.find(|path| path.is_file())
}
