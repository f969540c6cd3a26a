//! The errors of a store and of its settings.
//!
//! The message of an error does not contain its cause: the cause is its `source()`, and
//! [`es_core::error_chain`] shows both.

mod env;
mod mapper;
mod remedy;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use es_core::{AggregateId, IdType};

pub use self::env::EnvError;
pub use self::mapper::{MapperError, MapperProblem};
pub use self::remedy::Remedy;

/// The error of a driver or of the system, which an error of the store has as its source.
type Cause = Arc<dyn Error + Send + Sync>;

/// A conflict: this version of the aggregate exists already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of aggregate {id} exists already")]
#[non_exhaustive]
pub struct Conflict {
    /// The aggregate.
    pub id: AggregateId,
    /// The version that another writer saved first.
    pub version: u64,
}

impl Conflict {
    /// Creates the conflict at `version` of the aggregate `id`.
    pub fn new(id: impl Into<AggregateId>, version: u64) -> Self {
        Self {
            id: id.into(),
            version,
        }
    }
}

/// The error of a store. Its message names the store; the caller adds the application.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer saved this version of an aggregate first. Load the aggregate again and retry.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A version of an aggregate without its predecessor. The aggregate could not be rebuilt from
    /// it.
    #[error("version {version} of aggregate {id} does not follow: version {} is not there", .version.saturating_sub(1))]
    #[non_exhaustive]
    Gap {
        /// The aggregate.
        id: AggregateId,
        /// The version whose predecessor is neither stored nor earlier in the same recording.
        version: u64,
    },
    /// The recorded position is not the one at which the batch started, or it counts for other
    /// policies: another instance of the follower moved it.
    #[error("the position in `{upstream}` {}: another instance of this follower moved it", moved(*.expected, *.found))]
    #[non_exhaustive]
    PositionMoved {
        /// The application that is followed.
        upstream: String,
        /// The position that the batch started at.
        expected: u64,
        /// The position that is recorded.
        found: u64,
    },
    /// A change does not find the row that it expects: another program has changed what is set
    /// aside.
    #[error(
        "what is set aside at position {position} of `{upstream}` was changed by another program"
    )]
    #[non_exhaustive]
    SetAsideChanged {
        /// The application that is followed.
        upstream: String,
        /// The position of the event that the change is about.
        position: u64,
    },
    /// The id of an aggregate does not have the form that the store keeps.
    #[error("aggregate {id} has an id of type {}, but ORIGINATOR_ID_TYPE is {expected}: set it to `{}` to keep such ids", .id.id_type(), .id.id_type())]
    #[non_exhaustive]
    IdType {
        /// The id.
        id: AggregateId,
        /// The form that the store keeps.
        expected: IdType,
    },
    /// A stored row that cannot be read.
    #[error("{store}: damaged row {at}: {problem}")]
    #[non_exhaustive]
    DamagedRow {
        /// The store, for example its file.
        store: String,
        /// The row: a position, or an aggregate and a version.
        at: String,
        /// The problem.
        problem: String,
    },
    /// A recording that no store can keep, because of a number that is too large, a move backwards,
    /// or a reserved name.
    #[error("it cannot be recorded: {0}")]
    Invalid(String),
    /// Content that this store does not keep, such as an id that is too long for an index, or a row
    /// that a constraint or a trigger of the user's own refuses. A retry does not help.
    #[error("{store}: {doing} was refused")]
    #[non_exhaustive]
    Refused {
        /// The store, for example its file.
        store: String,
        /// The operation that failed.
        doing: &'static str,
        /// The error of the driver.
        #[source]
        error: Cause,
    },
    /// The environment or the store is configured wrongly.
    #[error("{0}")]
    Configuration(String),
    /// A setting that is missing or cannot be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Another connection holds a lock for longer than the limit.
    #[error("{store}: locked by {holder} for longer than {limit:?} ({key})")]
    #[non_exhaustive]
    Locked {
        /// The store, for example its file.
        store: String,
        /// The holder of the lock, as far as it is known.
        holder: String,
        /// The limit.
        limit: Duration,
        /// The environment key that sets the limit.
        key: &'static str,
    },
    /// The store can only be read.
    #[error("{store}: read-only: {doing} is refused")]
    #[non_exhaustive]
    ReadOnly {
        /// The store, for example its file.
        store: String,
        /// The operation that failed.
        doing: &'static str,
    },
    /// The commit failed in a way that leaves its outcome unknown. Sending the same recording
    /// again, as [resent](crate::Recording::resent), is safe and finds it out.
    #[error("{store}: it is unknown whether the commit took place")]
    #[non_exhaustive]
    OutcomeUnknown {
        /// The store.
        store: String,
        /// The failure, for example a lost connection.
        #[source]
        error: Cause,
    },
    /// The store was called inside an async task, which it would block.
    #[error(
        "{store}: it blocks, and cannot be used in the middle of an async task: do it on a thread that may block, with \
         `es_system::tokio::run(..)` (cargo feature `tokio`) or `tokio::task::spawn_blocking(..)`"
    )]
    #[non_exhaustive]
    WouldBlock {
        /// The store.
        store: String,
    },
    /// The store was closed.
    #[error("{store}: closed")]
    #[non_exhaustive]
    Closed {
        /// The store.
        store: String,
    },
    /// A statement of the user's own is wrong, or not allowed. A retry does not help.
    #[error("{store}: a statement failed: {problem}")]
    #[non_exhaustive]
    Statement {
        /// The store, for example its file.
        store: String,
        /// The problem. It shows no values.
        problem: String,
    },
    /// The driver failed: a full disk, a damaged file, a lost connection.
    #[error("{store}: {doing} failed")]
    #[non_exhaustive]
    Driver {
        /// The store, for example its file.
        store: String,
        /// The operation that failed.
        doing: &'static str,
        /// The error of the driver, or of the system.
        #[source]
        error: Cause,
        /// The remedy.
        remedy: Remedy,
    },
}

