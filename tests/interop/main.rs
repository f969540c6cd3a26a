//! One database, two languages: the real Python library beside this one.

mod peer;
mod sqlite;
