//! The errors of applications and systems, divided by the reaction of a caller.

mod data;
mod display;
mod doubt;
mod kind;
mod not_idle;
mod policy_failure;
mod retry_later;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use es_core::{AggregateId, error_chain};
use es_store::{Conflict, DecisionKind, EnvError, Remedy, SqlError, StoreError};

pub use self::data::DataProblem;
pub(crate) use self::doubt::Attempt;
pub use self::doubt::Doubt;
pub use self::kind::ErrorKind;
pub use self::not_idle::{Lag, NotIdle};
pub use self::policy_failure::PolicyFailure;
pub use self::retry_later::RetryLater;

/// The result of applications and runners. `Result<T, MyError>` is the usual `Result`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error that a policy may return.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The error of an application or a system.
///
/// [`Error::kind`] tells a caller how to react. The text of an error includes its causes in one
/// line; [`source`](StdError::source) returns the cause itself. Cloning is cheap, because one error
/// is reported to everyone who waits for it.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The aggregate does not exist, or did not have that version.
    #[non_exhaustive]
    AggregateNotFound {
        /// The application whose repository was searched.
        application: String,
        /// The topic of the aggregate.
        aggregate: &'static str,
        /// The id that was searched for.
        id: AggregateId,
        /// The version that was searched for, if one was given.
        version: Option<u64>,
    },
    /// Another writer saved the same version first. Load the aggregate again and retry.
    #[non_exhaustive]
    Conflict {
        /// The application that refused the save.
        application: String,
        /// The aggregate and the version.
        conflict: Conflict,
        /// The number of attempts.
        attempts: u32,
    },
    /// It is unknown whether a commit took place. Pending events are kept.
    #[non_exhaustive]
    OutcomeUnknown {
        /// The application that was saving.
        application: String,
        /// The last failure of the store.
        problem: Arc<StoreError>,
        /// The save, which can be sent again; `None` for a batch of a follower, which runs again by
        /// itself.
        doubt: Option<Doubt>,
        /// The number of attempts.
        attempts: u32,
    },
    /// A stored or a new event cannot be encoded, decoded or applied.
    #[non_exhaustive]
    BadData {
        /// The application of the event.
        application: String,
        /// The problem, with topic, aggregate and version.
        problem: Arc<DataProblem>,
    },
    /// The environment is wrong, or applications are combined in a way that cannot work.
    #[non_exhaustive]
    Configuration {
        /// The application, or the object that was to be built.
        application: String,
        /// The problem, with the key or the name concerned.
        problem: String,
        /// The cause, if there is one.
        cause: Option<Arc<StoreError>>,
    },
    /// The store failed: it is locked, read-only, full or unreachable.
    #[non_exhaustive]
    Store {
        /// The application of the store.
        application: String,
        /// The failure of the store.
        problem: Arc<StoreError>,
        /// The number of attempts.
        attempts: u32,
    },
    /// A statement of a projection failed, or a row could not be read. A retry does not help.
    #[non_exhaustive]
    Statement {
        /// The application of the tables.
        application: String,
        /// The failure. It contains no values.
        problem: Arc<StoreError>,
    },
    /// A policy failed, and its follower stopped in front of the event.
    Policy(Arc<PolicyFailure>),
    /// The error of a policy for which the world is not ready. Its follower waits.
    RetryLater(RetryLater),
    /// The upstream is another log than before, so the follower has stopped.
    #[non_exhaustive]
    LogChanged {
        /// The application that follows.
        application: String,
        /// The application that is followed.
        upstream: String,
        /// The difference that was found.
        problem: String,
    },
    /// A follower has set an event aside, or passes over it, so the effects of the event are not
    /// there.
    #[non_exhaustive]
    SetAside {
        /// The application that follows.
        application: String,
        /// The application that is followed.
        upstream: String,
        /// The position of the event.
        position: u64,
        /// The decision about it; `None` while it waits to be processed.
        decision: Option<DecisionKind>,
        /// The error of the last attempt, with its causes.
        problem: String,
    },
    /// The system did not become idle in time.
    NotIdle(Arc<NotIdle>),
    /// A runner could not be stopped in time. Its thread goes on, but none of its batches commits
    /// any more.
    #[non_exhaustive]
    StillRunning {
        /// The application that follows.
        follower: String,
        /// The time for which the call waited.
        limit: Duration,
        /// The upstream and the position of the event whose policy has not returned; `None` if the
        /// follower waits for a store, within a policy or outside of one.
        in_hand: Option<(String, u64)>,
    },
    /// Applications that follow each other, or whose policies save to those that they follow,
    /// answer each other without end. The next call goes on with the rest.
    #[non_exhaustive]
    EndlessCycle {
        /// The applications of the cycle.
        applications: Vec<String>,
        /// The number of events that they have processed for one call.
        events: u64,
    },
    /// The library was used in a way that cannot work.
    Usage(String),
    /// This library panicked. The follower has stopped, and nothing of its batch was committed.
    #[non_exhaustive]
    Defect {
        /// The application that follows.
        application: String,
        /// The message of the panic.
        message: String,
    },
}

