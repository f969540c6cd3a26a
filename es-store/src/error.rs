//! What can go wrong in a store and in a mapper.

use std::sync::Arc;

use es_core::{AggregateId, FieldError, IdType};

use crate::EnvError;

/// A version of an aggregate that is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of aggregate {id} exists already")]
pub struct Conflict {
    /// The aggregate.
    pub id: AggregateId,
    /// The version that somebody else saved first.
    pub version: u64,
}

/// What can go wrong in a store. The messages name the store; the caller adds the application.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else saved the same version of an aggregate first. Load it again and retry.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A version of an aggregate without the one before it: it would make the aggregate unreadable.
    #[error("version {version} of aggregate {id} does not follow: version {} is not there", .version.saturating_sub(1))]
    Gap {
        /// The aggregate.
        id: AggregateId,
        /// The version whose predecessor is neither stored nor earlier in the same recording.
        version: u64,
    },
    /// The recorded position is not the one that the batch started at: another instance has moved it.
    #[error(
        "the position in `{upstream}` is {found}, not {expected}: another instance of this follower moved it"
    )]
    PositionMoved {
        /// The application that is followed.
        upstream: String,
        /// The position that the batch started at.
        expected: u64,
        /// The position that is recorded.
        found: u64,
    },
    /// The id of an aggregate has not the form that the store keeps.
    #[error("aggregate {id} has an id of type {}, but ORIGINATOR_ID_TYPE is {expected}", .id.id_type())]
    IdType {
        /// The id.
        id: AggregateId,
        /// The form that the store keeps.
        expected: IdType,
    },
    /// A stored row that cannot be read.
    #[error("{store}: damaged row {at}: {problem}")]
    DamagedRow {
        /// The store, for example its file.
        store: String,
        /// Which row: a position, or an aggregate and a version.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A recording that no store can keep: a number that is too large, a move backwards, a reserved name.
    #[error("it cannot be recorded: {0}")]
    Invalid(String),
    /// The environment or the store is not set up as it must be.
    #[error("{0}")]
    Configuration(String),
    /// A setting that is missing or cannot be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The store is locked by somebody else, for longer than the limit.
    #[error("{store}: locked by {holder} for longer than {limit:?} ({key})")]
    Locked {
        /// The store, for example its file.
        store: String,
        /// Who holds the lock, as far as it is known.
        holder: String,
        /// The limit.
        limit: std::time::Duration,
        /// The environment key that sets the limit.
        key: &'static str,
    },
    /// The store can only be read.
    #[error("{store}: read-only: {doing} is refused")]
    ReadOnly {
        /// The store, for example its file.
        store: String,
        /// What was being done.
        doing: &'static str,
    },
    /// The connection was lost while committing, and nobody can say whether it took place. A retry
    /// is safe.
    #[error("{store}: nobody can say whether the commit took place: {problem}")]
    OutcomeUnknown {
        /// The store.
        store: String,
        /// What happened.
        problem: String,
    },
    /// The store was called in the middle of an async task, which it would block.
    #[error(
        "{store}: it blocks, and cannot be used in the middle of an async task: do it on a thread that may block, with \
         `es_system::tokio::run(..)` (cargo feature `tokio`) or `tokio::task::spawn_blocking(..)`"
    )]
    WouldBlock {
        /// The store.
        store: String,
    },
    /// The store was closed.
    #[error("{store}: closed")]
    Closed {
        /// The store.
        store: String,
    },
    /// A statement of the user's own is wrong, or what it does is not allowed. To run it again does not help.
    #[error("{store}: a statement failed: {problem}")]
    Statement {
        /// The store, for example its file.
        store: String,
        /// What is wrong with it. It shows no values.
        problem: String,
    },
    /// The driver failed: a full disk, a damaged file, a lost connection.
    #[error("{store}: {doing} failed: {error}")]
    Driver {
        /// The store, for example its file.
        store: String,
        /// What was being done.
        doing: &'static str,
        /// What the driver said. The message has it already, so it is not the source of this error.
        error: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// An event that cannot be encoded or decoded. It names topic, aggregate and version, and shows no field value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event `{topic}` of aggregate {id} at version {version}: {problem}")]
pub struct MapperError {
    /// The topic of the event.
    pub topic: String,
    /// The aggregate.
    pub id: AggregateId,
    /// The version of the event.
    pub version: u64,
    /// What is wrong.
    pub problem: MapperProblem,
}

/// What can be wrong with an encoded event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapperProblem {
    /// No event of the aggregate has this topic.
    #[error("the topic is not known here")]
    UnknownTopic,
    /// An encrypted state that is shorter than what comes before its text.
    #[error("the state is too short to be encrypted: 12 bytes of nonce and 16 of tag come first")]
    TooShort,
    /// A state whose tag is of none of the keys.
    #[error(
        "the state cannot be decrypted: it is damaged, not encrypted, or encrypted with another key"
    )]
    NotDecrypted,
    /// The state could not be encrypted.
    #[error("the state cannot be encrypted: no random nonce can be had, or it is too long")]
    NotEncrypted,
    /// A state that the compressor cannot have made.
    #[error("the state cannot be decompressed: it is damaged, or not compressed like this")]
    NotDecompressed,
    /// The compressor failed.
    #[error("the state cannot be compressed")]
    NotCompressed,
    /// A state that is too large, be it to compress it or once it is decompressed.
    #[error("the state is larger than {limit} bytes, which is the limit with compression")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The bytes are not the JSON object of an event.
    #[error("the state is damaged: {0}")]
    Damaged(String),
    /// A field that is missing, or of another type.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A snapshot of another kind of aggregate.
    #[error("it is of `{found}`, not of `{expected}`")]
    OtherAggregate {
        /// The topic of the aggregate in the snapshot.
        found: String,
        /// The topic of the aggregate that is read.
        expected: &'static str,
    },
    /// The event was written by a newer version of its class.
    #[error("it has class_version {found}, and this program knows {known}")]
    NewerVersion {
        /// The version that is stored.
        found: u64,
        /// The highest version that is known.
        known: u64,
    },
    /// An upcaster refused what it was given.
    #[error("the upcast from version {from} to {} failed: {problem}", .from.saturating_add(1))]
    NotUpcast {
        /// The version that the state had.
        from: u64,
        /// What the upcaster said.
        problem: FieldError,
    },
    /// An upcaster panicked.
    #[error("the upcast from version {from} to {} panicked: {message}", .from.saturating_add(1))]
    UpcastPanicked {
        /// The version that the state had.
        from: u64,
        /// What the panic said.
        message: String,
    },
}
