//! What can go wrong in an application or a system, by what a caller can do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use es_core::{AggregateId, ReplayError};
use es_store::{Conflict, EnvError, MapperError, SqlError, StoreError};

/// What applications and runners return; `Result<T, MyError>` is the usual `Result`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, as a policy may return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong in an application or a system.
///
/// [`Error::kind`] says in one word what a caller can do. Cloning is cheap: an error is reported to everyone who
/// waits for it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The aggregate does not exist, or did not have that version.
    #[error("{application}: no `{aggregate}` {id}{}", at_version(.version))]
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
    /// Somebody else saved the same version first. Load the aggregate again and retry.
    #[error("{application}: {conflict}: {}", what_to_do(.conflict))]
    Conflict {
        /// The application that refused the save.
        application: String,
        /// The aggregate and the version.
        conflict: Conflict,
    },
    /// Nobody can say whether a commit took place. Pending events stay; a retry is safe.
    #[error("{application}: {problem}; a retry is safe")]
    OutcomeUnknown {
        /// The application that was saving.
        application: String,
        /// What happened.
        problem: Arc<StoreError>,
    },
    /// A stored or a new event that cannot be encoded, decoded or applied.
    #[error("{application}: {problem}")]
    BadData {
        /// The application whose event it is.
        application: String,
        /// What is wrong, with topic, aggregate and version.
        problem: Arc<DataProblem>,
    },
    /// The environment, or the way applications are put together.
    #[error("{application}: {problem}")]
    Configuration {
        /// The application, or what was being put together.
        application: String,
        /// What is wrong.
        problem: String,
    },
    /// The store failed: it is locked, read-only, full or out of reach.
    #[error("{application}: {problem}")]
    Store {
        /// The application whose store it is.
        application: String,
        /// What happened.
        problem: Arc<StoreError>,
    },
    /// A statement of a projection failed, or a row of it could not be read: to run it again does not help.
    #[error("{application}: {problem}")]
    Statement {
        /// The application whose tables they are.
        application: String,
        /// What is wrong. It shows no values.
        problem: Arc<StoreError>,
    },
    /// A policy failed, and its follower stopped in front of the event.
    #[error(transparent)]
    Policy(Arc<PolicyFailure>),
    /// The upstream is not the one that was followed, so the follower stopped.
    #[error("{application}: the log of `{upstream}` is not the one that was followed: {problem}")]
    LogChanged {
        /// The application that follows.
        application: String,
        /// The application that is followed.
        upstream: String,
        /// What does not fit.
        problem: String,
    },
    /// The system did not become idle in time.
    #[error(transparent)]
    NotIdle(Arc<NotIdle>),
    /// A runner could not be stopped in time. The thread is left; no batch of it commits any more.
    #[error("`{follower}` did not stop within {limit:?}{}", while_in_hand(.in_hand))]
    StillRunning {
        /// The application that follows.
        follower: String,
        /// How long was waited.
        limit: Duration,
        /// The upstream and the position of the event whose policy does not return.
        in_hand: Option<(String, u64)>,
    },
    /// The library was used in a way that cannot work.
    #[error("{0}")]
    Usage(String),
}

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for does not exist.
    NotFound,
    /// Load again and retry.
    Conflict,
    /// Retry: it is safe.
    OutcomeUnknown,
    /// Mend the data, or the program that reads it.
    BadData,
    /// Mend the environment, or how applications are put together.
    Configuration,
    /// Mend the store, or wait.
    Store,
    /// Mend the policy, then start a new runner: it goes on with the event that failed.
    Policy,
    /// Wait longer, or look at what lags.
    Timeout,
    /// Mend the call.
    Usage,
}

/// What is wrong with an event.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DataProblem {
    /// It cannot be encoded or decoded.
    #[error(transparent)]
    Mapper(#[from] MapperError),
    /// It is of an aggregate of another type than the one that was asked for.
    #[error(
        "aggregate {id} has the event `{topic}`, so it is no `{asked}`: ask for the type that it is of"
    )]
    OtherAggregate {
        /// The aggregate.
        id: AggregateId,
        /// The event that was found.
        topic: String,
        /// The stored name of the type that was asked for.
        asked: &'static str,
    },
    /// Its row cannot be read, or written.
    #[error(transparent)]
    Row(StoreError),
    /// It cannot be applied.
    #[error("aggregate {id}: {problem}")]
    Replay {
        /// The aggregate that was rebuilt.
        id: AggregateId,
        /// What is wrong.
        problem: ReplayError,
    },
}

