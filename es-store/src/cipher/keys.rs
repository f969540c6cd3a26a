//! The keys of the cipher: creating them, and reading them from the environment.

use aes_gcm::aead::Generate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Cipher, Key};
use crate::env::Env;
use crate::error::{EnvError, StoreError};

const TOPIC: &str = "CIPHER_TOPIC";
const KEY: &str = "CIPHER_KEY";
const OLD_KEYS: &str = "CIPHER_KEYS_OLD";

/// Creates a random key for `CIPHER_KEY`, in standard base64.
///
/// `size` is its number of bytes: 16, 24 or 32, for AES-128, AES-192 or AES-256. The random numbers
/// are those of the operating system. Keep the key apart from the database: together they show
/// everything, and without the key the states are lost. One key serves for fewer than 2^32 events.
///
/// ```
/// use es_store::{Env, Mapper, create_key};
///
/// let env = Env::new().with("CIPHER_TOPIC", "aes").with("CIPHER_KEY", create_key(32)?);
/// assert!(Mapper::new(&env).is_ok());
/// # Ok::<(), es_store::StoreError>(())
/// ```
///
/// # Errors
/// Fails when `size` is another number, or the operating system has no random numbers.
pub fn create_key(size: usize) -> Result<String, StoreError> {
    let refused = |problem: String| StoreError::Configuration(problem);
    if ![16, 24, 32].contains(&size) {
        return Err(refused(format!(
            "a key has 16, 24 or 32 bytes, and not {size}"
        )));
    }
    let random = <[u8; 32]>::try_generate()
        .map_err(|error| refused(format!("no key can be made: {error}")))?;
    Ok(STANDARD.encode(&random[..size]))
}

impl Cipher {
    /// Returns the cipher that `env` asks for, or `None` if it asks for none.
    pub(crate) fn from_env(env: &Env) -> Result<Option<Self>, StoreError> {
        match (env.filled(TOPIC), env.filled(KEY)) {
            (Some(_), Some(key)) => {
                check_topic(env)?;
                let key = read(env, KEY, "", key)?;
                let old = read_old(env)?;
                Ok(Some(Self { key, old }))
            }
            (Some(_), None) => {
                check_topic(env)?;
                Err(alone(env, TOPIC, KEY))
            }
            // Otherwise secret states would be stored in the clear.
            (None, Some(_)) => Err(alone(env, KEY, TOPIC)),
            (None, None) if env.filled(OLD_KEYS).is_some() => Err(alone(env, OLD_KEYS, TOPIC)),
            (None, None) => Ok(None),
        }
    }
}

fn check_topic(env: &Env) -> Result<(), EnvError> {
    match env.filled(TOPIC) {
        Some("aes" | "eventsourcing.cipher:AESCipher" | "eventsourcing.cryptography:AESCipher") => {
            Ok(())
        }
        _ => Err(env.invalid(
            TOPIC,
            "aes, eventsourcing.cipher:AESCipher or eventsourcing.cryptography:AESCipher",
        )),
    }
}

/// Returns the error for one of two settings that must be set together.
fn alone(env: &Env, there: &str, missing: &str) -> StoreError {
    StoreError::Configuration(format!(
        "{} is set, but {} is not: set both, or neither",
        env.spelling(there),
        env.spelling(missing)
    ))
}

fn read_old(env: &Env) -> Result<Vec<Key>, EnvError> {
    let keys = env
        .filled(OLD_KEYS)
        .into_iter()
        .flat_map(|keys| keys.split(','));
    keys.enumerate()
        .map(|(n, key)| read(env, OLD_KEYS, &format!(" at number {}", n + 1), key.trim()))
        .collect()
}

/// Reads a key. The error names the setting and the place `at` which the key is in it, and never
/// shows the key.
fn read(env: &Env, setting: &str, at: &str, key: &str) -> Result<Key, EnvError> {
    let bytes = STANDARD
        .decode(key)
        .map_err(|_| env.invalid(setting, format!("standard base64{at}")))?;
    let expected = || format!("16, 24 or 32 bytes in base64{at}, but {}", bytes.len());
    Key::new(&bytes).ok_or_else(|| env.invalid(setting, expected()))
}
