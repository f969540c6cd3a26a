//! Event-sourced applications, connected into systems that process each event exactly once.
//!
//! Plain structs and methods become aggregates whose state cannot change without an event.
//! Applications save them: in memory, on SQLite or on PostgreSQL. Process applications follow other
//! applications. The events that their policies collect are recorded in one transaction with the
//! position of the processed event. The [`guide`] begins with a [tutorial](guide::tutorial).
//!
//! ```
//! use es_system::prelude::*;
//!
//! #[aggregate]
//! pub struct Dog {
//!     pub tricks: Vec<String>,
//! }
//!
//! #[aggregate]
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
//! #[application]
//! pub struct DogSchool;
//!
//! impl DogSchool {
//!     pub fn register_dog(&self) -> Result<AggregateId> {
//!         let mut dog = Dog::register();
//!         self.save(&mut dog)?;
//!         Ok(dog.id().clone())
//!     }
//!
//!     pub fn add_trick(&self, dog: &AggregateId, trick: &str) -> Result<()> {
//!         let mut dog = self.repository().get::<Dog>(dog)?;
//!         dog.add_trick(trick);
//!         self.save(&mut dog)?;
//!         Ok(())
//!     }
//! }
//!
//! #[aggregate]
//! #[derive(Clone)]
//! pub struct Counter {
//!     pub count: u64,
//! }
//!
//! #[aggregate]
//! impl Counter {
//!     #[id]
//!     pub fn id_of(trick: &str) -> Uuid {
//!         Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/counters/{trick}").as_bytes())
//!     }
//!
//!     #[event(Created)]
//!     pub fn new(trick: &str) -> Self {
//!         Self { count: 0 }
//!     }
//!
//!     #[event(Incremented)]
//!     pub fn increment(&mut self) {
//!         self.count += 1;
//!     }
//! }
//!
//! #[process_application]
//! pub struct Counters;
//!
//! #[process_application]
//! impl Counters {
//!     #[policy(Dog::TrickAdded)]
//!     fn count_trick(
//!         &self,
//!         event: &DomainEvent<DogTrickAdded>,
//!         processing_event: &mut ProcessingEvent,
//!     ) -> Result<()> {
//!         let counter = self.repository().find(Counter::id_of(&event.trick))?;
//!         let mut counter = counter.unwrap_or_else(|| Counter::new(&event.trick));
//!         counter.increment();
//!         processing_event.collect_events(&mut counter);
//!         Ok(())
//!     }
//! }
//!
//! let system = System::new(pipes![[DogSchool, Counters]])?;
//! let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
//! runner.start()?;
//! let school = runner.get::<DogSchool>()?;
//! let billy = school.register_dog()?;
//! school.add_trick(&billy, "roll over")?;
//!
//! let counters = runner.get::<Counters>()?;
//! let counter: Counter = counters.repository().get(Counter::id_of("roll over"))?;
//! assert_eq!(counter.count, 1);
//! # Ok::<(), Error>(())
//! ```
//!
//! # Where to find it
//!
//! | subject | names | page of the guide |
//! |---|---|---|
//! | aggregates | [`macro@aggregate`], [`macro@event`], [`macro@id`], [`Aggregate`] | [`tutorial`](guide::tutorial) |
//! | events that change | [`StoredState`] | [`evolving_events`](guide::evolving_events) |
//! | applications | [`macro@application`], [`Application`] | [`tutorial`](guide::tutorial) |
//! | followers | [`macro@process_application`], [`macro@policy`], [`ProcessingEvent`] | [`tutorial`](guide::tutorial) |
//! | read models in SQL | [`macro@projection`], [`Transaction`], [`Runner::rebuild`] | [`read_models`](guide::read_models) |
//! | systems | [`pipes!`], [`System`], [`Runner`], [`SingleThreadedRunner`], [`MultiThreadedRunner`] | [`tutorial`](guide::tutorial) |
//! | stores and settings | [`Env`], [`Settings`], [`store`] | [`stores`](guide::stores), [`environment`](guide::environment) |
//! | tests | [`testing`] | [`testing`](guide::testing) |
//! | errors | [`Error`], and [`ErrorKind`] for what to do about it | [`operating`](guide::operating) |
//! | the program as its own tool | `es_system::cli`, with the cargo feature `cli` | [`cli`](guide::cli) |
//! | async callers | `es_system::tokio`, with the cargo feature `tokio` | [`stores`](guide::stores) |

// The attributes name this crate, in its own tests, too.
#[cfg(test)]
extern crate self as es_system;

#[cfg(feature = "cli")]
pub mod cli;
pub mod guide;
pub mod operating;
pub mod prelude;
pub mod store;
pub mod testing;
#[cfg(feature = "tokio")]
pub mod tokio;

mod application;
mod error;
mod follower;
mod policy;
mod projection;
mod runner;
mod system;

#[doc(hidden)]
pub mod __private;

// The names that a user types, and no others: `public_names.txt` lists each with its reason.
pub use application::aggregates::Aggregates;
pub use application::execute::ExecuteError;
pub use application::log::{Log, LoggedEvent};
pub use application::repository::Repository;
pub use application::saved::Saved;
pub use application::{Application, ApplicationType};
pub use error::{Doubt, Error, ErrorKind, Lag, NotIdle, PolicyFailure, Result, RetryLater};
pub use follower::status::{Condition, EdgeStatus, FollowerStatus};
pub use policy::processing_event::ProcessingEvent;
pub use policy::undecoded_event::UndecodedEvent;
pub use projection::Projection;
pub use projection::progress::RebuildProgress;
pub use runner::Runner;
pub use runner::multi_threaded::MultiThreadedRunner;
pub use runner::single_threaded::SingleThreadedRunner;
pub use system::System;

#[cfg(feature = "decimal")]
pub use es_core::Decimal;
pub use es_core::{
    Aggregate, AggregateId, DomainEvent, FieldError, StoredState, Timestamp, TimestampError,
    Transcoding, transcoding,
};
pub use es_store::{Env, EventQuery, Settings, SqlError, Transaction};

#[doc(inline)]
pub use es_macros::{aggregate, application, event, id, policy, process_application, projection};
