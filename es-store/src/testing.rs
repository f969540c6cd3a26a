//! Tools for tests of this crate and of its users: the rules that every store keeps, a store that
//! fails on purpose, and temporary databases.

pub mod conformance;
mod faulty;
#[cfg(all(unix, feature = "postgres"))]
pub mod postgres;

pub use faulty::{Call, FaultyRecorder, FaultyStores, Moment};
