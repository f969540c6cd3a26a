//! The ends of commands.

use std::io;

use crate::error::{Error, ErrorKind};

/// The outcome of a command that has done what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All is well.
    Good,
    /// The command has found that something is behind or wrong.
    Bad,
}

impl Outcome {
    pub(super) fn of(is_good: bool) -> Self {
        if is_good { Self::Good } else { Self::Bad }
    }
}

/// The reason why a command did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was called in a wrong way.
    Usage(String),
    /// It failed.
    Failed(String),
    /// Nobody reads its output any more.
    Closed,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Usage => Self::Usage(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(format!("the output cannot be written: {error}")),
        }
    }
}
