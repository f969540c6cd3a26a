//! The domain of the event-sourcing library: aggregates, events, ids, versions and timestamps.
//!
//! An *aggregate* is a cluster of state that changes only by *events*. The attribute
//! [`macro@aggregate`] makes one from a plain struct and its methods; generated code calls this
//! crate. The crate does no I/O and spawns no threads. The time and fresh ids come from one
//! injectable [`source`].
//!
//! Most users depend on `es_system`, which re-exports everything from here in its prelude. A crate
//! that holds only the domain may depend on `es_core` alone:
//!
//! ```
//! use es_core::{Aggregate, aggregate};
//!
//! #[aggregate(crate = es_core)]
//! pub struct Dog {
//!     pub tricks: Vec<String>,
//! }
//!
//! #[aggregate(crate = es_core)]
//! impl Dog {
//!     #[event(Registered)]
//!     pub fn register() -> Self {
//!         Self { tricks: Vec::new() }
//!     }
//!
//!     #[event(TrickAdded)]
//!     pub fn add_trick(&mut self, trick: &str) {
//!         self.tricks.push(trick.to_owned());
//!     }
//! }
//!
//! let mut dog = Dog::register();
//! dog.add_trick("roll over");
//! assert_eq!(dog.tricks, ["roll over"]);
//! assert_eq!(dog.version(), 2);
//! assert_eq!(dog.pending_events().len(), 2);
//! ```

mod aggregate;
mod apply;
mod compare;
mod debug_state;
#[cfg(feature = "decimal")]
mod decimal;
mod dropped;
mod error;
mod error_chain;
mod event;
mod fields;
mod id;
mod pending;
mod replay;
mod snapshot;
pub mod source;
pub mod testing;
mod timestamp;
mod transcoding;
mod upcast;

#[doc(hidden)]
pub mod __private;

pub use aggregate::{Aggregate, HasState, Root};
pub use error::{FieldError, ReplayError};
pub use error_chain::error_chain;
pub use event::{DomainEvent, EventKind, EventPayload, EventSet, PendingEvent};
pub use fields::{FieldReader, FieldWriter, StoredField};
pub use id::{AggregateId, IdType};
pub use replay::Replay;
pub use snapshot::SnapshotState;
pub use timestamp::{Timestamp, TimestampError};
pub use transcoding::Transcoding;
pub use upcast::StoredState;

#[cfg(feature = "decimal")]
pub use decimal::Decimal;
#[cfg(feature = "decimal")]
pub use rust_decimal;

pub use es_macros::{aggregate, event, id};
