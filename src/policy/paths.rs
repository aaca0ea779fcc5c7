//! `graph_paths`: which paths `graph::` may call.
//!
//! A pattern is a path relative to the version, where `*` stands for anything within a segment and `**` for any number of
//! segments; a method before it holds for that method alone. It is compared with the path as it is sent, with its encodings
//! taken out and without its query, and without regard to case, as Graph itself compares.

use glob::{MatchOptions, Pattern};

const METHODS: [&str; 4] = ["GET", "POST", "PATCH", "DELETE"];

/// Longer patterns are no paths of Graph.
const LONGEST: usize = 1000;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: false,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// All patterns of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paths(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    method: Option<&'static str>,
    pattern: Pattern,
}

impl Paths {
    /// Adds a pattern.
    ///
    /// # Errors
    /// The sentence that says what is wrong with it.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let (method, path) = match text.trim().split_once(char::is_whitespace) {
            None => (None, text.trim()),
            Some((word, path)) => {
                let method = METHODS.into_iter().find(|method| *method == word);
                let Some(method) = method else {
                    return Err(format!(
                        "`{word}` is no method: write {} before the path, or none",
                        METHODS.join(", ")
                    ));
                };
                (Some(method), path.trim())
            }
        };
        if !path.starts_with('/') {
            return Err("a path begins with `/`: `/users/*`".to_owned());
        }
        if path.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        if path.contains(['?', '[', ']', '%', '#', '\\']) || path.chars().any(char::is_control) {
            return Err(
                "a pattern is a plain path with `*` and `**`; what stands behind `?` is not compared"
                    .to_owned(),
            );
        }
        let segments: Vec<&str> = path[1..].split('/').collect();
        if segments.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err("it has an empty segment, or one that leads elsewhere".to_owned());
        }
        // Two in a row mean what one does, and take the more time the more there are.
        if segments.windows(2).any(|pair| pair == ["**", "**"]) {
            return Err("`**/**` is `**`".to_owned());
        }
        if matches!(segments[0].to_ascii_lowercase().as_str(), "v1.0" | "beta") {
            return Err("leave the version out: paths are relative to it".to_owned());
        }
        let pattern = Pattern::new(path).map_err(|error| error.msg.to_owned())?;
        self.0.push(Allowed { method, pattern });
        Ok(())
    }

    /// `path`: from its `/` on, its encodings taken out, without its query.
    pub(crate) fn allow(&self, method: &str, path: &str) -> bool {
        self.0.iter().any(|allowed| {
            allowed.method.is_none_or(|own| own == method)
                && allowed.pattern.matches_with(path, OPTIONS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(patterns: &[&str]) -> Paths {
        let mut paths = Paths::default();
        for pattern in patterns {
            paths.add(pattern).unwrap();
        }
        paths
    }

    #[test]
    fn a_star_stays_within_its_segment_and_two_do_not() {
        let rows = [
            ("/users/*", "GET", "/users/a@b.example", true),
            ("/users/*", "GET", "/Users/A@b.example", true),
            ("/users/*", "GET", "/users/a/messages", false),
            ("/users/*", "GET", "/users", false),
            ("/users/*@b.example", "GET", "/users/x@b.example", true),
            ("/users/*@b.example", "GET", "/users/x@c.example", false),
            ("/users/*@b.example", "GET", "/users/x/m@b.example", false),
            ("/users/**", "GET", "/users/a/messages/1", true),
            ("/users/**", "GET", "/usersX", false),
            ("/users/**/photo", "GET", "/users/a/b/photo", true),
            ("/users/**/photo", "GET", "/users/a/b/photos", false),
            ("GET /users/**", "POST", "/users/a", false),
            ("GET /users/**", "GET", "/users/a", true),
            ("/**", "DELETE", "/anything/at/all", true),
        ];
        for (pattern, method, path, wanted) in rows {
            assert_eq!(
                paths(&[pattern]).allow(method, path),
                wanted,
                "{pattern}: {method} {path}"
            );
        }
        assert!(!Paths::default().allow("GET", "/me"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "users",
            "",
            "/",
            "/users/",
            "/users//x",
            "/users/../x",
            "/users?$top=1",
            "/users/[ab]",
            "/users/%61",
            "/v1.0/users",
            "get /users",
            "PUT /users",
            "/a/**/**/b",
            "/a**",
            "/a\u{7}",
        ] {
            assert!(Paths::default().add(wrong).is_err(), "{wrong}");
        }
    }
}
