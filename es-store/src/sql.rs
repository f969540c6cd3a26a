//! The SQL that all databases share: the open transaction, names, limits, and the rules for tables.
//!
//! A database implements [`Driver`](transaction::Driver). This module does not know any of them.

pub(crate) mod beside;
pub(crate) mod damaged;
pub(crate) mod followed;
pub(crate) mod label;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod reentrancy;
pub(crate) mod schema;
pub(crate) mod set_aside;
pub(crate) mod transaction;
pub(crate) mod upstream_id;
mod values;
