//! Which proxy a call goes through.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::cloud::is_loopback;

/// The proxy in front of a service root, without its user and password; `None` where there is none.
///
/// The same rules that reqwest chooses by: its own matcher is asked, which reads HTTPS_PROXY, ALL_PROXY and NO_PROXY.
pub(crate) fn proxy(root: &str) -> Option<String> {
    // `transport` passes by every proxy for a service on this machine.
    if Url::parse(root).is_ok_and(|url| is_loopback(&url)) {
        return None;
    }
    let proxy = Matcher::from_system().intercept(&root.parse().ok()?)?;
    let uri = proxy.uri();
    let port = uri.port().map(|port| format!(":{port}"));
    Some(format!(
        "{}://{}{}",
        uri.scheme_str().unwrap_or("http"),
        uri.host().unwrap_or_default(),
        port.unwrap_or_default()
    ))
}
