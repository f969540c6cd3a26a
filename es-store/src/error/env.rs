//! The errors of settings.

/// A setting that is missing or cannot be read. The value of a secret is never shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// A required setting that is missing.
    #[error("the environment has no {}", Self::either(.keys))]
    Missing {
        /// The keys that were looked up, the application's own first.
        keys: Vec<String>,
    },
    /// A setting with a value that is not allowed.
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
    /// Joins the keys of which one must be set, for a message.
    pub(crate) fn either(keys: &[String]) -> String {
        keys.join(" or ")
    }
}
