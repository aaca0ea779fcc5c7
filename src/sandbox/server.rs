//! Starts and stops a sandbox.

use std::io;
use std::net::SocketAddr;
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

/// Starts a sandbox on the current runtime.
///
/// # Errors
/// An address that cannot be listened on or is not loopback; a speed that is not a number above zero.
pub async fn start(options: Options) -> io::Result<Running> {
    let invalid = |problem: String| Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
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
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let sandbox = Arc::new(Sandbox::new(&options));
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
