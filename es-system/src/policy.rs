//! Policies: the methods of a follower that handle the events of its upstreams.

pub(crate) mod begin;
pub(crate) mod collecting;
pub(crate) mod context;
pub(crate) mod kinds;
pub(crate) mod newer_event;
pub(crate) mod on_error;
pub(crate) mod policy_set;
pub(crate) mod processing_event;
pub(crate) mod received;
pub(crate) mod rules;
pub(crate) mod table;
pub(crate) mod undecoded_event;
pub(crate) mod work;
