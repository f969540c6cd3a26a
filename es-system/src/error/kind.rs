//! The kinds of errors, divided by the remedy.

/// The reaction to an [`Error`](crate::Error) that can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The requested thing does not exist.
    NotFound,
    /// Another writer was first. Load again and retry.
    Conflict,
    /// It is unknown whether the save took place. Settle the doubt of the error, or save the same
    /// aggregates again; do not run the command again.
    OutcomeUnknown,
    /// The data, or the program that reads it, needs repair. A retry does not help.
    BadData,
    /// The environment, or the combination of applications, needs repair.
    Configuration,
    /// The store failed. Repair it or wait: a retry may succeed.
    Store,
    /// The statement, or its tables, need repair. A retry does not help.
    Statement,
    /// The followed log must be restored. Neither a retry nor waiting helps.
    LogChanged,
    /// The policy needs repair. A new runner then continues with the event that failed.
    Policy,
    /// Something outside of this library is not ready, as a policy has found. Wait: a retry may
    /// succeed.
    NotReady,
    /// The time was too short. Wait longer, or look at the edges that lag.
    Timeout,
    /// The call is wrong and needs repair.
    Usage,
    /// This library is at fault. Please report it.
    Defect,
}
