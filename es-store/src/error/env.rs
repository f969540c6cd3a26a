//! The errors of settings.

/// A setting that is missing or cannot be read. The value of a secret is never shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// A setting that must be there.
    #[error("the environment has no {}", Self::either(.keys))]
    Missing {
        /// The keys that were looked for, the application's own first.
        keys: Vec<String>,
    },
    /// A setting that is not what it must be.
    #[error("{key} is `{value}`, which is not {expected}")]
    Invalid {
        /// The key that was found.
        key: String,
        /// Its value; `…` for a secret.
        value: String,
        /// The values that it may have.
        expected: String,
    },
}

impl EnvError {
    /// Keys of which one must be set, as a message has them.
    pub(crate) fn either(keys: &[String]) -> String {
        keys.join(" or ")
    }
}
