//! The reasons, related to TLS, why a connection was refused by either side.

use std::error::Error as _;
use std::io;

use rustls::AlertDescription as Alert;
use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
use rustls::Error::{AlertReceived, InvalidCertificate};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::MODE;
use super::handshake::HandshakeError;

/// Returns true if the server may accept a connection without TLS: the handshake failed, or a rule
/// in `pg_hba.conf` forbids TLS.
pub(super) fn is_refused(error: &Error) -> bool {
    handshake(error).is_some()
        || cause(error).is_some()
        || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Returns the keys to check, or `None` if the failure is not related to TLS, such as a connection
/// that was lost meanwhile.
pub(in crate::postgres) fn keys(error: &Error) -> Option<&'static str> {
    match cause(error) {
        Some(InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
            Some("POSTGRES_HOST, POSTGRES_SSLMODE")
        }
        Some(InvalidCertificate(_)) => Some("POSTGRES_SSLROOTCERT, POSTGRES_SSLMODE"),
        Some(AlertReceived(alert)) => keys_of_alert(*alert),
        Some(_) => Some(MODE),
        // The host's name cannot be the name in any certificate.
        None if handshake(error)?.kind() == io::ErrorKind::InvalidInput => Some("POSTGRES_HOST"),
        None => None,
    }
}

/// Returns the keys to check after the server sent an alert.
fn keys_of_alert(alert: Alert) -> Option<&'static str> {
    match alert {
        Alert::AccessDenied
        | Alert::BadCertificate
        | Alert::CertificateExpired
        | Alert::CertificateRequired
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::UnsupportedCertificate => Some("POSTGRES_SSLCERT, POSTGRES_SSLMODE"),
        Alert::InternalError => None,
        _ => Some(MODE),
    }
}

/// Returns the error of the handshake, if it has failed.
fn handshake(error: &Error) -> Option<&io::Error> {
    let HandshakeError(error) = error.source()?.downcast_ref()?;
    Some(error)
}

/// Returns the error of TLS itself. A server may reject a certificate only after the handshake.
fn cause(error: &Error) -> Option<&rustls::Error> {
    let later = || error.source()?.downcast_ref::<io::Error>();
    let cause = handshake(error).or_else(later)?;
    cause.get_ref()?.downcast_ref()
}
