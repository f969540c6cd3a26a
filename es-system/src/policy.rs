//! Policies: which method of a follower handles which event.

pub(crate) mod collecting;
pub(crate) mod context;
pub(crate) mod kinds;
pub(crate) mod processing_event;
pub(crate) mod received;
pub(crate) mod table;
pub(crate) mod undecoded_event;
pub(crate) mod work;
