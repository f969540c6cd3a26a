//! The TLS connector, built from the certificates that the environment names.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Mode;
use super::verifier::{Trusted, Verifier};
use crate::env::Env;
use crate::error::StoreError;

const ROOTS: &str = "POSTGRES_SSLROOTCERT";
const CERTIFICATE: &str = "POSTGRES_SSLCERT";
const KEY: &str = "POSTGRES_SSLKEY";

const CERTIFICATES: &str = "certificates";
const DAMAGED: &str = "it is damaged";

type Certificates = Vec<CertificateDer<'static>>;

pub(super) fn connector(mode: Mode, env: &Env) -> Result<MakeRustlsConnect, StoreError> {
    // The default provider of the process belongs to the program, so it is not used.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Configuration(format!("TLS cannot be set up: {error}")))?;
    let verifier = Verifier {
        trusted: trusted(mode, env)?,
        is_for_host: mode == Mode::VerifyFull,
        provider,
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(MakeRustlsConnect::new(with_own_certificate(builder, env)?))
}

/// Returns the authorities to trust, or `None` if any certificate is accepted. As in libpq, naming
/// authorities has them checked also under `require`. Under `prefer` they are ignored, because a
/// failed check would only lead to a connection without encryption.
fn trusted(mode: Mode, env: &Env) -> Result<Option<Trusted>, StoreError> {
    match (env.filled(ROOTS), mode) {
        (_, Mode::Prefer) => Ok(None),
        (Some(path), _) => named(path, env).map(Some),
        (None, Mode::VerifyCa | Mode::VerifyFull) => of_the_machine(env).map(Some),
        (None, _) => Ok(None),
    }
}

fn named(path: &str, env: &Env) -> Result<Trusted, StoreError> {
    let certificates = certificates(ROOTS, path, env)?;
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots
            .add(certificate.clone())
            .map_err(|_| not_a_file_with(CERTIFICATES, ROOTS, DAMAGED, env))?;
    }
    Ok(Trusted {
        roots,
        certificates,
    })
}

fn of_the_machine(env: &Env) -> Result<Trusted, StoreError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs().certs;
    let (added, _damaged) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(StoreError::Configuration(format!(
            "this machine has no certificates of authorities, and there is no {}",
            env.spelling(ROOTS)
        )));
    }
    Ok(Trusted {
        roots,
        certificates: Vec::new(),
    })
}

/// Adds the client certificate, which the server may ask for.
fn with_own_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    env: &Env,
) -> Result<ClientConfig, StoreError> {
    let (certificate, key) = match (env.filled(CERTIFICATE), env.filled(KEY)) {
        (None, None) => return Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => (certificate, key),
        (None, Some(_)) => return Err(lonely(KEY, CERTIFICATE, env)),
        (Some(_), None) => return Err(lonely(CERTIFICATE, KEY, env)),
    };
    let certificates = certificates(CERTIFICATE, certificate, env)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("an unencrypted private key", KEY, &error, env))?;
    builder
        .with_client_auth_cert(certificates, key)
        .map_err(|error| {
            let expected = format!("of the certificate that {CERTIFICATE} names: {error}");
            env.invalid(KEY, expected).into()
        })
}

fn certificates(key: &str, path: &str, env: &Env) -> Result<Certificates, StoreError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(certificates) if Certificates::is_empty(&certificates) => Err(pem::Error::NoItemsFound),
        read => read,
    }
    .map_err(|error| unreadable(CERTIFICATES, key, &error, env))
}

/// Returns the error of a damaged file. It does not show the content, which may be a private key.
fn unreadable(what: &str, key: &str, error: &pem::Error, env: &Env) -> StoreError {
    match error {
        pem::Error::Io(error) => not_a_file_with(what, key, &error.to_string(), env),
        pem::Error::NoItemsFound => not_a_file_with(what, key, "it has none", env),
        _ => not_a_file_with(what, key, DAMAGED, env),
    }
}

fn not_a_file_with(what: &str, key: &str, problem: &str, env: &Env) -> StoreError {
    env.invalid(key, format!("a file with {what} in PEM: {problem}"))
        .into()
}

fn lonely(set: &str, unset: &str, env: &Env) -> StoreError {
    StoreError::Configuration(format!(
        "{} is set, but not {}",
        env.spelling(set),
        env.spelling(unset)
    ))
}
