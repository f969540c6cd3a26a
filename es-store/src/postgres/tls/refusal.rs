//! Why a server was refused, or did so itself, as far as that is a matter of TLS.

use std::error::Error as _;
use std::io;

use rustls::AlertDescription as Alert;
use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
use rustls::Error::{AlertReceived, InvalidCertificate};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::MODE;

/// Returns true if the server may be content without TLS: it failed, or a rule in `pg_hba.conf` is
/// against it.
pub(super) fn is_refused(error: &Error) -> bool {
    is_handshake(error)
        || cause(error).is_some()
        || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// The keys to look at; none if it was something else that failed, such as a connection that was
/// lost meanwhile.
pub(in crate::postgres) fn keys(error: &Error) -> Option<&'static str> {
    match cause(error) {
        Some(InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
            Some("POSTGRES_HOST, POSTGRES_SSLMODE")
        }
        Some(InvalidCertificate(_)) => Some("POSTGRES_SSLROOTCERT, POSTGRES_SSLMODE"),
        Some(AlertReceived(alert)) => keys_of_alert(*alert),
        Some(_) => Some(MODE),
        None if is_handshake(error) => match error.source()?.downcast_ref::<io::Error>() {
            // The driver's own: there is no TLS.
            None => Some(MODE),
            // The host's name is none that a certificate could have.
            Some(cause) if cause.kind() == io::ErrorKind::InvalidInput => Some("POSTGRES_HOST"),
            Some(_) => None,
        },
        None => None,
    }
}

/// The server's reason for a refusal.
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

/// Returns true if the handshake failed, which the driver tells by its words alone.
fn is_handshake(error: &Error) -> bool {
    let said = "error performing TLS handshake";
    error.code().is_none() && error.to_string().starts_with(said)
}

/// The refusal by TLS itself. A server that does not like a certificate says so only after the
/// handshake.
fn cause(error: &Error) -> Option<&rustls::Error> {
    let cause: &io::Error = error.source()?.downcast_ref()?;
    cause.get_ref()?.downcast_ref()
}