impl Error {
    /// Returns the kind of the error, which tells a caller how to react.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::AggregateNotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            Self::BadData { .. } => ErrorKind::BadData,
            Self::Configuration { .. } | Self::EndlessCycle { .. } => ErrorKind::Configuration,
            Self::Store { .. } => ErrorKind::Store,
            Self::Statement { .. } => ErrorKind::Statement,
            Self::LogChanged { .. } => ErrorKind::LogChanged,
            Self::Policy(_) | Self::SetAside { .. } => ErrorKind::Policy,
            Self::RetryLater(_) => ErrorKind::NotReady,
            Self::NotIdle(_) | Self::StillRunning { .. } => ErrorKind::Timeout,
            Self::Usage(_) => ErrorKind::Usage,
            Self::Defect { .. } => ErrorKind::Defect,
        }
    }

    /// Returns the save whose outcome is unknown, if this is an
    /// [`OutcomeUnknown`](Self::OutcomeUnknown) of a save. [`Doubt::settle`] finds its outcome.
    pub fn doubt(&self) -> Option<&Doubt> {
        match self {
            Self::OutcomeUnknown { doubt, .. } => doubt.as_ref(),
            _ => None,
        }
    }

    /// Returns the error with the number of attempts after which it is returned.
    pub(crate) fn after(mut self, tries: u32) -> Self {
        if let Self::Conflict { attempts, .. }
        | Self::OutcomeUnknown { attempts, .. }
        | Self::Store { attempts, .. } = &mut self
        {
            *attempts = tries;
        }
        self
    }

    /// Returns the remedy, if this is a failure of a store.
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Conflict { .. } => Remedy::RetryNow,
            Self::OutcomeUnknown { problem, .. }
            | Self::Store { problem, .. }
            | Self::Statement { problem, .. } => problem.remedy(),
            Self::Configuration {
                cause: Some(problem),
                ..
            } => problem.remedy(),
            Self::BadData { problem, .. } => match &**problem {
                DataProblem::Row(problem) => problem.remedy(),
                _ => Remedy::Nothing,
            },
            _ => Remedy::Nothing,
        }
    }

    /// Returns true if the failure may pass when the store recovers, or is configured otherwise.
    pub(crate) fn is_of_store(&self) -> bool {
        let is_of_another_writer = matches!(self, Self::Conflict { .. });
        let can_pass = matches!(
            self.remedy(),
            Remedy::RetryNow | Remedy::RetryLater | Remedy::OtherConfiguration
        );
        can_pass && !is_of_another_writer
    }

    /// Returns true if the store has to be configured otherwise.
    pub(crate) fn is_of_configuration(&self) -> bool {
        self.remedy() == Remedy::OtherConfiguration
    }

    /// Returns the application with which the text begins.
    fn application(&self) -> Option<&str> {
        match self {
            Self::AggregateNotFound { application, .. }
            | Self::Conflict { application, .. }
            | Self::OutcomeUnknown { application, .. }
            | Self::BadData { application, .. }
            | Self::Configuration { application, .. }
            | Self::Store { application, .. }
            | Self::Statement { application, .. }
            | Self::LogChanged { application, .. }
            | Self::SetAside { application, .. }
            | Self::Defect { application, .. } => Some(application),
            Self::Policy(_)
            | Self::RetryLater(_)
            | Self::NotIdle(_)
            | Self::StillRunning { .. }
            | Self::EndlessCycle { .. }
            | Self::Usage(_) => None,
        }
    }

    /// Converts an error of the store into one of `application`.
    pub(crate) fn store(application: &str, error: StoreError) -> Self {
        let application = application.to_owned();
        match error {
            StoreError::Conflict(conflict) => Self::Conflict {
                application,
                conflict,
                attempts: 1,
            },
            problem @ (StoreError::Configuration { .. }
            | StoreError::Env(_)
            | StoreError::IdType { .. }) => {
                let text = error_chain(&problem).to_string();
                Self::Configuration {
                    application,
                    problem: text,
                    cause: Some(Arc::new(problem)),
                }
            }
            problem @ (StoreError::WouldBlock { .. } | StoreError::Closed { .. }) => {
                Self::Usage(format!("{application}: {problem}"))
            }
            problem @ (StoreError::DamagedRow { .. }
            | StoreError::Gap { .. }
            | StoreError::Invalid(_)
            | StoreError::Refused { .. }) => Self::BadData {
                application,
                problem: Arc::new(DataProblem::Row(problem)),
            },
            problem @ StoreError::OutcomeUnknown { .. } => Self::OutcomeUnknown {
                application,
                problem: Arc::new(problem),
                doubt: None,
                attempts: 1,
            },
            problem @ StoreError::Statement { .. } => Self::Statement {
                application,
                problem: Arc::new(problem),
            },
            problem => Self::Store {
                application,
                problem: Arc::new(problem),
                attempts: 1,
            },
        }
    }

    /// Converts the error of a setting into one of `application`.
    pub(crate) fn env(application: &str, error: EnvError) -> Self {
        Self::store(application, error.into())
    }

    /// Returns the error of an environment or of applications that do not fit together.
    pub(crate) fn configuration(application: &str, problem: impl Into<String>) -> Self {
        Self::Configuration {
            application: application.to_owned(),
            problem: problem.into(),
            cause: None,
        }
    }

    /// Returns the error of an event.
    pub(crate) fn data(application: &str, problem: impl Into<DataProblem>) -> Self {
        Self::BadData {
            application: application.to_owned(),
            problem: Arc::new(problem.into()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Conflict { conflict, .. } => Some(conflict),
            Self::OutcomeUnknown { problem, .. }
            | Self::Store { problem, .. }
            | Self::Statement { problem, .. } => Some(&**problem),
            Self::BadData { problem, .. } => Some(&**problem),
            Self::Configuration { cause, .. } => Some(&**cause.as_ref()?),
            Self::Policy(failure) => failure.source(),
            Self::RetryLater(later) => Some(later),
            Self::AggregateNotFound { .. }
            | Self::LogChanged { .. }
            | Self::SetAside { .. }
            | Self::NotIdle(_)
            | Self::StillRunning { .. }
            | Self::EndlessCycle { .. }
            | Self::Usage(_)
            | Self::Defect { .. } => None,
        }
    }
}

impl From<RetryLater> for Error {
    fn from(error: RetryLater) -> Self {
        Self::RetryLater(error)
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        Self::store(&error.application, error.problem)
    }
}
