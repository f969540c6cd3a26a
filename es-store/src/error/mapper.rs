//! The errors of a mapper.

use es_core::{AggregateId, FieldError};

/// An event that cannot be encoded or decoded. The error names topic, aggregate and version, and
/// shows no field value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event `{topic}` of aggregate {id} at version {version}: {problem}")]
#[non_exhaustive]
pub struct MapperError {
    /// The topic of the event.
    pub topic: String,
    /// The aggregate.
    pub id: AggregateId,
    /// The version of the event.
    pub version: u64,
    /// The problem.
    pub problem: MapperProblem,
}

/// The problem of an encoded event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapperProblem {
    /// No event of the aggregate has this topic.
    #[error("the topic is not known here")]
    UnknownTopic,
    /// An encrypted state that is shorter than its nonce and tag.
    #[error("the state is too short to be encrypted: 12 bytes of nonce and 16 of tag come first")]
    TooShort,
    /// A state whose tag belongs to none of the keys.
    #[error(
        "the state cannot be decrypted: it is damaged, not encrypted, or encrypted with another key"
    )]
    NotDecrypted,
    /// The state could not be encrypted.
    #[error("the state cannot be encrypted: no random nonce can be had, or it is too long")]
    NotEncrypted,
    /// A state that the compressor cannot have written.
    #[error("the state cannot be decompressed: it is damaged, or not compressed like this")]
    NotDecompressed,
    /// The compressor failed.
    #[error("the state cannot be compressed")]
    NotCompressed,
    /// A state above the limit, either before compression or after decompression.
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
    /// A snapshot whose fields are not those that the state has today.
    #[error("its fields are not those that the state has today: {0}")]
    OtherFields(String),
    /// The event was written by a newer version of its class.
    #[error("it has class_version {found}, and this program knows {known}")]
    NewerVersion {
        /// The version that is stored.
        found: u64,
        /// The highest version that is known.
        known: u64,
    },
    /// An upcaster refused its input.
    #[error("the upcast from version {from} to {} failed: {problem}", .from.saturating_add(1))]
    NotUpcast {
        /// The version that the state had.
        from: u64,
        /// The error of the upcaster.
        problem: FieldError,
    },
    /// An upcaster panicked.
    #[error("the upcast from version {from} to {} panicked: {message}", .from.saturating_add(1))]
    UpcastPanicked {
        /// The version that the state had.
        from: u64,
        /// The message of the panic.
        message: String,
    },
}
