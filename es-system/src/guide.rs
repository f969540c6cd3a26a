//! The guide: from the tutorial to the format on disk, a page for each subject.
//!
//! - To begin with: [`tutorial`], [`stores`], [`testing`], [`read_models`].
//! - To build more: [`evolving_events`], [`time`].
//! - To run it: [`environment`], [`operating`].
//! - To rely on it: [`promises`], [`mod@format`], [`sharing_with_python`].

#[doc = include_str!("guide/tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("guide/stores.md")]
pub mod stores {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/read_models.md")]
pub mod read_models {}

#[doc = include_str!("guide/evolving_events.md")]
pub mod evolving_events {}

#[doc = include_str!("guide/time.md")]
pub mod time {}

#[doc = include_str!("guide/environment.md")]
pub mod environment {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/promises.md")]
pub mod promises {}

#[doc = include_str!("guide/format.md")]
pub mod format {}

#[doc = include_str!("guide/sharing_with_python.md")]
pub mod sharing_with_python {}
