//! The errors of applications and systems, by what a caller can do about them.

mod data;
mod kind;
mod not_idle;
mod policy_failure;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use es_core::{AggregateId, error_chain};
use es_store::{Conflict, EnvError, SqlError, StoreError};

pub use self::data::DataProblem;
pub use self::kind::ErrorKind;
pub use self::not_idle::{Lag, NotIdle};
pub use self::policy_failure::PolicyFailure;

/// The result of applications and runners; `Result<T, MyError>` is the usual `Result`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, as a policy may return it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The error of an application or a system.
///
/// [`Error::kind`] tells what a caller can do. The text of an error has its causes, in one line; the
/// [`source`](StdError::source) is the cause as the value that it is. Cloning is cheap: an error is
/// reported to everyone who waits for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The aggregate does not exist, or did not have that version.
    #[non_exhaustive]
    AggregateNotFound {
        /// The application that was asked.
        application: String,
        /// The topic of the aggregate.
        aggregate: &'static str,
        /// The id that was asked for.
        id: AggregateId,
        /// The version that was asked for, if one was.
        version: Option<u64>,
    },
    /// Another writer saved the same version first. Load the aggregate again and retry.
    #[non_exhaustive]
    Conflict {
        /// The application that refused the save.
        application: String,
        /// The aggregate and the version.
        conflict: Conflict,
    },
    /// Nobody can say whether a commit took place. Pending events stay; a retry is safe.
    #[non_exhaustive]
    OutcomeUnknown {
        /// The application that was saving.
        application: String,
        /// The failure of the store.
        problem: Arc<StoreError>,
    },
    /// A stored or a new event that cannot be encoded, decoded or applied.
    #[non_exhaustive]
    BadData {
        /// The application whose event it is.
        application: String,
        /// The problem, with topic, aggregate and version.
        problem: Arc<DataProblem>,
    },
    /// The environment is wrong, or applications are put together in a way that cannot work.
    #[non_exhaustive]
    Configuration {
        /// The application, or what was being put together.
        application: String,
        /// The problem, with the key or the name that it is about.
        problem: String,
        /// The error behind it, if there is one.
        cause: Option<Arc<StoreError>>,
    },
    /// The store failed: it is locked, read-only, full or out of reach.
    #[non_exhaustive]
    Store {
        /// The application whose store it is.
        application: String,
        /// The failure of the store.
        problem: Arc<StoreError>,
    },
    /// A statement of a projection failed, or a row of it could not be read. A retry does not help.
    #[non_exhaustive]
    Statement {
        /// The application whose tables they are.
        application: String,
        /// The failure. It shows no values.
        problem: Arc<StoreError>,
    },
    /// A policy failed, and its follower stopped in front of the event.
    Policy(Arc<PolicyFailure>),
    /// The upstream is not the one that was followed, so the follower stopped.
    #[non_exhaustive]
    LogChanged {
        /// The application that follows.
        application: String,
        /// The application that is followed.
        upstream: String,
        /// What does not fit.
        problem: String,
    },
    /// The system did not become idle in time.
    NotIdle(Arc<NotIdle>),
    /// A runner could not be stopped in time. Its thread is left; no batch of it commits any more.
    #[non_exhaustive]
    StillRunning {
        /// The application that follows.
        follower: String,
        /// The time that was waited.
        limit: Duration,
        /// The upstream and the position of the event whose policy does not return; `None` if no policy
        /// runs, so that the follower waits for a store.
        in_hand: Option<(String, u64)>,
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
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::AggregateNotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            Self::BadData { .. } => ErrorKind::BadData,
            Self::Configuration { .. } => ErrorKind::Configuration,
            Self::Store { .. } => ErrorKind::Store,
            Self::Statement { .. } => ErrorKind::Statement,
            Self::LogChanged { .. } => ErrorKind::LogChanged,
            Self::Policy(_) => ErrorKind::Policy,
            Self::NotIdle(_) | Self::StillRunning { .. } => ErrorKind::Timeout,
            Self::Usage(_) => ErrorKind::Usage,
            Self::Defect { .. } => ErrorKind::Defect,
        }
    }

    /// Whether it goes away by itself, when the store does better.
    pub(crate) fn is_of_store(&self) -> bool {
        matches!(self.kind(), ErrorKind::Store | ErrorKind::OutcomeUnknown)
    }

    /// The error of `application` for one of its store.
    pub(crate) fn store(application: &str, error: StoreError) -> Self {
        let application = application.to_owned();
        match error {
            StoreError::Conflict(conflict) => Self::Conflict {
                application,
                conflict,
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
            },
            problem @ StoreError::Statement { .. } => Self::Statement {
                application,
                problem: Arc::new(problem),
            },
            problem => Self::Store {
                application,
                problem: Arc::new(problem),
            },
        }
    }

    /// The error of a setting.
    pub(crate) fn env(application: &str, error: EnvError) -> Self {
        Self::store(application, error.into())
    }

    /// The error of an environment, or of applications that do not fit together.
    pub(crate) fn configuration(application: &str, problem: impl Into<String>) -> Self {
        Self::Configuration {
            application: application.to_owned(),
            problem: problem.into(),
            cause: None,
        }
    }

    /// The error of an event.
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
            Self::AggregateNotFound { .. }
            | Self::LogChanged { .. }
            | Self::NotIdle(_)
            | Self::StillRunning { .. }
            | Self::Usage(_)
            | Self::Defect { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AggregateNotFound {
                application,
                aggregate,
                id,
                version,
            } => {
                write!(f, "{application}: no `{aggregate}` {id}")?;
                version.map_or(Ok(()), |version| write!(f, " at version {version}"))
            }
            Self::Conflict {
                application,
                conflict,
            } => write!(f, "{application}: {conflict}: {}", repair_of(conflict)),
            Self::OutcomeUnknown {
                application,
                problem,
            } => write!(
                f,
                "{application}: {}; a retry is safe",
                error_chain(&**problem)
            ),
            Self::BadData {
                application,
                problem,
            } => write!(f, "{application}: {}", error_chain(&**problem)),
            Self::Store {
                application,
                problem,
            }
            | Self::Statement {
                application,
                problem,
            } => write!(f, "{application}: {}", error_chain(&**problem)),
            Self::Configuration {
                application,
                problem,
                ..
            } => write!(f, "{application}: {problem}"),
            Self::LogChanged {
                application,
                upstream,
                problem,
            } => write!(
                f,
                "{application}: the log of `{upstream}` is not the one that was followed: {problem}"
            ),
            Self::Policy(failure) => failure.fmt(f),
            Self::NotIdle(lags) => lags.fmt(f),
            Self::StillRunning {
                follower,
                limit,
                in_hand,
            } => write!(
                f,
                "`{follower}` did not stop within {limit:?}: {}",
                hold_up(in_hand)
            ),
            Self::Usage(problem) => f.write_str(problem),
            Self::Defect {
                application,
                message,
            } => write!(
                f,
                "{application}: this library panicked, please report it: {message}"
            ),
        }
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        Self::store(&error.application, error.problem)
    }
}

fn repair_of(conflict: &Conflict) -> &'static str {
    match conflict.version {
        1 => "it was created already, so load it instead",
        _ => "load the aggregate again and retry",
    }
}

fn hold_up(in_hand: &Option<(String, u64)>) -> String {
    match in_hand {
        Some((upstream, position)) => {
            format!("its policy for position {position} of `{upstream}` has not returned")
        }
        None => "no policy runs, it waits for a store".to_owned(),
    }
}
