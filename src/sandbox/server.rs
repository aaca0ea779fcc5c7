//! Starts and stops a sandbox.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::wire::{Wire, WireListener};
use super::{Options, Sandbox, request};

/// A sandbox that serves until it is dropped.
pub struct Running {
    sandbox: Arc<Sandbox>,
    address: SocketAddr,
    server: Option<JoinHandle<io::Result<()>>>,
    _stop: DropGuard,
}

impl Running {
    /// The service root without a version: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.sandbox.access.tenant_id
    }

    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.sandbox.access.client_id
    }

    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.sandbox.access.client_secret
    }

    #[must_use]
    pub fn speed(&self) -> f64 {
        self.sandbox.clock.speed()
    }

    /// Serves on; ends only if the server does. Dropping the future stops the sandbox.
    pub async fn finished(mut self) {
        if let Some(server) = self.server.take() {
            // How it ended is of no use to anybody: there is nothing left to serve.
            let _ = server.await;
        }
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on, is not loopback, or the speed is none.
    #[error("{0}")]
    Listen(io::Error),
    /// The state file cannot be used.
    #[error("state file `{path}`: {cause}")]
    State { path: PathBuf, cause: io::Error },
}

/// Starts a sandbox on the current runtime.
///
/// # Errors
/// An address that cannot be listened on or is not loopback; a speed that is not a number above zero; a state file that
/// cannot be read or written, or holds another tenant.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let invalid = |problem: String| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, problem);
        Err(StartError::Listen(error))
    };
    // Whoever reaches the port can use it: the tokens prove nothing.
    if !options.listen.ip().is_loopback() {
        return invalid(format!(
            "the sandbox listens on loopback addresses only, not on {}",
            options.listen
        ));
    }
    if !options.speed.is_finite() || options.speed <= 0.0 {
        return invalid(format!(
            "a speed is a number above zero, not {}",
            options.speed
        ));
    }
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(StartError::Listen)?;
    let address = listener.local_addr().map_err(StartError::Listen)?;
    let sandbox = Sandbox::open(&options).map_err(|cause| StartError::State {
        path: options.state.clone().unwrap_or_default(),
        cause,
    })?;
    let sandbox = Arc::new(sandbox);
    let service = Router::new()
        .fallback(request::handle)
        .with_state(Arc::clone(&sandbox));
    let service = service.into_make_service_with_connect_info::<Wire>();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let serving = axum::serve(WireListener(listener), service).with_graceful_shutdown(stopped);
    let server = tokio::spawn(serving.into_future());
    Ok(Running {
        sandbox,
        address,
        server: Some(server),
        _stop: stop.drop_guard(),
    })
}