impl StoreError {
    /// Returns true if the store has judged a recording and refused it because of its content. Then
    /// no attempt at it has been recorded, and none that is still under way will be.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Conflict(_)
            | Self::Gap { .. }
            | Self::PositionMoved { .. }
            | Self::SetAsideChanged { .. }
            | Self::IdType { .. }
            | Self::Invalid(_)
            | Self::Refused { .. } => true,
            Self::DamagedRow { .. }
            | Self::Configuration(_)
            | Self::Env(_)
            | Self::Locked { .. }
            | Self::ReadOnly { .. }
            | Self::OutcomeUnknown { .. }
            | Self::WouldBlock { .. }
            | Self::Closed { .. }
            | Self::Statement { .. }
            | Self::Driver { .. } => false,
        }
    }

    /// Returns the remedy, by which a follower decides about the events that it has in hand.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Conflict(_) | Self::PositionMoved { .. } | Self::SetAsideChanged { .. } => {
                Remedy::RetryNow
            }
            // A read-only server may be a standby that is about to take over.
            Self::Locked { .. } | Self::ReadOnly { .. } | Self::OutcomeUnknown { .. } => {
                Remedy::RetryLater
            }
            Self::Gap { .. }
            | Self::IdType { .. }
            | Self::Invalid(_)
            | Self::Refused { .. }
            | Self::Statement { .. } => Remedy::OtherContent,
            Self::Configuration(_) => Remedy::OtherConfiguration,
            // The environment of a process does not change.
            Self::Env(_)
            | Self::DamagedRow { .. }
            | Self::WouldBlock { .. }
            | Self::Closed { .. } => Remedy::Nothing,
            Self::Driver { remedy, .. } => *remedy,
        }
    }
}

/// Constructors, for stores of your own and for tests that make a store fail.
impl StoreError {
    /// [`Gap`](Self::Gap): `version` of the aggregate `id` does not follow.
    pub fn gap(id: AggregateId, version: u64) -> Self {
        Self::Gap { id, version }
    }

    /// [`PositionMoved`](Self::PositionMoved): the position in `upstream` is `found`.
    pub fn position_moved(upstream: impl Into<String>, expected: u64, found: u64) -> Self {
        Self::PositionMoved {
            upstream: upstream.into(),
            expected,
            found,
        }
    }

    /// [`SetAsideChanged`](Self::SetAsideChanged): another program has changed what is set aside.
    pub fn set_aside_changed(upstream: impl Into<String>, position: u64) -> Self {
        Self::SetAsideChanged {
            upstream: upstream.into(),
            position,
        }
    }

    /// [`IdType`](Self::IdType): the store keeps ids of the form `expected`.
    pub fn id_type(id: AggregateId, expected: IdType) -> Self {
        Self::IdType { id, expected }
    }

    /// [`DamagedRow`](Self::DamagedRow): the row `at` cannot be read.
    pub fn damaged_row(
        store: impl Into<String>,
        at: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::DamagedRow {
            store: store.into(),
            at: at.into(),
            problem: problem.into(),
        }
    }

    /// [`Refused`](Self::Refused): the store does not keep this content.
    pub fn refused(
        store: impl Into<String>,
        doing: &'static str,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Refused {
            store: store.into(),
            doing,
            error: Arc::from(error.into()),
        }
    }

    /// [`Locked`](Self::Locked): `holder` has had a lock for longer than `limit`.
    pub fn locked(
        store: impl Into<String>,
        holder: impl Into<String>,
        limit: Duration,
        key: &'static str,
    ) -> Self {
        Self::Locked {
            store: store.into(),
            holder: holder.into(),
            limit,
            key,
        }
    }

    /// [`ReadOnly`](Self::ReadOnly): the store can only be read.
    pub fn read_only(store: impl Into<String>, doing: &'static str) -> Self {
        Self::ReadOnly {
            store: store.into(),
            doing,
        }
    }

    /// [`OutcomeUnknown`](Self::OutcomeUnknown): it is unknown whether a commit took place.
    pub fn outcome_unknown(
        store: impl Into<String>,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::OutcomeUnknown {
            store: store.into(),
            error: Arc::from(error.into()),
        }
    }

    /// [`Closed`](Self::Closed): the store was closed.
    pub fn closed(store: impl Into<String>) -> Self {
        Self::Closed {
            store: store.into(),
        }
    }

    /// [`Statement`](Self::Statement): a statement of the user's own is wrong.
    pub fn statement(store: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Statement {
            store: store.into(),
            problem: problem.into(),
        }
    }

    /// [`Driver`](Self::Driver): the driver failed while it was `doing` something, and a later
    /// retry may succeed.
    pub fn driver(
        store: impl Into<String>,
        doing: &'static str,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Driver {
            store: store.into(),
            doing,
            error: Arc::from(error.into()),
            remedy: Remedy::RetryLater,
        }
    }
}

/// Describes a position that is not the one at which a move starts. If it is, the policies have
/// changed for which it counts.
fn moved(expected: u64, found: u64) -> String {
    if found == expected {
        format!("is still {found}, but counts for other policies")
    } else {
        format!("is {found}, not {expected}")
    }
}
