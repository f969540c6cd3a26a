//! Operating followers: the calls on a runner, rules for policies that fail, and what is reported.

pub use crate::runner::operate::{Operate, Retried};
