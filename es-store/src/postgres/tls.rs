//! Encryption of connections and verification of the server's certificate, as libpq's `sslmode`
//! defines them (`POSTGRES_SSLMODE`).

#[cfg(feature = "tls")]
mod connector;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod refusal;
#[cfg(feature = "tls")]
mod verifier;

use std::fmt;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
#[cfg(feature = "tls")]
use tokio_postgres_rustls::MakeRustlsConnect;

#[cfg(feature = "tls")]
use self::handshake::Handshake;
#[cfg(feature = "tls")]
pub(super) use self::refusal::keys;
use crate::env::Env;
use crate::error::{EnvError, StoreError};
use crate::postgres_client::{Client, ConnectError, Target};

pub(super) const MODE: &str = "POSTGRES_SSLMODE";

/// The modes of libpq without `allow`, which would send the password unencrypted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The encryption of connections.
#[derive(Clone)]
pub(super) enum Tls {
    Off,
    #[cfg(feature = "tls")]
    On(SslMode, MakeRustlsConnect),
}

impl Tls {
    /// Returns the encryption that the environment sets for the hosts of `config`. Certificates are
    /// read here, once.
    pub(super) fn of(config: &Config, env: &Env) -> Result<Self, StoreError> {
        let mode = Mode::of(env)?;
        // As in libpq, a connection by Unix socket is never encrypted, whatever the mode. So the
        // default mode costs nothing there.
        if mode == Mode::Disable || config.get_hosts().iter().all(is_socket) {
            return Ok(Self::Off);
        }
        Self::on(mode, env)
    }

    #[cfg(feature = "tls")]
    fn on(mode: Mode, env: &Env) -> Result<Self, StoreError> {
        let connector = connector::connector(mode, env)?;
        Ok(match mode {
            Mode::Prefer => Self::On(SslMode::Prefer, connector),
            _ => Self::On(SslMode::Require, connector),
        })
    }

    /// Without the feature, a mode that requires TLS was refused before, so the mode is `prefer`.
    #[cfg(not(feature = "tls"))]
    fn on(_mode: Mode, _env: &Env) -> Result<Self, StoreError> {
        Ok(Self::Off)
    }

    pub(super) fn connect(&self, target: &Target<'_>) -> Result<Client, ConnectError> {
        match self {
            Self::Off => in_the_clear(target),
            #[cfg(feature = "tls")]
            Self::On(mode, connector) => {
                let Some(host) = target.host_name() else {
                    return in_the_clear(target);
                };
                let tls = Handshake::new(connector, host);
                let has_begun = tls.has_begun();
                match target.connect(*mode, tls) {
                    // The driver falls back by itself only if the server has no TLS at all. libpq
                    // also falls back here.
                    Err(ConnectError::Driver(error))
                        if *mode == SslMode::Prefer && refusal::is_refused(&error) =>
                    {
                        let error = es_core::error_chain(&error);
                        tracing::debug!(%error, "connecting without encryption");
                        in_the_clear(target)
                    }
                    Err(ConnectError::Driver(error)) if has_begun.lacks_tls(&error) => {
                        Err(ConnectError::LacksTls(error))
                    }
                    connected => connected,
                }
            }
        }
    }
}

fn in_the_clear(target: &Target<'_>) -> Result<Client, ConnectError> {
    target.connect(SslMode::Disable, NoTls)
}

/// Shows neither paths nor keys.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("Off"),
            #[cfg(feature = "tls")]
            Self::On(mode, _) => f.debug_tuple("On").field(mode).finish(),
        }
    }
}

impl Mode {
    /// Returns the mode of the environment. The default is `prefer`, as in libpq and so in Python.
    /// It connects without encryption where TLS is not available, for example without the cargo
    /// feature.
    fn of(env: &Env) -> Result<Self, EnvError> {
        let Some(value) = env.filled(MODE) else {
            return Ok(Self::Prefer);
        };
        let known = [
            ("disable", Self::Disable),
            ("prefer", Self::Prefer),
            ("require", Self::Require),
            ("verify-ca", Self::VerifyCa),
            ("verify-full", Self::VerifyFull),
        ];
        let found = known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(value));
        match found {
            Some((_, mode @ (Self::Disable | Self::Prefer))) => Ok(*mode),
            Some((_, mode)) if cfg!(feature = "tls") => Ok(*mode),
            Some(_) => Err(env.invalid(MODE, "there without the cargo feature `tls`")),
            None => Err(env.invalid(MODE, known.map(|(name, _)| name).join(", "))),
        }
    }
}

fn is_socket(host: &tokio_postgres::config::Host) -> bool {
    !matches!(host, tokio_postgres::config::Host::Tcp(_))
}

/// Returns `None`: without TLS there is no handshake.
#[cfg(not(feature = "tls"))]
pub(super) fn keys(_error: &tokio_postgres::Error) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests;
