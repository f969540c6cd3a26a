//! Whole tasks, from their beginning to their end.

#[doc = include_str!("guide/evolving_events.md")]
pub mod evolving_events {}
