//! The encryption of connections, and what is asked of the server's certificate:
//! `POSTGRES_SSLMODE`, as libpq has it.

#[cfg(feature = "tls")]
mod connector;
#[cfg(feature = "tls")]
mod refusal;
#[cfg(feature = "tls")]
mod verifier;

use std::fmt;

use tokio_postgres::config::SslMode;
#[cfg(feature = "tls")]
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, NoTls};
#[cfg(feature = "tls")]
use tokio_postgres_rustls::MakeRustlsConnect;

#[cfg(feature = "tls")]
pub(super) use self::refusal::keys;
use crate::env::Env;
use crate::error::{EnvError, StoreError};
#[cfg(feature = "tls")]
use crate::postgres_client::Stream;
use crate::postgres_client::{Client, ConnectError, Target};

const MODE: &str = "POSTGRES_SSLMODE";

/// The modes of libpq, but for `allow`, which would send the password in the clear first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The way in which connections are made.
#[derive(Clone)]
pub(super) enum Tls {
    Off,
    #[cfg(feature = "tls")]
    On(SslMode, MakeRustlsConnect),
}

impl Tls {
    /// The TLS that the environment sets for the hosts of `config`. Certificates are read here,
    /// once.
    pub(super) fn of(config: &Config, env: &Env) -> Result<Self, StoreError> {
        let mode = Mode::of(env)?;
        // As with libpq, what goes through a Unix socket is not encrypted, whatever the mode: so
        // the default costs it nothing.
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

    /// A setting that needs the feature was refused, so this is `prefer`, without anything to
    /// prefer.
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
                let mut connector = connector.clone();
                let Ok(tls) = MakeTlsConnect::<Stream>::make_tls_connect(&mut connector, host);
                match target.connect(*mode, tls) {
                    // The driver goes on by itself only where the server has no TLS at all; libpq
                    // also does so here.
                    Err(ConnectError::Driver(error))
                        if *mode == SslMode::Prefer && refusal::is_refused(&error) =>
                    {
                        let error = es_core::error_chain(&error);
                        tracing::debug!(%error, "connecting without encryption");
                        in_the_clear(target)
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

/// Shows no path and no key.
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
    /// Unset it is `prefer`, as in libpq and so in Python. It breaks nothing that works without:
    /// where TLS is not to be had, be it for want of the cargo feature, it goes on without.
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

/// Without TLS there is no handshake.
#[cfg(not(feature = "tls"))]
pub(super) fn keys(_error: &tokio_postgres::Error) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests;
