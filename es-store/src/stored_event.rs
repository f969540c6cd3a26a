//! An event as it is stored.

use std::borrow::Cow;

use es_core::AggregateId;

/// An event as it is stored: who made it, its number, its topic, and its encoded state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The aggregate that made the event.
    pub originator_id: AggregateId,
    /// The version of the aggregate after it: 1 for the first event. At most `i64::MAX`.
    pub originator_version: u64,
    /// The stored name of the event, such as `dogschool:Dog.TrickAdded`.
    pub topic: Cow<'static, str>,
    /// Time and fields, as the [`Mapper`](crate::Mapper) encodes them.
    pub state: Vec<u8>,
}
