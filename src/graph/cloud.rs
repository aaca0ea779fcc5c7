//! Where Graph is: the rules for the service root and for what belongs to it.

use secrecy::SecretString;
use url::{Host, Url};

use super::{GraphError, SignIn, Version};

/// The service root: scheme, host and port, perhaps a path; no version.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// Without a slash at its end.
    text: String,
    url: Url,
}

impl Root {
    /// Checks a service root.
    ///
    /// # Errors
    /// [`GraphError::Setup`] where it is no http(s) URL, carries a version, a query or a user, or would send a token
    /// that is worth something over plain http.
    pub(super) fn new(text: &str, sign_in: &SignIn) -> Result<Self, GraphError> {
        let wrong = |message: String, hint: &str| {
            Err(GraphError::Setup {
                message,
                hint: Some(hint.to_owned()),
            })
        };
        let trimmed = text.trim().trim_end_matches('/');
        let example =
            "give the service root, for example `--graph-url https://graph.microsoft.com`";
        // What may hold a password or a signature is not repeated.
        let shown = match trimmed.split_once(['?', '#']) {
            _ if trimmed.contains('@') => "the Graph address".to_owned(),
            Some((before, _)) => format!("`{before}`"),
            None => format!("`{text}`"),
        };
        let url = match Url::parse(trimmed) {
            Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
            Ok(_) => return wrong(format!("{shown} is not an http or https address"), example),
            Err(error) => return wrong(format!("{shown} is not an address: {error}"), example),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(format!("{shown} holds a user name or password"), example);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return wrong(format!("{shown} has a query or fragment"), example);
        }
        let last = url.path().rsplit('/').next().unwrap_or_default();
        if last.eq_ignore_ascii_case("v1.0") || last.eq_ignore_ascii_case("beta") {
            return wrong(
                format!("`{text}` ends in a version"),
                "leave the version out of the address; choose it with `--api v1.0` or `--api beta`",
            );
        }
        let root = Self {
            text: trimmed.to_owned(),
            url,
        };
        if root.is_plain() && !root.is_loopback() {
            return wrong(
                format!("`{text}` would send the token unencrypted"),
                "plain http is only for 127.0.0.1, [::1] and localhost; use https",
            );
        }
        if root.is_plain() && is_real(sign_in) {
            return wrong(
                format!("`{text}` is plain http, and a real sign-in is never used with it"),
                "use `--auth token` or the sandbox, or an https address",
            );
        }
        Ok(root)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// The address of a call; `path` starts with `/` and is already percent-encoded.
    pub(super) fn join(&self, version: Version, path: &str) -> Result<Url, String> {
        if !path.starts_with('/') {
            return Err(format!("the path `{path}` does not start with `/`"));
        }
        let text = format!("{}/{}{path}", self.text, version.segment());
        let url = Url::parse(&text).map_err(|error| error.to_string())?;
        if self.owns(&url) {
            Ok(url)
        } else {
            Err(format!("the path `{path}` leads to another host"))
        }
    }

    /// May the token be sent there? Same scheme, host and port, and no user name smuggled in.
    pub(super) fn owns(&self, url: &Url) -> bool {
        url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
    }

    /// What a token is asked for: the application permissions of this service.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.url.origin().ascii_serialization())
    }

    /// The proxy in front of it, for messages.
    pub(super) fn proxy(&self) -> Option<String> {
        super::proxy(self.url.as_str())
    }

    /// For messages: host, and the port where it is not the usual one.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// A path as messages name it: without root, version and query.
    pub(super) fn short_path(&self, url: &Url) -> String {
        let path = url.path();
        let path = path
            .strip_prefix(self.url.path().trim_end_matches('/'))
            .unwrap_or(path);
        [Version::V1, Version::Beta]
            .iter()
            .find_map(|version| path.strip_prefix('/')?.strip_prefix(version.segment()))
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path)
            .to_owned()
    }
}

/// Whether a service root can be one at all, whoever signs in.
///
/// # Errors
/// [`GraphError::Setup`], as [`super::Client::new`] would give it.
pub(crate) fn check_root(text: &str) -> Result<(), GraphError> {
    Root::new(text, &SignIn::Token("any".into())).map(drop)
}

/// 127.0.0.1 (all of 127/8), [`::1`] and `localhost`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Would it bring a token that is worth something, by asking somebody for it?
fn is_real(sign_in: &SignIn) -> bool {
    match sign_in {
        SignIn::Token(_) | SignIn::Sandbox { .. } | SignIn::Nothing => false,
        // The first that is there is taken; what comes behind a token is not looked at.
        SignIn::First(candidates) => candidates
            .iter()
            .find_map(|candidate| candidate.found.as_ref().ok())
            .is_some_and(is_real),
        _ => true,
    }
}

