//! Tools for a user's own tests. Tests of aggregates and policies are written as given, expected
//! and recorded events. A whole system runs in memory with one line. A clock and ids are
//! predictable, recorders fail on request, and a PostgreSQL server exists for the length of a test.
//!
//! ```
//! # use es_system::prelude::*;
//! use es_system::testing::{given, given_nothing};
//!
//! # #[aggregate]
//! # pub struct Dog { tricks: Vec<String> }
//! # #[aggregate]
//! # impl Dog {
//! #     #[event(Registered)]
//! #     pub fn register(name: &str) -> Self { Self { tricks: Vec::new() } }
//! #     #[event(TrickAdded)]
//! #     pub fn add_trick(&mut self, trick: &str) { self.tricks.push(trick.to_owned()); }
//! #     pub fn teach(&mut self, trick: &str) -> Result<(), String> {
//! #         if self.tricks.iter().any(|known| known == trick) {
//! #             return Err(format!("{trick} is known"));
//! #         }
//! #         self.add_trick(trick);
//! #         Ok(())
//! #     }
//! # }
//! let (billy, sit) = (|| "Billy".to_owned(), || "sit".to_owned());
//!
//! given_nothing()
//!     .when(|| Dog::register("Billy"))
//!     .then([DogRegistered { name: billy() }]);
//!
//! given([DogRegistered { name: billy() }])
//!     .when(|dog: &mut Dog| dog.teach("sit"))
//!     .then([DogTrickAdded { trick: sit() }])
//!     .and_the_aggregate(|dog| assert_eq!(dog.tricks, ["sit"]));
//!
//! given((DogRegistered { name: billy() }, DogTrickAdded { trick: sit() }))
//!     .when(|dog: &mut Dog| dog.teach("sit"))
//!     .then_nothing()
//!     .and_the_outcome(|outcome| assert_eq!(outcome, Err("sit is known".to_owned())));
//! ```

mod aggregates;
mod clock;
mod events;
mod policies;
mod unordered;

pub use es_core::PendingEvent;
pub use es_core::source::{self, Source, with_source};
pub use es_core::testing::*;
#[cfg(feature = "testing")]
pub use es_store::testing::*;

pub use self::aggregates::{Given, GivenNothing, When, given, given_nothing};
pub use self::events::Events;
pub use self::policies::{PoliciesOf, policies_of};

use crate::error::Result;
use crate::runner::Runner;
use crate::runner::single_threaded::SingleThreadedRunner;
use crate::system::System;
use crate::system::node::Pipes;
use es_store::Env;

/// Starts a whole system in memory. When a command returns, its consequences are processed.
///
/// ```
/// # use es_system::prelude::*;
/// # #[aggregate]
/// # pub struct Dog {}
/// # #[aggregate]
/// # impl Dog {
/// #     #[event(Registered)]
/// #     pub fn register() -> Self { Self {} }
/// # }
/// # #[application]
/// # pub struct DogSchool;
/// # #[process_application]
/// # pub struct Counters;
/// # #[process_application]
/// # impl Counters {
/// #     #[policy(Dog::Registered)]
/// #     fn count(
/// #         &self,
/// #         _: &DomainEvent<DogRegistered>,
/// #         _: &mut ProcessingEvent,
/// #     ) -> Result<()> {
/// #         Ok(())
/// #     }
/// # }
/// let system = es_system::testing::in_memory(pipes![[DogSchool, Counters]])?;
/// system.get::<DogSchool>()?.save(&mut Dog::register())?;
/// assert_eq!(system.get::<Counters>()?.position_in("DogSchool")?, Some(1));
/// # Ok::<(), Error>(())
/// ```
///
/// Times and ids come from the [`Clock`] of the test, if it has one.
///
/// Events, and states in snapshots, are compared with what is stored of them, field by field where
/// the types have `PartialEq`. A save fails if a value would come back as another one.
///
/// A policy that fails does not fail the command; [`wait_until_idle`](Runner::wait_until_idle)
/// returns its error. A system with a projection needs [`in_memory_with`], because the store in
/// memory has no tables.
///
/// # Errors
/// Fails as [`System::new`] and [`Runner::start`] do.
pub fn in_memory(pipes: Pipes) -> Result<SingleThreadedRunner> {
    in_memory_with(pipes, Env::new())
}

/// Starts a system as [`in_memory`] does, in an environment of the test. A projection has its
/// tables in memory on SQLite:
///
/// ```
/// # use es_system::prelude::*;
/// # #[aggregate]
/// # pub struct Dog {}
/// # #[aggregate]
/// # impl Dog {
/// #     #[event(Registered)]
/// #     pub fn register(name: &str) -> Self { Self {} }
/// # }
/// # #[application]
/// # pub struct DogSchool;
/// #[projection]
/// pub struct Names;
///
/// #[projection]
/// impl Names {
///     fn tables(tx: &mut Transaction<'_>) -> Result<()> {
///         let names = tx.table("names");
///         tx.execute(&format!("CREATE TABLE {names} (name TEXT PRIMARY KEY)"), &[])?;
///         Ok(())
///     }
///
///     #[policy(Dog::Registered)]
///     fn note(&self, event: &DomainEvent<DogRegistered>, tx: &mut Transaction<'_>) -> Result<()> {
///         let names = tx.table("names");
///         tx.execute(&format!("INSERT INTO {names} VALUES ($1)"), &[&event.name])?;
///         Ok(())
///     }
///
///     pub fn has(&self, name: &str) -> Result<bool> {
///         self.read(|tx| {
///             let sql = format!("SELECT name FROM {} WHERE name = $1", tx.table("names"));
///             Ok(tx.query_first(&sql, &[&name])?.is_some())
///         })
///     }
/// }
///
/// let env = Env::new().with_application("Names", Settings::sqlite_in_memory());
/// let system = es_system::testing::in_memory_with(pipes![[DogSchool, Names]], env)?;
/// system.get::<DogSchool>()?.save(&mut Dog::register("Billy"))?;
/// system.wait_until_idle(Duration::from_secs(5))?;
/// assert!(system.get::<Names>()?.has("Billy")?);
///
/// // Each name is there once, so the policy fails for a second Billy. The command does not.
/// system.get::<DogSchool>()?.save(&mut Dog::register("Billy"))?;
/// let error = system.wait_until_idle(Duration::from_secs(5)).expect_err("it has stopped");
/// assert_eq!(error.kind(), ErrorKind::Policy);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// Fails as [`System::new`], [`Runner::new`] and [`Runner::start`] do.
pub fn in_memory_with(pipes: Pipes, env: Env) -> Result<SingleThreadedRunner> {
    let mut runner = SingleThreadedRunner::new(&System::new(pipes)?, env)?;
    runner.compare_values();
    runner.start()?;
    Ok(runner)
}