/// A policy that returned an error or panicked, or an event for it that could not be decoded.
#[derive(Debug, thiserror::Error)]
#[error(
    "{application}: the policy for `{topic}` failed at position {position} of `{upstream}` \
     (aggregate {originator_id}, version {originator_version}): {error}"
)]
#[non_exhaustive]
pub struct PolicyFailure {
    /// The application that follows.
    pub application: String,
    /// The application that is followed.
    pub upstream: String,
    /// The position of the event that failed; everything before it is processed.
    pub position: u64,
    /// The topic of the event.
    pub topic: String,
    /// The aggregate of the event.
    pub originator_id: AggregateId,
    /// The version of the event.
    pub originator_version: u64,
    /// What the policy returned, or what its panic said.
    pub error: BoxError,
}

/// A system that did not become idle in time: the edges that lag, and what holds them up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotIdle {
    /// How long was waited.
    pub waited: Duration,
    /// The edges that lag, in the order of definition.
    pub lags: Vec<Lag>,
}

/// An edge of a system whose follower has not processed everything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// The application that is followed.
    pub upstream: String,
    /// The application that follows.
    pub follower: String,
    /// The position up to which it has processed.
    pub position: u64,
    /// The last position of the upstream.
    pub head: u64,
    /// The failure of the store that is being retried, if one is.
    pub retrying: Option<String>,
}

impl std::error::Error for NotIdle {}

impl fmt::Display for NotIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not idle after {:?}", self.waited)?;
        for Lag {
            upstream,
            follower,
            position,
            head,
            retrying,
        } in &self.lags
        {
            write!(
                f,
                "; `{follower}` is at {position} of {head} in `{upstream}`"
            )?;
            if let Some(error) = retrying {
                write!(f, " (retrying: {error})")?;
            }
        }
        if self.lags.is_empty() {
            f.write_str("; positions keep moving")?;
        }
        Ok(())
    }
}

fn what_to_do(conflict: &Conflict) -> &'static str {
    match conflict.version {
        1 => "it was created already, so load it instead",
        _ => "load the aggregate again and retry",
    }
}

impl Error {
    /// Whether it goes away by itself, when the store does better.
    pub(crate) fn is_of_store(&self) -> bool {
        match self {
            Self::Store { problem, .. } => !matches!(**problem, StoreError::Closed { .. }),
            Self::OutcomeUnknown { .. } => true,
            _ => false,
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::AggregateNotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            Self::BadData { .. } => ErrorKind::BadData,
            Self::Configuration { .. } => ErrorKind::Configuration,
            Self::Store { .. } | Self::LogChanged { .. } => ErrorKind::Store,
            Self::Policy(_) => ErrorKind::Policy,
            Self::NotIdle(_) | Self::StillRunning { .. } => ErrorKind::Timeout,
            Self::Usage(_) | Self::Statement { .. } => ErrorKind::Usage,
        }
    }

    pub(crate) fn store(application: &str, error: StoreError) -> Self {
        let application = application.to_owned();
        match error {
            StoreError::Conflict(conflict) => Self::Conflict {
                application,
                conflict,
            },
            StoreError::Configuration(problem) => Self::Configuration {
                application,
                problem,
            },
            StoreError::Env(error) => Self::env(&application, error),
            problem @ StoreError::WouldBlock { .. } => {
                Self::Usage(format!("{application}: {problem}"))
            }
            problem @ StoreError::IdType { .. } => Self::Configuration {
                application,
                problem: problem.to_string(),
            },
            problem @ (StoreError::DamagedRow { .. }
            | StoreError::Gap { .. }
            | StoreError::Invalid(_)) => Self::BadData {
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

    pub(crate) fn env(application: &str, error: EnvError) -> Self {
        Self::Configuration {
            application: application.to_owned(),
            problem: error.to_string(),
        }
    }

    pub(crate) fn data(application: &str, problem: impl Into<DataProblem>) -> Self {
        Self::BadData {
            application: application.to_owned(),
            problem: Arc::new(problem.into()),
        }
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        Self::store(&error.application, error.problem)
    }
}

fn at_version(version: &Option<u64>) -> String {
    version.map_or_else(String::new, |version| format!(" at version {version}"))
}

fn while_in_hand(in_hand: &Option<(String, u64)>) -> String {
    in_hand
        .as_ref()
        .map_or_else(String::new, |(upstream, position)| {
            format!(": its policy for position {position} of `{upstream}` has not returned")
        })
}
