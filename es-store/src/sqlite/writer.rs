//! The connection that writes: each group of recordings in one transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::authorizer::Authorizer;
use super::busy::Pace;
use super::{codes, write};
use crate::committer::{GroupWriter, Outcomes};
use crate::error::StoreError;
use crate::recording::{Recorded, Recording};
use crate::sql::label::Label;

/// The connection that writes.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) label: Label,
    /// The pace, for a file that other processes may use.
    pub(super) pace: Option<Pace>,
    pub(super) authorizer: Authorizer,
}

impl GroupWriter for Writer {
    fn commit(&mut self, group: &[&Recording]) -> Result<Outcomes, StoreError> {
        let Self {
            connection,
            label,
            pace,
            ..
        } = self;
        pace.iter_mut().for_each(Pace::begin);
        let outcomes = match record_together(connection, label, group) {
            // On a full disk, for example, a recording that is too large must not fail the others.
            Err(StoreError::Driver { .. }) if group.len() > 1 => {
                Ok(record_one_by_one(connection, label, group))
            }
            outcomes => outcomes,
        };
        pace.iter_mut().for_each(Pace::end);
        outcomes
    }
}

fn record_together(
    connection: &mut Connection,
    label: &Label,
    group: &[&Recording],
) -> Result<Outcomes, StoreError> {
    transact(connection, label, |connection| {
        record_all(connection, label, group)
    })
}

/// Writes each recording of a group, in order, in a transaction of its own.
fn record_one_by_one(connection: &mut Connection, label: &Label, group: &[&Recording]) -> Outcomes {
    let alone = |recording| {
        let outcomes = record_together(connection, label, &[recording]);
        outcomes.unwrap_or_else(|error| vec![Err(error)])
    };
    group.iter().copied().flat_map(alone).collect()
}

/// Runs `work` between BEGIN IMMEDIATE and COMMIT. The guard rolls back if `work` fails, panics, or
/// refused all recordings.
fn transact(
    connection: &mut Connection,
    label: &Label,
    work: impl FnOnce(&Connection) -> Result<Outcomes, StoreError>,
) -> Result<Outcomes, StoreError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(|error| codes::failed(label, "recording", error))?;
    let outcomes = work(&transaction)?;
    if outcomes.iter().any(Result::is_ok) {
        transaction
            .commit()
            .map_err(|error| codes::commit_failed(label, error))?;
    }
    Ok(outcomes)
}

fn record_all(
    connection: &Connection,
    label: &Label,
    group: &[&Recording],
) -> Result<Outcomes, StoreError> {
    match group {
        // A refused recording rolls back the transaction.
        [lone] => Ok(vec![write::record(connection, label, lone)]),
        group => group
            .iter()
            .map(|recording| record_or_undo(connection, label, recording))
            .collect(),
    }
}

