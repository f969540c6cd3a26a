//! The settings of a program: a map with the keys of the Python library.

mod factory;
mod keys;
mod misspelled;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use es_core::IdType;

pub use self::factory::StoreFactory;
pub use self::keys::{KEYS, Key, KeyScope};
pub use self::settings::{InMemory, Postgres, Settings, Sqlite, SslMode};
use crate::error::EnvError;

/// The settings of a program: a map from keys to values. All keys are in [`KEYS`].
///
/// For the application `DogSchool`, the key `DOGSCHOOL_SQLITE_DBNAME` wins over `SQLITE_DBNAME`. A
/// value that is empty counts as set: an empty `DOGSCHOOL_KEY` hides `KEY`. A boolean, a number or
/// a time that is empty is its default. Cloning copies the map.
///
/// ```
/// use es_store::Env;
///
/// let env = Env::new()
///     .with("SQLITE_DBNAME", "all.db")
///     .with("DOGSCHOOL_SQLITE_DBNAME", "dogs.db");
/// assert_eq!(env.for_application("DogSchool").get("SQLITE_DBNAME"), Some("dogs.db"));
/// assert_eq!(env.for_application("Counters").get("SQLITE_DBNAME"), Some("all.db"));
/// ```
#[derive(Clone, Default)]
pub struct Env {
    values: BTreeMap<String, String>,
    application: Option<String>,
    store: Option<Arc<dyn StoreFactory>>,
}

