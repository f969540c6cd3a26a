//! An application: a store, the aggregates kept in it, and the commands of the user around them.
//!
//! [`core`] has the application itself, and [`kinds`] the traits by which a system knows it. Each
//! of the other modules adds methods on one subject to [`Application`].

pub(crate) mod aggregates;
pub(crate) mod attempt;
pub(crate) mod batch;
pub(crate) mod cache;
pub(crate) mod core;
pub(crate) mod decode;
pub(crate) mod execute;
pub(crate) mod forgotten;
pub(crate) mod head;
pub(crate) mod held;
pub(crate) mod kept;
pub(crate) mod kinds;
pub(crate) mod lender;
pub(crate) mod lending;
pub(crate) mod loading;
pub(crate) mod log;
pub(crate) mod lru;
pub(crate) mod metrics;
pub(crate) mod notification_log;
pub(crate) mod origin;
pub(crate) mod repository;
pub(crate) mod saved;
pub(crate) mod saved_aggregate;
pub(crate) mod saved_inside;
pub(crate) mod saving;
pub(crate) mod seen_head;
pub(crate) mod snapshots;
pub(crate) mod store_errors;
pub(crate) mod topics;
pub(crate) mod tries;

pub use self::core::Application;
pub use self::kinds::ApplicationType;
