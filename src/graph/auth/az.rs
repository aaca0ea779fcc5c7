//! A token of the person or application that is signed in to the Azure CLI.

use std::ffi::OsStr;
use std::io;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential as _;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use tokio::process::Command;
use tokio::time::timeout;

use super::Fetched;
use super::azure;
use super::denial::Denial;
use super::way::Desk;
use crate::graph::words;

/// `az` needs one to three seconds, on a cold machine ten.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct AzWay {
    /// `None`: the tenant that `az` is signed in to.
    pub(super) tenant: Option<String>,
}

impl AzWay {
    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let credential = AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: self.tenant.clone(),
            executor: Some(Arc::new(Shell)),
            ..AzureCliCredentialOptions::default()
        }));
        let token = async { credential?.get_token(&[&desk.scope], None).await };
        match token.await {
            Ok(token) => azure::fetched(&token),
            Err(error) => Err(denial(&azure::deepest(&error))),
        }
    }
}

/// What `az` wrote on stderr, or what kept it from being run.
fn denial(said: &str) -> Denial {
    if said.contains("not found on PATH") {
        return Denial::absent("`az` was not found".to_owned())
            .hint("install the Azure CLI, or sign in with another `--auth`");
    }
    let words = words::tidy(said.trim().trim_start_matches("ERROR:"), 400);
    // A sign-in that has ended is told with `az login` too, but behind the code of its reason.
    if words.contains("az login") && !words.contains("AADSTS") {
        return Denial::absent("nobody is signed in to `az`".to_owned()).hint("run `az login`");
    }
    let denial = Denial::lasting(format!("`az` gave no token: {words}"));
    if words.contains("expires_on") {
        denial.hint("update the Azure CLI: 2.54.0 is the first that tells when a token ends")
    } else {
        denial.hint("`az account get-access-token --resource-type ms-graph` shows the same; `az login` signs in anew")
    }
}

/// Runs the CLI: nobody can answer it, and it does not outlive us.
#[derive(Debug)]
struct Shell;

#[async_trait::async_trait]
impl Executor for Shell {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let output = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        timeout(PATIENCE, output).await.unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(io::Error::other(format!("no answer within {seconds} s")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::auth::denial::Nature;

    #[test]
    fn only_an_absent_cli_and_one_without_a_sign_in_are_passed_over() {
        let rows = [
            ("az not found on PATH", Nature::Absent),
            (
                "ERROR: Please run 'az login' to setup account.\n",
                Nature::Absent,
            ),
            (
                "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Interactive authentication is needed. Please run:\naz login",
                Nature::Lasting,
            ),
            ("other error: no answer within 30 s", Nature::Lasting),
            ("expires_on field not found.", Nature::Lasting),
        ];
        for (said, nature) in rows {
            let denial = denial(said);
            assert_eq!(denial.nature, nature, "{denial:?}");
            assert!(denial.hint.is_some());
            assert!(!denial.message.contains("ERROR"), "{denial:?}");
        }
    }
}
