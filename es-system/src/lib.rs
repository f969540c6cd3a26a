//! Event-sourced applications, connected into systems that process each event exactly once.
//!
//! Annotate plain structs and methods, and get event-sourced aggregates whose state cannot change without an event; applications
//! that save them, in memory, on SQLite and on PostgreSQL; and process applications that follow others: what their policies collect
//! is recorded in one transaction with the position of the event that was processed.
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
//! # What there is
//!
//! - Aggregates: [`macro@aggregate`], [`macro@event`], [`macro@id`]; [`Aggregate`] has what all of them can do.
//! - Events that change: [`guide::evolving_events`]; [`StoredState`] has what an upcaster changes.
//! - Applications: [`macro@application`], and [`Application`] for what each can do: save, get back, take snapshots, read the
//!   log.
//! - Logs: [`Application::log`], for what is appended and listed, and never replayed.
//! - Systems: [`macro@process_application`], [`macro@policy`], [`System`], [`pipes!`].
//! - Read models in SQL tables: [`macro@projection`], [`Transaction`], [`Runner::rebuild`].
//! - Runners: [`SingleThreadedRunner`], [`MultiThreadedRunner`], and what both do, [`Runner`].
//! - Stores: an [`Env`] says which, see [Environment](#environment); [`store`] has the parts, and the suite for a store of your own.
//! - [`testing`]: tests told by events, a system in memory, stores that fail on purpose, a PostgreSQL server to throw away.
//! - Async callers: `es_system::tokio`, with the cargo feature `tokio`.
//! - [`Error`], and [`ErrorKind`] for what to do about it.
//! - [`guide`]: evolving events, time and deadlines, operating, sharing a database with Python, and what is promised.
//!
//! # Environment
//!
//! By keys, as the Python library has them; [`Settings`] makes the same of methods that the compiler checks.
//!
//! | key | values | if it is not set |
//! |---|---|---|
//! | `PERSISTENCE_MODULE` | `memory`, `sqlite`, `postgres` (also `eventsourcing.popo`, `eventsourcing.sqlite`, `eventsourcing.postgres`) | `memory` |
//! | `SQLITE_DBNAME` | a path, a `file:` URI, `:memory:`, or `file:NAME?mode=memory&cache=shared` | must be set for `sqlite` |
//! | `SQLITE_LOCK_TIMEOUT` | seconds to wait for a lock | 5 |
//! | `SQLITE_YIELD` | milliseconds that a busy writer rests once a second, where slow sleepers share the file | it rests 2 ms each 50 ms |
//! | `POSTGRES_DBNAME`, `POSTGRES_HOST`, `POSTGRES_USER`, `POSTGRES_PASSWORD` | where the database is; several hosts, separated by commas, or the folder of a Unix socket | must be set for `postgres` |
//! | `POSTGRES_PORT`, `POSTGRES_SCHEMA` | a number, a name | 5432, `public` |
//! | `POSTGRES_CONNECT_TIMEOUT`, `POSTGRES_LOCK_TIMEOUT` | seconds to wait for a connection, for the lock of the events; 0 waits for ever for the lock | 30, 30 |
//! | `POSTGRES_POOL_SIZE`, `POSTGRES_MAX_OVERFLOW` | how many connections read at once, together | 5, 10 |
//! | `POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT`, `POSTGRES_SYNCHRONOUS_COMMIT` | as PostgreSQL has them | 5 seconds, `on` |
//! | `POSTGRES_PRE_PING`, `POSTGRES_POOLER` | `y`, `n`, which changes nothing; no value yet, as poolers are not supported | |
//! | `POSTGRES_SSLMODE` | as libpq has it, but for Unix sockets: `disable`, `prefer`; `require`, `verify-ca`, `verify-full` with the cargo feature `tls` | `prefer`, which without that feature is `disable` |
//! | `POSTGRES_SSLROOTCERT` | a PEM file with the certificates of authorities that the server's is to be of; with `require` it is `verify-ca` | the machine's authorities for the verifying modes |
//! | `POSTGRES_SSLCERT`, `POSTGRES_SSLKEY` | PEM files with a certificate that the server may ask for and its key, unencrypted | none is presented |
//! | `CREATE_TABLE` | whether to create missing tables: `y`, `n` | `y` |
//! | `ORIGINATOR_ID_TYPE` | `uuid`, `text` | `uuid` |
//! | `IS_SNAPSHOTTING_ENABLED` | whether snapshots are taken and read: `y`, `n` | `y` |
//! | `AGGREGATE_CACHE_MAXSIZE` | how many aggregates, of those whose state can be cloned, the repository keeps in memory; 0 is none | 0 |
//! | `AGGREGATE_CACHE_FASTFORWARD` | whether events behind a kept aggregate are looked for at each load: `y`, `n` | `y` |
//! | `COMPRESSOR_TOPIC` | `zlib` (also `eventsourcing.compressor:ZlibCompressor`); `zstd` with the cargo feature `zstd` | no compression |
//! | `CIPHER_TOPIC` | `aes` (also `eventsourcing.cipher:AESCipher`, `eventsourcing.cryptography:AESCipher`): AES-GCM | no encryption |
//! | `CIPHER_KEY` | 16, 24 or 32 bytes in base64, as [`store::create_key`] makes them | must be set for a cipher, and only then |
//! | `CIPHER_KEYS_OLD` | former keys, separated by commas, which still decrypt | none |
//! | `POLICY_TIMEOUT` | seconds that one policy of a projection may take | 60 |
//! | `POLL_INTERVAL` | seconds between two looks of a follower, if nobody prompts it | 1 |
//!
//! Each key may have the application's name in front, in upper case, and then wins: `DOGSCHOOL_SQLITE_DBNAME`. A follower
//! reads the events of another application as that one's keys say, so each may have its own `CIPHER_KEY`.

pub mod guide;
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

// The names that a user types, and no others: `public_names.txt` has each with its reason.
pub use application::execute::ExecuteError;
pub use application::log::{Log, LoggedEvent};
pub use application::repository::Repository;
pub use application::{Application, ApplicationType};
pub use error::{Error, ErrorKind, Lag, NotIdle, PolicyFailure, Result};
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
