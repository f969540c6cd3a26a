//! The kinds of errors, by what mends them.

/// What a caller can do about an [`Error`](crate::Error).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing that was asked for does not exist.
    NotFound,
    /// Another writer was first: load again and retry.
    Conflict,
    /// Retry the same save: it is safe.
    OutcomeUnknown,
    /// Mend the data, or the program that reads it. A retry does not help.
    BadData,
    /// Mend the environment, or how applications are put together.
    Configuration,
    /// Mend the store, or wait: a retry may succeed.
    Store,
    /// Mend the statement, or the tables that it is about. A retry does not help.
    Statement,
    /// Restore the log that was followed. Neither a retry nor waiting helps.
    LogChanged,
    /// Mend the policy, then start a new runner: it goes on with the event that failed.
    Policy,
    /// Wait longer, or look at what lags.
    Timeout,
    /// Mend the call.
    Usage,
    /// Report it: this library is at fault.
    Defect,
}
