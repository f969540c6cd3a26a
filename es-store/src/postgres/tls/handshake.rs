//! The handshake of one attempt to connect, whose errors have a type of their own.
//!
//! The driver gives its errors of TLS no code. So the errors of the handshake are marked here, and
//! the beginning of the handshake is recorded. A server that has no TLS is never asked for one: the
//! driver fails before, with an error that is neither the server's nor the system's.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::Error;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::postgres_client::Stream;

type Rustls = <MakeRustlsConnect as MakeTlsConnect<Stream>>::TlsConnect;

/// An error of the handshake.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct HandshakeError(pub(super) io::Error);

/// The handshake of one attempt.
pub(super) struct Handshake {
    tls: Rustls,
    has_begun: HasBegun,
}

/// True once the server has agreed to a handshake.
#[derive(Clone, Default)]
pub(super) struct HasBegun(Arc<AtomicBool>);

impl Handshake {
    /// Creates the handshake with the server `host`.
    pub(super) fn new(connector: &MakeRustlsConnect, host: &str) -> Self {
        let Ok(tls) = MakeTlsConnect::<Stream>::make_tls_connect(&mut connector.clone(), host);
        Self {
            tls,
            has_begun: HasBegun::default(),
        }
    }

    /// Returns what shows later if the handshake has begun.
    pub(super) fn has_begun(&self) -> HasBegun {
        self.has_begun.clone()
    }
}

impl HasBegun {
    /// Returns true if connecting failed with `error` because the server has no TLS.
    pub(super) fn lacks_tls(&self, error: &Error) -> bool {
        let source = std::error::Error::source(error);
        let is_of_system = source.is_some_and(|source| source.is::<io::Error>());
        !self.0.load(Ordering::SeqCst) && error.code().is_none() && !is_of_system
    }
}

impl TlsConnect<Stream> for Handshake {
    type Stream = <Rustls as TlsConnect<Stream>>::Stream;
    type Error = HandshakeError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, HandshakeError>> + Send>>;

    fn connect(self, stream: Stream) -> Self::Future {
        self.has_begun.0.store(true, Ordering::SeqCst);
        let handshake = self.tls.connect(stream);
        Box::pin(async move { handshake.await.map_err(HandshakeError) })
    }
}
