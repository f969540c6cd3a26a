//! The reasons, related to TLS, why a connection was refused by either side.

use std::error::Error as _;
use std::io;

use rustls::AlertDescription as Alert;
use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
use rustls::Error::{AlertReceived, InvalidCertificate};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::MODE;

/// Returns true if the server may accept a connection without TLS: the handshake failed, or a rule
/// in `pg_hba.conf` forbids TLS.
pub(super) fn is_refused(error: &Error) -> bool {
    is_handshake(error)
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
        None if is_handshake(error) => match error.source()?.downcast_ref::<io::Error>() {
            // The driver's own error: the server has no TLS.
            None => Some(MODE),
            // The host's name cannot be the name in any certificate.
            Some(cause) if cause.kind() == io::ErrorKind::InvalidInput => Some("POSTGRES_HOST"),
            Some(_) => None,
        },
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

/// Returns true if the handshake failed. The driver gives this kind of error neither a code nor,
/// for a server without TLS, a source with a type of its own; so its text is compared.
fn is_handshake(error: &Error) -> bool {
    let said = "error performing TLS handshake";
    error.code().is_none() && error.to_string().starts_with(said)
}

/// Returns the error of TLS itself. A server may reject a certificate only after the handshake.
fn cause(error: &Error) -> Option<&rustls::Error> {
    let cause: &io::Error = error.source()?.downcast_ref()?;
    cause.get_ref()?.downcast_ref()
}
