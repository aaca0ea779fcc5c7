//! Keeps secrets out of config files, which are copied, committed and mailed, and out of the messages about them.

/// What kind of secret a setting's name speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    ClientSecret,
    AccessToken,
    Password,
}

impl Secret {
    /// By the setting's name, in any spelling: `client-secret`, `AZURE_CLIENT_SECRET`, `password`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        if name.contains("password") || name.contains("passphrase") || name.contains("private") {
            Some(Self::Password)
        } else if name.contains("token") || name.contains("bearer") {
            Some(Self::AccessToken)
        } else if name.contains("secret") {
            Some(Self::ClientSecret)
        } else {
            None
        }
    }

    /// Where it belongs.
    pub(super) fn hints(self) -> &'static [&'static str] {
        match self {
            Self::ClientSecret => &[
                "set AZURE_CLIENT_SECRET in the environment, or",
                "put it into a file of mode 0600 and name that here: `client-secret-file = \"…\"`",
            ],
            Self::AccessToken => &["set RUNBACK_ACCESS_TOKEN in the environment"],
            Self::Password => &["set AZURE_CLIENT_CERTIFICATE_PASSWORD in the environment"],
        }
    }
}

/// What a line gives a value to that is a secret by its name; where the name ends.
pub(super) fn in_line(line: &str) -> Option<(usize, Secret)> {
    let is_name = |c: char| c.is_alphanumeric() || "-_.\"'".contains(c);
    line.match_indices('=').find_map(|(at, _)| {
        let before = line[..at].trim_end();
        let start = before
            .char_indices()
            .rev()
            .take_while(|&(_, c)| is_name(c))
            .last()
            .map_or(before.len(), |(start, _)| start);
        let name = &before[start..];
        // The last part of a dotted name.
        let last = name.rsplit('.').next().unwrap_or(name);
        Secret::named(last).map(|secret| (before.len(), secret))
    })
}

/// A line as a message may show it. Comments are not spared: old secrets are in them.
pub(super) fn shown(line: &str) -> String {
    match in_line(line) {
        Some((end, _)) => format!("{} = …", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_in_any_spelling() {
        let rows = [
            ("client-secret", Some(Secret::ClientSecret)),
            ("AZURE_CLIENT_SECRET", Some(Secret::ClientSecret)),
            ("secret", Some(Secret::ClientSecret)),
            ("access-token", Some(Secret::AccessToken)),
            ("RUNBACK_ACCESS_TOKEN", Some(Secret::AccessToken)),
            ("token", Some(Secret::AccessToken)),
            ("certificate-password", Some(Secret::Password)),
            ("passphrase", Some(Secret::Password)),
            ("tenant", None),
            ("client-id", None),
        ];
        for (name, secret) in rows {
            assert_eq!(Secret::named(name), secret, "{name}");
        }
    }

    #[test]
    fn a_line_is_shown_without_its_secret() {
        let rows = [
            ("  client-secret = \"hush\" # x", "  client-secret = …"),
            ("client_secret=hush", "client_secret = …"),
            (
                "profile.a.\"password\" = hush",
                "profile.a.\"password\" = …",
            ),
            ("tenant = \"t\"", "tenant = \"t\""),
            ("# token = \"old\"", "# token = …"),
            (
                "profile = { a = { tenant = \"t\", token = \"hush\" } }",
                "profile = { a = { tenant = \"t\", token = …",
            ),
            ("[profile.token]", "[profile.token]"),
        ];
        for (line, safe) in rows {
            assert_eq!(shown(line), safe);
        }
    }
}
