//! Causes in words: what reqwest, hyper, rustls and the system say, down to the one sentence that helps.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use url::{Origin, Url};

use super::limits::Limits;

/// Why a connection could not be made or was lost.
pub(super) fn cause(error: &reqwest::Error, limits: &Limits) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            format!("no connection within {} s", limits.connect.as_secs_f64())
        } else {
            format!("no answer within {} s", limits.idle.as_secs_f64())
        };
    }
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let io = deepest.downcast_ref::<io::Error>().map(io::Error::kind);
    match io {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(io::ErrorKind::ConnectionReset) => "the connection was reset".to_owned(),
        Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted) => {
            "the connection was closed".to_owned()
        }
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed in the middle".to_owned(),
        _ if error.is_dns() => format!("no such host ({})", tidy(&deepest.to_string(), 200)),
        _ => tidy(&deepest.to_string(), 300),
    }
}

/// Takes a secret out of a text, in each form that a service may repeat it in: as it is, as in a form, as in JSON.
///
/// Texts are cut before they come here, in the middle of a secret too (an access token is longer than any message): a
/// beginning of it at the end of the text goes as well. Shorter ones are no secrets, and the text would suffer.
pub(super) fn redact(text: &mut String, secret: &str, mark: &str) {
    if secret.len() < 8 {
        return;
    }
    let in_form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_json = serde_json::Value::from(secret).to_string();
    for form in [secret, &in_form, in_json.trim_matches('"')] {
        if text.contains(form) {
            *text = text.replace(form, mark);
        }
        let end = text.trim_end_matches('…').len();
        let begun = (LEAST_BEGUN..form.len()).rev().find(|length| {
            form.get(..*length)
                .is_some_and(|begun| text[..end].ends_with(begun))
        });
        if let Some(length) = begun {
            text.replace_range(end - length..end, mark);
        }
    }
}

/// So many bytes of a secret at the end of a text are taken for its beginning.
const LEAST_BEGUN: usize = 6;

/// One line without control characters, at most so many characters.
pub(super) fn tidy(text: &str, most: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > most * 4 {
            break;
        }
    }
    match line.char_indices().nth(most) {
        Some((end, _)) => {
            line.truncate(end);
            let _ = write!(line, "…");
            line
        }
        None => line,
    }
}

/// The words of an HTML page: its title where it has one, else its text.
pub(super) fn of_html(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        page.get(start..end)
    });
    let mut text = String::new();
    let mut in_tag = false;
    for c in title.unwrap_or(page).chars().take(20_000) {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    tidy(&text, 200)
}

/// Scheme, host and port of an address.
pub(super) fn place(url: &Url) -> String {
    let place = match url.origin() {
        origin @ Origin::Tuple(..) => origin.ascii_serialization(),
        Origin::Opaque(_) => format!("{}:", url.scheme()),
    };
    tidy(&place, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_port_where_it_is_not_the_usual_one() {
        for (url, named) in [
            ("http://127.0.0.1:8080/a?b", "http://127.0.0.1:8080"),
            ("https://evil.example:443/x", "https://evil.example"),
            ("file:///etc/passwd", "file:"),
        ] {
            assert_eq!(place(&url.parse().unwrap()), named);
        }
    }

    #[test]
    fn a_line_is_short_and_clean() {
        assert_eq!(tidy(" a\r\n\tb\u{1b}[31m  c ", 20), "a b [31m c");
        assert_eq!(tidy("ääää", 2), "ää…");
        assert_eq!(tidy("", 2), "");
    }

    #[test]
    fn a_secret_is_taken_out_of_a_text() {
        let mut text = "got hush-hush and hush-hush".to_owned();
        redact(&mut text, "hush-hush", "[secret]");
        assert_eq!(text, "got [secret] and [secret]");
        redact(&mut text, "", "[secret]");
        redact(&mut text, "and", "[secret]");
        assert_eq!(text, "got [secret] and [secret]");
    }

    #[test]
    fn a_secret_is_known_in_other_forms_and_by_its_beginning() {
        let secret = "hush~hush\"é/=";
        for (text, left) in [
            (
                "client_secret=hush%7Ehush%22%C3%A9%2F%3D&scope=x",
                "client_secret=*&scope=x",
            ),
            ("{\"secret\":\"hush~hush\\\"é/=\"}", "{\"secret\":\"*\"}"),
            ("you sent hush~hus…", "you sent *…"),
            ("you sent hush%7E", "you sent *"),
            ("hush, you are loud", "hush, you are loud"),
            ("", ""),
        ] {
            let mut text = text.to_owned();
            redact(&mut text, secret, "*");
            assert_eq!(text, left);
        }
    }

    #[test]
    fn a_page_gives_its_title_or_its_text() {
        assert_eq!(
            of_html("<html><head><TITLE>502\n Bad Gateway</TITLE></head><body>x</body>"),
            "502 Bad Gateway"
        );
        assert_eq!(of_html("<h1>Sign <b>in</b></h1>"), "Sign in");
        assert_eq!(of_html("<title>open"), "open");
    }
}
