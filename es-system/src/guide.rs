//! What the attributes and types do not say by themselves, page by page.

#[doc = include_str!("guide/evolving_events.md")]
pub mod evolving_events {}

#[doc = include_str!("guide/time.md")]
pub mod time {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/sharing_with_python.md")]
pub mod sharing_with_python {}

#[doc = include_str!("guide/promises.md")]
pub mod promises {}