fn wrong(message: String, hint: &str) -> Result<(), GraphError> {
    Err(GraphError::Setup {
        message,
        hint: Some(hint.to_owned()),
    })
}

/// Checks where a credential would be sent: https, or our own sandbox on loopback.
pub(super) fn check_sign_in(sign_in: &SignIn) -> Result<(), GraphError> {
    let is_empty = |secret: &SecretString| secrecy::ExposeSecret::expose_secret(secret).is_empty();
    match sign_in {
        SignIn::Secret {
            authority,
            tenant,
            client_id,
            secret,
        } => {
            check_authority(authority, tenant, client_id)?;
            if is_empty(secret) {
                return wrong(
                    "no client secret to sign in with".to_owned(),
                    "set AZURE_CLIENT_SECRET",
                );
            }
            Ok(())
        }
        SignIn::Certificate {
            authority,
            tenant,
            client_id,
            ..
        }
        | SignIn::WorkloadIdentity {
            authority,
            tenant,
            client_id,
            ..
        }
        | SignIn::DeviceCode {
            authority,
            tenant,
            client_id,
            ..
        } => check_authority(authority, tenant, client_id),
        SignIn::Cli {
            tenant: Some(tenant),
        } => check_tenant(tenant),
        SignIn::First(candidates) => candidates
            .iter()
            .filter_map(|candidate| candidate.found.as_ref().ok())
            .try_for_each(check_sign_in),
        SignIn::Token(token) if is_empty(token) => wrong(
            "the access token is empty".to_owned(),
            "set RUNBACK_ACCESS_TOKEN",
        ),
        SignIn::Token(_)
        | SignIn::Nothing
        | SignIn::ManagedIdentity { .. }
        | SignIn::Cli { tenant: None } => Ok(()),
        SignIn::Sandbox { token_url, .. } => match Url::parse(token_url) {
            Ok(url) if is_loopback(&url) => Ok(()),
            _ => wrong(
                format!("the sandbox's token address `{token_url}` is not on this machine"),
                "a sandbox is reached at 127.0.0.1, [::1] or localhost",
            ),
        },
    }
}

fn check_authority(authority: &str, tenant: &str, client_id: &str) -> Result<(), GraphError> {
    let url = Url::parse(authority).ok().filter(Url::has_host);
    match url {
        Some(url) if url.scheme() == "https" => {
            if !url.username().is_empty() || url.password().is_some() || url.path() != "/" {
                // The text is not repeated: there may be a password in it.
                return wrong(
                    "the sign-in address is more than a host".to_owned(),
                    "set AZURE_AUTHORITY_HOST to scheme and host, such as `https://login.microsoftonline.com`; the tenant goes into \
                     AZURE_TENANT_ID",
                );
            }
        }
        // A server on this machine is no exception: `azure_identity` refuses it, and so do we, before it does.
        other => {
            return wrong(
                format!("the sign-in address `{authority}` is not an https address"),
                if other.is_some_and(|url| is_loopback(&url)) {
                    "set AZURE_AUTHORITY_HOST to an https address, or unset it\n\
                     a server on this machine needs a certificate too; `--ca-file` names the CA it comes from"
                } else {
                    "set AZURE_AUTHORITY_HOST to an https address, or unset it"
                },
            );
        }
    }
    if client_id.is_empty() {
        return wrong(
            "no client id to sign in with".to_owned(),
            "set AZURE_CLIENT_ID",
        );
    }
    check_tenant(tenant)
}

