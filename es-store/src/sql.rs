//! The SQL that is not one database's: the open transaction, names, limits, and the rules that the
//! tables of every database follow.
//!
//! A database implements [`Driver`](transaction::Driver). This module knows none of them.

pub(crate) mod label;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod remedy;
pub(crate) mod schema;
pub(crate) mod transaction;
pub(crate) mod upstream_id;
