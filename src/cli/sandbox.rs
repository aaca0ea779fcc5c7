//! A simulated tenant: `runback sandbox` serves it to anybody, `--sandbox` to the run in this process.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::Args;
use secrecy::SecretString;

use super::flags::{Flags, SandboxFlags};
use super::run::runtime;
use crate::error::{Exit, Fault};
use crate::graph::SignIn;
use crate::run::first_signal;
use crate::sandbox::{Options, Running, StartError, start};
use crate::talk::{Talk as _, Voice};

/// Serve a simulated tenant
#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// Address on this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

impl Sandbox {
    pub(super) fn run(self, flags: &Flags, voice: &Voice) -> Result<Exit, Fault> {
        let options = options(&flags.sandbox, self.listen)?;
        let runtime = runtime()?;
        runtime.block_on(async {
            let running = serve(options).await?;
            // The first line of stdout is for programs; a reader that has gone away is no reason not to serve.
            let _ = writeln!(std::io::stdout(), "sandbox listening on {}", running.url());
            let _ = std::io::stdout().flush();
            voice.note(&how_to_use(&running));
            let ended = |message: String| Fault::new(Exit::Unstarted, "SandboxEnded", message);
            tokio::select! {
                signal = first_signal() => signal.map_err(|error| ended(format!("signals cannot be caught: {error}"))),
                () = running.finished() => Err(ended("the sandbox has stopped serving by itself".to_owned())),
            }
        })
    }
}

/// What a person types to work against it.
fn how_to_use(running: &Running) -> String {
    let url = running.url();
    format!(
        "tenant {}, client id {}, client secret {}\n\
         by hand: `RUNBACK_ACCESS_TOKEN=sandbox-token runback run SCRIPT --auth token --graph-url {url}`\n\
         what it holds: `curl {url}/_sandbox/state`",
        running.tenant_id(),
        running.client_id(),
        running.client_secret(),
    )
}

/// Starts a tenant for the run in this process and gives the way to sign in to it.
pub(super) async fn embedded(flags: &SandboxFlags) -> Result<(Running, SignIn), Fault> {
    let running = serve(options(flags, SocketAddr::from(([127, 0, 0, 1], 0)))?).await?;
    let sign_in = sign_in(&running);
    Ok((running, sign_in))
}

/// The way to sign in to a tenant in this process.
pub(super) fn sign_in(running: &Running) -> SignIn {
    SignIn::Sandbox {
        token_url: format!(
            "{}/{}/oauth2/v2.0/token",
            running.url(),
            running.tenant_id()
        ),
        client_id: running.client_id().to_owned(),
        secret: SecretString::from(running.client_secret().to_owned()),
    }
}

async fn serve(options: Options) -> Result<Running, Fault> {
    let listen = options.listen;
    start(options).await.map_err(|error| {
        let message = match &error {
            StartError::Listen(error) => format!("the sandbox cannot listen on {listen}: {error}"),
            StartError::State { .. } => format!("the sandbox cannot go on: {error}"),
        };
        let fault = Fault::new(Exit::Unstarted, "NoSandbox", message);
        if matches!(error, StartError::State { .. }) {
            return fault.hint("another file begins a new tenant");
        }
        if listen.ip().is_loopback() {
            fault.hint("port 0 takes any free one")
        } else {
            fault.hint("it serves this machine only: `--listen 127.0.0.1:0`")
        }
    })
}

fn options(flags: &SandboxFlags, listen: SocketAddr) -> Result<Options, Fault> {
    let bad = |flag: &str, error: String| {
        Fault::new(
            Exit::Unstarted,
            "BadFlag",
            format!("`{flag}` cannot be read: {error}"),
        )
    };
    let mut options = Options {
        listen,
        ..Options::default()
    };
    options.users = flags.users.unwrap_or(options.users);
    options.seed = flags.seed.unwrap_or(options.seed);
    options.latency = flags.latency.unwrap_or(options.latency);
    if let Some(speed) = flags.speed {
        if !(speed.is_finite() && speed > 0.0) {
            return Err(bad("--speed", format!("`{speed}` is not above 0")));
        }
        options.speed = speed;
    }
    if let Some(spec) = &flags.faults {
        options.faults = spec
            .parse()
            .map_err(|error: crate::sandbox::FaultSpecError| bad("--faults", error.to_string()))?;
    }
    options.state.clone_from(&flags.state);
    if let Some(cap) = &flags.search_cap {
        options.search_cap = cap
            .parse()
            .map_err(|error: crate::sandbox::SearchCapError| {
                bad("--search-cap", error.to_string())
            })?;
    }
    Ok(options)
}