impl Env {
    /// Creates an environment without settings: stores are in memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the environment of this process, without what is not Unicode.
    pub fn from_process() -> Self {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            values: std::env::vars_os().filter_map(text).collect(),
            ..Self::default()
        }
    }

    /// Returns the same settings, with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets `key` to `value`.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.values.insert(key.into(), value.into());
    }

    /// Returns the same settings, with those of `own` for the application `name`, where they win. A
    /// store that the program has given is for all applications, and is not taken over from `own`.
    #[must_use]
    pub fn with_application(mut self, name: &str, own: impl Into<Self>) -> Self {
        let own = own.into().values.into_iter();
        let prefixed = own.map(|(key, value)| (format!("{}_{key}", name.to_uppercase()), value));
        self.values.extend(prefixed);
        self
    }

    /// Returns the keys that are set.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns the same settings, with a store that the program gives in place of the one that
    /// `PERSISTENCE_MODULE` names.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn StoreFactory>) -> Self {
        Self {
            store: Some(store),
            ..self
        }
    }

    /// Returns the store that the program has given, if it has.
    pub fn store(&self) -> Option<&Arc<dyn StoreFactory>> {
        self.store.as_ref()
    }

    /// Returns the settings as the application `name` sees them.
    #[must_use]
    pub fn for_application(&self, name: &str) -> Self {
        Self {
            application: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// Returns the name of the application that sees these settings, if it is one.
    pub fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// Returns the value of `key`, which may be empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.find(key).map(|(_, value)| value)
    }

    /// Returns the value of a required `key`, which may be empty.
    ///
    /// # Errors
    /// Fails when it is missing. The error lists both spellings.
    pub fn require(&self, key: &str) -> Result<&str, EnvError> {
        self.get(key).ok_or_else(|| EnvError::Missing {
            keys: self.spellings(key),
        })
    }

    /// Returns the value of `key` as a boolean: y yes t true on 1, or n no f false off 0, in any
    /// case.
    ///
    /// # Errors
    /// Fails when it is anything else.
    pub fn boolean(&self, key: &str, default: bool) -> Result<bool, EnvError> {
        const TRUE: [&str; 6] = ["y", "yes", "t", "true", "on", "1"];
        const FALSE: [&str; 6] = ["n", "no", "f", "false", "off", "0"];
        self.parsed(key, "yes or no", |value| {
            let is_one_of =
                |words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
            match (is_one_of(TRUE), is_one_of(FALSE)) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        })
        .map(|value| value.unwrap_or(default))
    }

    /// Returns the value of `key` as a number.
    ///
    /// # Errors
    /// Fails when it is not such a number.
    pub fn number<T: FromStr>(&self, key: &str, default: T) -> Result<T, EnvError> {
        self.parsed(key, "a number in range", |value| value.parse().ok())
            .map(|value| value.unwrap_or(default))
    }

    /// Returns the value of `key` as a number of seconds, which may have a fraction.
    ///
    /// # Errors
    /// Fails when it is not a number, or negative.
    pub fn seconds(&self, key: &str, default: Duration) -> Result<Duration, EnvError> {
        let seconds = |value: &str| Duration::try_from_secs_f64(value.parse().ok()?).ok();
        self.parsed(key, "a number of seconds", seconds)
            .map(|value| value.unwrap_or(default))
    }

    /// Returns the value of `key` as `parse` reads it, or `None` if it is not set or is empty.
    ///
    /// # Errors
    /// Fails when `parse` fails. The error of `parse` describes the expected value, as in "a number
    /// of seconds".
    pub fn parse<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, EnvError> {
        let read = |value| parse(value).map_err(|expected| self.invalid(key, expected));
        self.filled(key).map(read).transpose()
    }

    /// Returns the form of the ids of aggregates, from `ORIGINATOR_ID_TYPE`: `uuid`, the default,
    /// or `text`.
    ///
    /// # Errors
    /// Fails when it is anything else.
    pub fn id_type(&self) -> Result<IdType, EnvError> {
        self.parsed("ORIGINATOR_ID_TYPE", "uuid or text", |value| {
            match value.to_ascii_lowercase().as_str() {
                "uuid" => Some(IdType::Uuid),
                "text" => Some(IdType::Text),
                _ => None,
            }
        })
        .map(Option::unwrap_or_default)
    }

    /// Creates the error for a value of `key` that cannot be read.
    pub(crate) fn invalid(&self, key: &str, expected: impl Into<String>) -> EnvError {
        let (key, value) = self.find(key).unwrap_or((key.to_owned(), ""));
        let value = if is_secret(&key) { "…" } else { value }.to_owned();
        EnvError::Invalid {
            key,
            value,
            expected: expected.into(),
        }
    }

    /// Returns the value of `key`, if it is set and not empty.
    pub(crate) fn filled(&self, key: &str) -> Option<&str> {
        self.get(key)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// Returns the key under which the value of `key` was found, or both spellings if it was not.
    pub(crate) fn spelling(&self, key: &str) -> String {
        match self.find(key) {
            Some((found, _)) => found,
            None => EnvError::either(&self.spellings(key)),
        }
    }

    fn parsed<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, EnvError> {
        self.parse(key, |value| parse(value).ok_or_else(|| expected.to_owned()))
    }

    fn find(&self, key: &str) -> Option<(String, &str)> {
        self.spellings(key).into_iter().find_map(|key| {
            let value = self.values.get(&key)?;
            Some((key, value.as_str()))
        })
    }

    fn spellings(&self, key: &str) -> Vec<String> {
        let own = self
            .application
            .as_ref()
            .map(|name| format!("{}_{key}", name.to_uppercase()));
        own.into_iter().chain([key.to_owned()]).collect()
    }
}

/// Returns true if the value of `key` is never shown. The environment of a process also has the
/// secrets of other programs.
fn is_secret(key: &str) -> bool {
    const SIGNS: [&str; 5] = ["PASS", "KEY", "SECRET", "TOKEN", "CREDENTIAL"];
    let key = key.to_uppercase();
    SIGNS.iter().any(|sign| key.contains(sign))
}

/// Hides the values of secrets: of keys that contain PASS, KEY, SECRET, TOKEN or CREDENTIAL.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(key, value): (&String, &String)| {
            (
                key.clone(),
                if is_secret(key) {
                    "…".to_owned()
                } else {
                    value.clone()
                },
            )
        };
        let values: BTreeMap<_, _> = self.values.iter().map(shown).collect();
        f.debug_struct("Env")
            .field("application", &self.application)
            .field("values", &values)
            .field(
                "store",
                &self.store.as_ref().map(|_| "given by the program"),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applications_own_key_wins_even_if_it_is_empty() {
        let env = Env::new().with("X", "all").with("DOGSCHOOL_X", "");
        assert_eq!(env.get("X"), Some("all"));
        assert_eq!(env.for_application("DogSchool").get("X"), Some(""));
        assert_eq!(env.for_application("Cats").get("X"), Some("all"));
    }

    #[test]
    fn a_missing_key_is_named_in_both_spellings() {
        let missing = Env::new()
            .for_application("DogSchool")
            .require("X")
            .expect_err("missing")
            .to_string();
        assert_eq!(missing, "the environment has no DOGSCHOOL_X or X");
    }

    #[test]
    fn booleans_are_read_in_every_spelling_and_nothing_else_is() {
        for (value, read) in [
            ("Y", true),
            ("yes", true),
            ("T", true),
            ("On", true),
            ("1", true),
            ("", true),
        ] {
            assert_eq!(
                Env::new().with("X", value).boolean("X", true),
                Ok(read),
                "{value}"
            );
        }
        for value in ["n", "NO", "f", "False", "off", "0"] {
            assert_eq!(
                Env::new().with("X", value).boolean("X", true),
                Ok(false),
                "{value}"
            );
        }
        let refused = Env::new()
            .with("X", "maybe")
            .boolean("X", true)
            .expect_err("no boolean")
            .to_string();
        assert_eq!(refused, "X is `maybe`, which is not yes or no");
    }

    #[test]
    fn seconds_may_have_fractions_but_are_never_negative() {
        let seconds = |value: &str| {
            Env::new()
                .with("X", value)
                .seconds("X", Duration::from_secs(5))
        };
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds(""), Ok(Duration::from_secs(5)));
        for value in ["-1", "nan", "inf", "1e300", "soon"] {
            assert!(seconds(value).is_err(), "{value}");
        }
    }

    #[test]
    fn secrets_are_shown_nowhere() {
        let env = Env::new()
            .with("CIPHER_KEY", "hush")
            .with("POSTGRES_PASSWORD", "hush")
            .with("A", "seen");
        let shown = format!(
            "{env:?}{}",
            env.number::<u64>("CIPHER_KEY", 0).expect_err("no number")
        );
        assert!(
            !shown.contains("hush") && shown.contains("seen") && shown.contains("CIPHER_KEY"),
            "{shown}"
        );
    }
}
