//! One database and two languages: the real Python library beside this one, on SQLite and on
//! PostgreSQL.
#![cfg(unix)]

mod evolving;
mod flows;
mod logs;
mod peer;
mod shared;
mod snapshots;
mod starts;
mod tables;

use es_system::prelude::*;

use crate::shared::Store;

/// Makes each flow a test on every store.
macro_rules! on_every_store {
    ($($flows:ident::$flow:ident,)*) => {
        mod sqlite {
            use super::*;
            $(#[test] fn $flow() -> Result<()> { $flows::$flow(Store::Sqlite) })*
        }

        mod postgres {
            use super::*;
            $(#[test] fn $flow() -> Result<()> { $flows::$flow(Store::Postgres) })*
        }
    };
}

on_every_store! {
    evolving::rust_reads_what_python_stored_in_every_version,
    evolving::python_reads_what_rust_stored_in_every_version,
    flows::python_begins_and_rust_goes_on,
    flows::rust_begins_and_python_goes_on,
    flows::both_write_one_application_at_the_same_time_while_a_follower_of_each_counts,
    flows::one_follower_that_both_run_at_once_doubles_nothing,
    flows::python_moves_a_position_between_two_of_ours_and_raises_no_false_alarm,
    logs::both_append_to_one_log,
    snapshots::a_snapshot_that_python_took_is_used_by_rust,
    snapshots::a_snapshot_that_rust_took_is_used_by_python,
    tables::rust_starts_on_the_tables_that_python_made,
    tables::python_starts_on_the_tables_that_rust_made,
    starts::processes_of_both_start_on_an_empty_database_at_the_same_moment,
}
