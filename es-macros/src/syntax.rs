//! The parts that all attributes share: reading a user's tokens, and writing tokens so that rustc's
//! messages show the right place.

pub(crate) mod attributes;
pub(crate) mod crate_path;
pub(crate) mod errors;
pub(crate) mod exclusive;
pub(crate) mod fallback;
pub(crate) mod impl_block;
pub(crate) mod list;
pub(crate) mod misplaced;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod panics;
pub(crate) mod param;
pub(crate) mod spans;
pub(crate) mod tokens;
pub(crate) mod versions;
