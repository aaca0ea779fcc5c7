//! The path of a `graph::` call: relative to the version, without anything that leads elsewhere.

use std::fmt::Write as _;

use crate::script::failure::Failure;

/// The path with all percent-encodings taken out, for comparing.
pub(crate) fn decoded(path: &str) -> String {
    let bytes = path.split('?').next().unwrap_or_default().as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                plain.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest = after;
            }
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The path as messages name it: what stands in its query is left out.
pub(super) fn shown(path: &str) -> String {
    match path.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => path.to_owned(),
    }
}

/// The path as it is sent: starts with `/`, spaces and the like encoded.
///
/// # Errors
/// `BadPath` for a host, a version, `..`, `//`, hidden dots and slashes, `$batch`.
pub(crate) fn checked(path: &str) -> Result<String, Failure> {
    // Without the values of its query: an address that the service gave for a download carries its key there.
    let shown = shown(path);
    let bad = |why: &str| Failure::new("BadPath", format!("`{shown}` cannot be called: {why}"));
    if path.contains("://") || path.starts_with("//") {
        return Err(bad("it names a host").hint("write the path alone: `/users/adele@contoso.com`"));
    }
    let path_only = path.split('?').next().unwrap_or_default();
    let lower = path_only.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%25"]
        .iter()
        .any(|hidden| lower.contains(hidden))
        || lower.contains('\\')
    {
        return Err(bad("it hides dots or slashes"));
    }
    let trimmed = path_only.trim_start_matches('/');
    let plain = decoded(trimmed);
    let mut segments = plain.split('/');
    if segments
        .clone()
        .any(|segment| segment == ".." || segment == ".")
    {
        return Err(bad("it leads upwards"));
    }
    if trimmed.is_empty() || trimmed.contains("//") {
        return Err(bad("it has an empty segment"));
    }
    match segments
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        version @ ("v1.0" | "beta") => {
            let hint = format!(
                "leave `/{version}` out; the option `#{{version: \"{version}\"}}` chooses it"
            );
            return Err(bad("it names a version").hint(hint));
        }
        "$batch" => return Err(bad("a batch would go past the rules for single calls")),
        _ => {}
    }
    if path.chars().any(char::is_control) || path.contains('#') {
        return Err(bad("it holds characters that no path has"));
    }
    let mut sent = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        sent.push('/');
    }
    for character in path.chars() {
        if character.is_ascii_graphic() && !"\"<>^`{|}".contains(character) {
            sent.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                // Writing to a text cannot fail.
                let _ = write!(sent, "%{byte:02X}");
            }
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn plain_paths_pass_and_are_encoded() {
        assert_eq!(
            checked("users?$filter=mail eq 'ä'").unwrap(),
            "/users?$filter=mail%20eq%20'%C3%A4'"
        );
        assert_eq!(checked("/users/a@b.example").unwrap(), "/users/a@b.example");
        assert_eq!(
            checked("/users?$expand=x($filter=a eq 'b/../c')").unwrap(),
            "/users?$expand=x($filter=a%20eq%20'b/../c')"
        );
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for path in [
            "https://evil.example/users",
            "//evil.example/users",
            "/users/../solutions",
            "/users/%2e%2e/x",
            "/users/%252e",
            "/users//x",
            "/users/.",
            "/v1.0/users",
            "/Beta/users",
            "/$batch",
            "/%24batch",
            "",
            "/",
            "/users\\x",
            "/users\nx",
            "/users#x",
        ] {
            assert!(checked(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_leads_nowhere_else_whatever_comes() {
        let seeds = [
            "users?$filter=mail eq 'ä'",
            "/users/a@b.example",
            "/users/%41/messages",
            "/solutions/backupRestore/restoreSessions/1/activate",
        ];
        let words = &[
            "..", "/../", "%2e", "%2F", "%25", "%5c", "\\", "//", "://", "$batch", "%24", "v1.0/",
            "beta/", "?", "#", "%", "users",
        ];
        Target::new("path", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            match checked(&text) {
                Err(failure) => failure.message.replace(&*text, ""),
                Ok(sent) => {
                    assert!(
                        sent.starts_with('/') && sent.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{sent:?}"
                    );
                    // What a server makes of it is what was compared with the rules.
                    let plain = decoded(&sent);
                    let mut segments = plain.trim_start_matches('/').split('/');
                    assert!(
                        segments.clone().all(|one| one != ".." && one != "."),
                        "{sent:?}"
                    );
                    let first = segments.next().unwrap_or_default().to_ascii_lowercase();
                    assert!(
                        !["v1.0", "beta", "$batch"].contains(&first.as_str()),
                        "{sent:?}"
                    );
                    let url =
                        url::Url::parse(&format!("https://graph.example/v1.0{sent}")).unwrap();
                    assert!(url.path().starts_with("/v1.0/"), "{url}");
                    assert_eq!(url.host_str(), Some("graph.example"));
                    "fine".to_owned()
                }
            }
        });
    }
}