/// It becomes a part of addresses and of a command.
fn check_tenant(tenant: &str) -> Result<(), GraphError> {
    if tenant.is_empty() {
        return wrong("no tenant to sign in to".to_owned(), "set AZURE_TENANT_ID");
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if tenant.chars().all(is_name) && !tenant.starts_with(['.', '-']) {
        return Ok(());
    }
    wrong(
        format!("`{tenant}` is no tenant"),
        "set AZURE_TENANT_ID (or `--tenant`) to the tenant's id or one of its domains, such as `contoso.onmicrosoft.com`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    fn token() -> SignIn {
        SignIn::Token("t".into())
    }

    fn secret() -> SignIn {
        SignIn::Secret {
            authority: "https://login.microsoftonline.com".to_owned(),
            tenant: "t".to_owned(),
            client_id: "c".to_owned(),
            secret: "s".into(),
        }
    }

    #[test]
    fn what_may_hold_a_password_or_a_signature_is_not_repeated() {
        for address in [
            "https://me:hush-hush@graph.example",
            "me:hush-hush@graph.example",
            "https://hush-hush@",
            "https://graph.example?sig=hush-hush",
            "https://graph.example/#hush-hush",
            "graph.example?sig=hush-hush",
        ] {
            let error = Root::new(address, &token()).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_and_worthless_tokens_only() {
        let rows = [
            ("https://graph.microsoft.com", true, true),
            ("https://graph.microsoft.com/", true, true),
            ("https://localhost:8443", true, true),
            ("http://127.0.0.1:8080", true, false),
            ("http://[::1]:8080", true, false),
            ("http://LOCALHOST:8080/", true, false),
            ("http://graph.microsoft.com", false, false),
            ("http://127.0.0.1.evil.example", false, false),
            ("http://localhost.evil.example", false, false),
            ("http://0.0.0.0:1", false, false),
            ("https://graph.microsoft.com/v1.0", false, false),
            ("https://graph.microsoft.com/beta/", false, false),
            ("https://user:pw@graph.microsoft.com", false, false),
            ("https://graph.microsoft.com?x=1", false, false),
            ("ftp://graph.microsoft.com", false, false),
            ("graph.microsoft.com", false, false),
            ("", false, false),
        ];
        for (text, with_token, with_secret) in rows {
            assert_eq!(Root::new(text, &token()).is_ok(), with_token, "{text}");
            assert_eq!(Root::new(text, &secret()).is_ok(), with_secret, "{text}");
        }
        let error = Root::new("https://user:pw@x", &token()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("pw"));
    }

    #[test]
    fn only_the_same_origin_gets_the_token() {
        let root = Root::new("https://graph.microsoft.com", &token()).unwrap();
        let rows = [
            ("https://graph.microsoft.com/v1.0/users?$skiptoken=x", true),
            ("https://GRAPH.microsoft.com:443/x", true),
            ("http://graph.microsoft.com/x", false),
            ("https://graph.microsoft.com:444/x", false),
            ("https://graph.microsoft.com.evil.example/x", false),
            ("https://graph.microsoft.com@evil.example/x", false),
            ("https://someone@graph.microsoft.com/x", false),
        ];
        for (url, expected) in rows {
            assert_eq!(root.owns(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn paths_are_joined_to_root_and_version_and_named_without_them() {
        let root = Root::new("https://h/gate/", &token()).unwrap();
        let url = root.join(Version::Beta, "/users?$top=1").unwrap();
        assert_eq!(url.as_str(), "https://h/gate/beta/users?$top=1");
        assert_eq!(root.short_path(&url), "/users");
        assert_eq!(root.scope(), "https://h/.default");
        assert!(root.join(Version::V1, "users").is_err());
    }

    #[test]
    fn a_credential_goes_to_https_or_to_a_sandbox_here() {
        assert!(check_sign_in(&secret()).is_ok());
        let plain = SignIn::Secret {
            authority: "http://login.example".to_owned(),
            tenant: "t".to_owned(),
            client_id: "c".to_owned(),
            secret: "s".into(),
        };
        assert!(check_sign_in(&plain).is_err());
        assert!(check_sign_in(&SignIn::Token("".into())).is_err());
        for (token_url, fine) in [
            ("http://127.0.0.1:1/t/oauth2/v2.0/token", true),
            ("http://evil.example/token", false),
        ] {
            let sandbox = SignIn::Sandbox {
                token_url: token_url.to_owned(),
                client_id: "c".to_owned(),
                secret: "s".into(),
            };
            assert_eq!(check_sign_in(&sandbox).is_ok(), fine, "{token_url}");
        }
    }

    #[test]
    fn an_address_is_read_whatever_comes() {
        let seeds = [
            "https://graph.microsoft.com",
            "http://127.0.0.1:8080/gate",
            "http://[::1]:1",
            "https://graph.example/users?$top=1",
            "/users/a@b.example?$filter=id eq '1'",
        ];
        let words = &[
            "https://",
            "http://",
            "//",
            "@",
            ":",
            "[::1]",
            "%2f",
            "\\",
            "#",
            "/v1.0",
            "xn--",
            "127.0.0.1",
        ];
        Target::new("address", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let home = Root::new("https://graph.example/gate", &token()).unwrap();
            if let Ok(url) = home.join(Version::V1, &text) {
                // Whatever the path says: the token goes nowhere else.
                assert_eq!(url.origin().ascii_serialization(), "https://graph.example");
                home.short_path(&url);
            }
            match Root::new(&text, &token()) {
                Ok(root) => {
                    assert!(!root.is_plain() || root.is_loopback(), "{text}");
                    format!("root {}", root.host())
                }
                Err(error) => error.to_string().replace(&*text, ""),
            }
        });
    }
}