/// Writes one recording of several. If it is refused, the others stay as they were. The outer error
/// is that of the group.
fn record_or_undo(
    connection: &Connection,
    label: &Label,
    recording: &Recording,
) -> Result<Result<Recorded, StoreError>, StoreError> {
    let run = |sql| {
        let done = connection
            .prepare_cached(sql)
            .and_then(|mut sql| sql.execute([]));
        done.map_err(|error| codes::failed(label, "recording", error))
    };
    run("SAVEPOINT recording")?;
    let outcome = write::record(connection, label, recording);
    match outcome {
        // After some errors, such as a full disk, SQLite itself has rolled back the whole
        // transaction.
        Err(error) if connection.is_autocommit() => return Err(error),
        Err(_) => run("ROLLBACK TO recording")?,
        Ok(_) => 0,
    };
    run("RELEASE recording")?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::error::Conflict;
    use crate::stored_event::StoredEvent;
    use crate::tracking::Tracking;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().expect("a connection");
        let tables = "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, \
                      state BLOB, PRIMARY KEY (originator_id, originator_version)); \
                      CREATE TABLE tracking (application_name TEXT PRIMARY KEY, notification_id INTEGER)";
        connection.execute_batch(tables).expect("tables");
        Writer {
            connection,
            label: Label::new("tested", Duration::ZERO, "SQLITE_LOCK_TIMEOUT"),
            pace: None,
            authorizer: Authorizer::default(),
        }
    }

    fn recording(events: &[(u128, u64)], bytes: usize) -> Recording {
        let event = |&(number, version): &(u128, u64)| {
            let id = Uuid::from_u128(number);
            StoredEvent::new(id, version, "test:Thing.Happened", vec![0; bytes])
        };
        Recording::new(events.iter().map(event).collect())
    }

    fn rows(writer: &Writer) -> i64 {
        let count = "SELECT count(*) FROM stored_events";
        let rows = writer.connection.query_row(count, [], |row| row.get(0));
        rows.expect("a count")
    }

    #[test]
    fn each_of_a_group_is_judged_against_those_before_it_and_is_all_or_nothing() {
        let mut writer = writer();
        let moves = |from, to| Recording::default().tracking(Tracking::new("Up", from, to));
        let group = [
            recording(&[(1, 1), (2, 1)], 2),
            recording(&[(3, 1), (1, 1)], 2),
            recording(&[(1, 2), (3, 1)], 2),
            moves(0, 7),
            recording(&[(4, 2)], 2),
            Recording {
                trackings: moves(0, 9).trackings,
                ..recording(&[(5, 1)], 2)
            },
        ];
        let outcomes = writer.commit(&group.each_ref()).expect("committed");
        let positions: Vec<_> = outcomes
            .iter()
            .flatten()
            .map(|recorded| recorded.positions.clone())
            .collect();
        assert_eq!(positions, [vec![1, 2], vec![3, 4], vec![]]);
        assert!(
            matches!(&outcomes[1], Err(StoreError::Conflict(first)) if *first == Conflict::new(Uuid::from_u128(1), 1))
        );
        assert!(matches!(
            &outcomes[4],
            Err(StoreError::Gap { version: 2, .. })
        ));
        assert!(matches!(
            &outcomes[5],
            Err(StoreError::PositionMoved {
                expected: 0,
                found: 7,
                ..
            })
        ));
        assert_eq!(rows(&writer), 4);
    }

    fn with_few_pages() -> Writer {
        let writer = writer();
        let few_pages = "PRAGMA max_page_count = 12";
        writer.connection.execute_batch(few_pages).expect("a limit");
        writer
    }

    const FULL: &str = "tested: recording events failed: database or disk is full";

    fn refusal(outcome: &Result<Recorded, StoreError>) -> String {
        let error = outcome.as_ref().expect_err("refused");
        es_core::error_chain(error).to_string()
    }

    #[test]
    fn a_full_disk_is_an_error_that_leaves_nothing_and_the_connection_usable() {
        let mut writer = with_few_pages();
        let (small, large) = (recording(&[(1, 1)], 2), recording(&[(2, 1)], 1_000_000));
        let outcomes = writer.commit(&[&large]).expect("it is the recording's");
        assert_eq!(refusal(&outcomes[0]), FULL);
        assert_eq!(rows(&writer), 0);
        let outcomes = writer.commit(&[&small]).expect("there is room for this");
        assert!(outcomes[0].is_ok());
        assert_eq!(rows(&writer), 1);
    }

    #[test]
    fn of_a_group_that_fills_the_disk_those_that_fit_are_recorded_in_their_order() {
        let mut writer = with_few_pages();
        let group = [
            recording(&[(1, 1)], 2),
            recording(&[(1, 2)], 1_000_000),
            recording(&[(1, 3)], 2),
            recording(&[(1, 2), (2, 1)], 2),
            recording(&[(1, 2)], 2),
        ];
        let outcomes = writer.commit(&group.each_ref()).expect("each has its own");
        let positions = |index: usize| match &outcomes[index] {
            Ok(recorded) => recorded.positions.clone(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!((positions(0), positions(3)), (vec![1], vec![2, 3]));
        assert_eq!(refusal(&outcomes[1]), FULL);
        assert!(matches!(
            &outcomes[2],
            Err(StoreError::Gap { version: 3, .. })
        ));
        assert!(matches!(&outcomes[4], Err(StoreError::Conflict(_))));
        assert_eq!(rows(&writer), 3);
    }

    #[test]
    fn what_a_trigger_refuses_is_content_and_takes_nothing_with_it() {
        let mut writer = writer();
        let trigger = "CREATE TRIGGER no_two BEFORE INSERT ON stored_events WHEN length(NEW.state) = 2 \
                       BEGIN SELECT RAISE(ABORT, 'two bytes are too few'); END";
        writer.connection.execute_batch(trigger).expect("a trigger");
        let group = [
            recording(&[(1, 1)], 3),
            recording(&[(2, 1), (3, 1)], 2),
            recording(&[(1, 2)], 3),
        ];
        let outcomes = writer.commit(&group.each_ref()).expect("each has its own");
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        assert!(matches!(&outcomes[1], Err(StoreError::Refused { .. })));
        let refusal = refusal(&outcomes[1]);
        assert!(
            refusal.starts_with("tested: recording events was refused: two bytes are too few"),
            "{refusal}"
        );
        let lone = writer.commit(&[&group[1]]).expect("it is the recording's");
        assert!(matches!(&lone[0], Err(StoreError::Refused { .. })));
        assert_eq!(rows(&writer), 2);
    }

    #[test]
    fn a_panic_in_the_middle_of_a_transaction_rolls_it_back() {
        let mut writer = writer();
        let Writer {
            connection, label, ..
        } = &mut writer;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            transact(connection, label, |connection| {
                write::record(connection, label, &recording(&[(1, 1)], 2)).expect("recorded");
                panic!("in the middle");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(rows(&writer), 0);
        let outcomes = writer
            .commit(&[&recording(&[(1, 1)], 2)])
            .expect("committed");
        assert!(outcomes[0].is_ok());
    }
}
