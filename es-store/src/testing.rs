//! For tests, of this crate and of its users: the rules that every store keeps, and a store that fails on purpose.

pub mod conformance;
mod faulty;

pub use faulty::{Call, FaultyRecorder, FaultyStores, Moment};
