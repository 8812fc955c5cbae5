//! Listening: TLS for everything that is not loopback, a limit for everything that a client can make us wait for.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use tower::Service;

use super::door::{Door, Limits};
use super::front::Front;
use super::limit::{HEAD_BYTES_MAX, HEAD_READ_MAX, HEADERS_MAX};
use super::tls::{BadTls, configuration};
use crate::app::App;
use crate::config::{Config, Tls};

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Passwords and tokens would cross a network in the clear.
    #[error(
        "{listen} can be reached from other machines, so it needs TLS: name a certificate and its key (both PEM) \
         in the settings file, as tls.certificate and tls.key, or listen on 127.0.0.1"
    )]
    Plain {
        /// Where.
        listen: SocketAddr,
    },
    /// No TLS with these files.
    #[error(transparent)]
    Tls(#[from] BadTls),
    /// The address is taken, or not ours.
    #[error("{listen} cannot be listened to: {source}")]
    Bind {
        /// Where.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("serving failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// An address that is ours, before anybody is answered.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
    pub(super) limits: Limits,
}

/// Takes the address of the settings. Refuses one that other machines can reach without TLS.
pub async fn bind(config: &Config) -> Result<Listening, ServeError> {
    let mut listening = bind_to(config.listen, config.tls.clone()).await?;
    listening.limits.of_address = config.connections_per_address;
    Ok(listening)
}

/// The same for an address that is not in the settings.
pub(crate) async fn bind_to(listen: SocketAddr, tls: Option<Tls>) -> Result<Listening, ServeError> {
    let bound = tokio::task::spawn_blocking(move || Listening::bind(&listen, tls.as_ref())).await;
    bound.map_err(std::io::Error::from)?
}

impl Listening {
    fn bind(listen: &SocketAddr, tls: Option<&Tls>) -> Result<Self, ServeError> {
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(ServeError::Plain { listen: *listen });
        }
        let tls = tls.map(configuration).transpose()?.map(RustlsConfig::from_config);
        let failed = |source| ServeError::Bind { listen: *listen, source };
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls, limits: Limits::default() })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    pub const fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until `shutdown` is over, and at most `drain` longer for what is being answered.
    pub async fn serve(
        self,
        app: App,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> Result<(), ServeError> {
        let front = super::service(app, self.is_encrypted());
        self.serve_front(front, shutdown, drain).await
    }

    /// The same for routes that are not those of the application.
    pub(crate) async fn serve_routes(
        self,
        routes: Router,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> Result<(), ServeError> {
        let front = Front::new(routes, self.is_encrypted());
        self.serve_front(front, shutdown, drain).await
    }

    async fn serve_front(
        self,
        front: Front,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> Result<(), ServeError> {
        let handle = Handle::new();
        let stopping = handle.clone();
        tokio::spawn(async move {
            shutdown.await;
            stopping.graceful_shutdown(Some(drain));
        });
        let mut server = axum_server::from_tcp(self.listener)?
            .http1_only()
            .first_request_timeout(HEAD_READ_MAX)
            .accept_error_handler(|peer, error| tracing::debug!(?peer, %error, "a connection was not taken"))
            .handle(handle);
        set_limits(&mut server);
        let door = Door::new(self.limits);
        let fronts = Fronts(front);
        match self.tls {
            None => server.acceptor(door).serve(fronts).await?,
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls).handshake_timeout(HEAD_READ_MAX).acceptor(door);
                server.acceptor(acceptor).serve(fronts).await?;
            }
        }
        Ok(())
    }
}

/// axum-server sets no time limit on the head of a request by itself.
fn set_limits<A>(server: &mut Server<SocketAddr, A>) {
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEAD_READ_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(true)
        .half_close(false);
}

/// Makes the service of each connection.
struct Fronts(Front);

impl Service<SocketAddr> for Fronts {
    type Response = Front;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Front, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        std::future::ready(Ok(self.0.for_peer(peer)))
    }
}
