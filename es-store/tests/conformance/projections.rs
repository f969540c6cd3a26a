//! Events that a projection sets aside, in the transactions of its handlers, on both databases.

use std::sync::{Arc, Barrier};
use std::thread;

use es_core::{IdType, Timestamp};
use es_store::testing::postgres::Database;
use es_store::{
    Decision, DecisionKind, Notification, Operation, OperationKind, PoliciesMove, PoliciesSwitch,
    PolicySet, ProcessRecorder, Recording, Role, SetAside, SetAsideChange, SetAsideQuery,
    StoreError, StoredEvent, Tables, Tracking, Transaction,
};
use uuid::Uuid;

/// A store that has tables, and its database on a server.
type Store = (Arc<dyn ProcessRecorder>, Option<Database>);

/// Opens each kind of store that has tables. Without PostgreSQL there is none in its place.
fn stores() -> Vec<Store> {
    let path = super::new_path();
    let file = super::sqlite(path.to_str().expect("a path"), Role::Follower, IdType::Uuid);
    let memory = super::sqlite(":memory:", Role::Follower, IdType::Uuid);
    let postgres = es_store::testing::postgres::database().map(|database| {
        let store = es_store::open("Tested", Role::Follower, &database.env());
        (store.expect("a database"), Some(database))
    });
    let stores = [(file, None), (memory, None)].into_iter();
    stores.chain(postgres).collect()
}

fn tables(store: &Arc<dyn ProcessRecorder>) -> Tables {
    let tables = Tables::new(store.clone());
    tables.prepare(true, &mut make).expect("made");
    tables
}

fn make(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    let sql = format!("CREATE TABLE {} (position BIGINT)", tx.table("handled"));
    let made = tx.execute(&sql, &[]);
    made.map(|_| ()).map_err(|error| error.problem)
}

fn handle(tx: &mut Transaction<'_>, position: u64) {
    let sql = format!("INSERT INTO {} VALUES ($1)", tx.table("handled"));
    tx.execute(&sql, &[&position]).expect("inserted");
}

fn handled(tables: &Tables) -> Vec<u64> {
    let mut found = Vec::new();
    let read = tables.read(&mut |tx| {
        let sql = format!(
            "SELECT position FROM {} ORDER BY position",
            tx.table("handled")
        );
        let rows = tx.query(&sql, &[]).expect("read");
        found = rows
            .iter()
            .map(|row| row.get(0).expect("a number"))
            .collect();
    });
    read.expect("read");
    found
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).expect("a time")
}

fn row(sequence: &str, position: u64) -> SetAside {
    let event = StoredEvent::new(Uuid::from_u128(1), position, "test:Thing.Odd", Vec::new());
    let event = Notification::new(position, event);
    SetAside::new("Up", sequence, &event, time(1)).failed("no", Some(time(2)))
}

fn put(sequence: &str, position: u64, behind: Option<u64>) -> SetAsideChange {
    let event = Box::new(row(sequence, position));
    SetAsideChange::Put { event, behind }
}

fn discard(position: u64) -> SetAsideChange {
    let decision = Decision::new(DecisionKind::Discarded, "Ann", time(3));
    let upstream = "Up".to_owned();
    SetAsideChange::Decide {
        upstream,
        position,
        decision,
    }
}

fn failed(position: u64) -> SetAsideChange {
    SetAsideChange::Failed {
        upstream: "Up".to_owned(),
        position,
        attempts: 2,
        due: None,
        last: time(4),
        error: "again".to_owned(),
    }
}

fn moved(from: u64, to: u64) -> Recording {
    Recording::from(Tracking::new("Up", from, to))
}

/// Handles the event at `to` and sets events aside, in one transaction.
fn process(
    tables: &Tables,
    from: u64,
    to: u64,
    aside: &[SetAsideChange],
) -> Result<(), StoreError> {
    let changes = aside.iter().cloned();
    let recording = changes.fold(moved(from, to), Recording::set_aside);
    tables.process(&Tracking::new("Up", from, from), &mut |tx| {
        handle(tx, to);
        Some(recording.clone())
    })
}

fn positions(store: &Arc<dyn ProcessRecorder>, query: &SetAsideQuery) -> Vec<u64> {
    let rows = store.select_set_aside(query).expect("read");
    rows.iter().map(|row| row.position).collect()
}

fn assert_changed(refused: &Result<(), StoreError>) {
    assert!(
        matches!(refused, Err(StoreError::SetAsideChanged { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_projection_sets_events_aside_in_the_transaction_of_its_handlers() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        process(&tables, 0, 3, &[put("a", 1, None), put("a", 2, None)]).expect("recorded");
        assert_changed(&process(&tables, 3, 4, &[put("a", 4, None)]));
        assert_changed(&process(&tables, 3, 4, &[put("a", 4, Some(2))]));
        assert_eq!(handled(&tables), [3]);
        assert_eq!(store.tracked("Up").expect("read"), Some(3));
        let began = Operation::new(OperationKind::Began, "Up", "Ann", time(1)).at(9);
        let recording = moved(3, 4).set_aside(put("a", 4, Some(1))).operation(began);
        let work = &mut |_: &mut Transaction<'_>| Some(recording.clone());
        tables
            .process(&Tracking::new("Up", 3, 3), work)
            .expect("recorded");
        let followed = store.followed("Up").expect("read");
        assert_eq!((followed.waiting.count, followed.began), (3, Some(9)));
        assert_eq!(followed.waiting.due, Some(time(2)));
        assert_eq!(positions(&store, &SetAsideQuery::of("Up")), [1, 2, 4]);
    }
}

#[test]
fn a_recording_that_is_not_about_the_position_is_refused() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        let event = StoredEvent::new(Uuid::from_u128(1), 1, "test:Thing.Odd", Vec::new());
        let mut elsewhere = row("a", 1);
        "Down".clone_into(&mut elsewhere.upstream);
        let (event_of_other, behind) = (Box::new(elsewhere), None);
        let other = SetAsideChange::Put {
            event: event_of_other,
            behind,
        };
        for wrong in [
            Recording::new(vec![event]).tracking(Tracking::new("Up", 0, 1)),
            Recording::from(Tracking::new("Down", 0, 1)),
            moved(0, 1).tracking(Tracking::new("Down", 0, 1)),
            moved(0, 1).set_aside(put("a", 2, None)),
            moved(0, 1).set_aside(other.clone()),
        ] {
            let work = &mut |_: &mut Transaction<'_>| Some(wrong.clone());
            let refused = tables.process(&Tracking::new("Up", 0, 0), work);
            assert!(
                matches!(refused, Err(StoreError::Invalid(_))),
                "{refused:?}"
            );
        }
        assert_eq!(store.tracked("Up").expect("read"), None);
    }
}

#[test]
fn a_projection_retries_the_first_of_a_sequence_and_removes_its_row() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        process(&tables, 0, 3, &[put("a", 1, None), put("a", 2, None)]).expect("recorded");
        let retry = |position, succeeds| {
            tables.retry("Up", position, None, &mut |tx| {
                handle(tx, position);
                succeeds
            })
        };
        assert_changed(&retry(2, true));
        assert_changed(&retry(3, true));
        retry(1, false).expect("rolled back");
        assert_eq!(positions(&store, &SetAsideQuery::all()), [1, 2]);
        assert_eq!(handled(&tables), [3]);
        retry(1, true).expect("it is the first");
        assert_changed(&retry(1, true));
        retry(2, true).expect("it is the first");
        assert_eq!(handled(&tables), [1, 2, 3]);
        assert!(positions(&store, &SetAsideQuery::all()).is_empty());
        assert_eq!(store.tracked("Up").expect("read"), Some(3));
    }
}

#[test]
fn of_many_who_retry_an_event_of_a_projection_one_handles_it() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        let rows: Vec<_> = (1..=8).map(|position| put("a", position, None)).collect();
        process(&tables, 0, 9, &rows).expect("recorded");
        let together = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for position in 1..=8 {
                        together.wait();
                        let retried = tables.retry("Up", position, None, &mut |tx| {
                            handle(tx, position);
                            true
                        });
                        let is_late = matches!(retried, Err(StoreError::SetAsideChanged { .. }));
                        assert!(retried.is_ok() || is_late, "{retried:?}");
                    }
                });
            }
        });
        assert_eq!(handled(&tables), (1..=9).collect::<Vec<_>>());
        assert!(positions(&store, &SetAsideQuery::all()).is_empty());
    }
}

/// The policies of a switch, before which none were recorded.
fn policies() -> PoliciesSwitch<'static> {
    PoliciesSwitch::new(
        "Up",
        Vec::new(),
        None,
        PolicySet::new("tag", ["test:Thing.Odd"]),
    )
}

/// Rebuilds up to `to`. The events at `aside` are set aside.
fn rebuild(tables: &Tables, to: u64, aside: &[u64]) -> u64 {
    let number = tables.begin_rebuild(&mut make).expect("begun");
    let changes = aside.iter().map(|position| put("a", *position, None));
    let recording = changes.fold(moved(0, to), Recording::set_aside);
    let work = &mut |tx: &mut Transaction<'_>| {
        (1..=to)
            .filter(|position| !aside.contains(position))
            .for_each(|position| handle(tx, position));
        Some(recording.clone())
    };
    tables
        .process_rebuild(&Tracking::new("Up", 0, 0), work)
        .expect("recorded");
    number
}

#[test]
fn what_a_rebuild_sets_aside_takes_the_place_of_what_waits_and_decisions_stay() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        process(
            &tables,
            0,
            6,
            &[put("a", 1, None), put("a", 2, None), put("b", 3, None)],
        )
        .expect("recorded");
        store
            .record(&Recording::default().set_aside(discard(2)))
            .expect("decided");
        let number = rebuild(&tables, 6, &[2, 4, 5]);
        let of_rebuild = SetAsideQuery::of_rebuild("Up");
        assert_eq!(positions(&store, &of_rebuild), [2, 4, 5]);
        assert_eq!(positions(&store, &SetAsideQuery::of("Up")), [1, 2, 3]);
        assert_eq!(store.followed("Up").expect("read").waiting.count, 2);
        let switched = tables.switch(number, &[policies()], &mut |_, _, _, _| false);
        assert!(switched.expect("switched"));
        assert_eq!(positions(&store, &SetAsideQuery::all()), [2, 4, 5]);
        assert_eq!(
            positions(&store, &SetAsideQuery::of("Up").waiting()),
            [4, 5]
        );
        assert_eq!(positions(&store, &SetAsideQuery::of("Up").decided()), [2]);
        // An event that the rebuild has handled is not handled again by a retry.
        let again = tables.retry("Up", 1, None, &mut |tx| {
            handle(tx, 1);
            true
        });
        assert_changed(&again);
        assert_eq!(handled(&tables), [1, 3, 6]);
    }
}

#[test]
fn what_a_rebuild_has_set_aside_is_retried_and_changed_in_its_tables() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        let number = rebuild(&tables, 3, &[1, 2]);
        let retry = |position| {
            tables.retry_rebuild("Up", position, None, &mut |tx| {
                handle(tx, position);
                true
            })
        };
        assert_changed(&retry(2));
        assert_changed(&tables.change_rebuild("Up", &[failed(2)]));
        retry(1).expect("it is the first");
        tables
            .change_rebuild("Up", &[failed(2)])
            .expect("it is the first");
        process(&tables, 0, 5, &[put("a", 4, None)]).expect("the live tables go on");
        let catch_up = &mut |tx: &mut Transaction<'_>, _: usize, from: u64, to: u64| {
            assert_eq!((from, to), (3, 5));
            handle(tx, 5);
            let behind = [put("a", 4, Some(2))];
            let changed = Tables::change_while_catching_up(tx, "Up", &behind);
            changed.is_ok()
        };
        assert!(
            tables
                .switch(number, &[policies()], catch_up)
                .expect("switched")
        );
        assert_eq!(handled(&tables), [1, 3, 5]);
        let rows = store
            .select_set_aside(&SetAsideQuery::of("Up"))
            .expect("read");
        let attempts: Vec<_> = rows
            .iter()
            .map(|row| (row.position, row.attempts))
            .collect();
        assert_eq!(attempts, [(2, 2), (4, 1)]);
        assert_eq!(store.tracked("Up").expect("read"), Some(5));
    }
}

#[test]
fn a_rebuild_that_is_discarded_leaves_no_rows() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        process(&tables, 0, 6, &[put("a", 1, None)]).expect("recorded");
        rebuild(&tables, 6, &[4]);
        assert!(tables.discard_rebuild().expect("discarded"));
        assert_eq!(positions(&store, &SetAsideQuery::all()), [1]);
    }
}

#[test]
fn an_event_is_not_retried_while_the_position_counts_for_other_policies() {
    for (store, _database) in stores() {
        let tables = tables(&store);
        process(&tables, 0, 3, &[put("a", 1, None)]).expect("recorded");
        let tagged = Tracking::new("Up", 3, 3).policies(PoliciesMove::new(None, "new"));
        store.record(&Recording::from(tagged)).expect("recorded");
        let retry = |tag: &str| {
            let policies = PoliciesMove::new(Some(tag.to_owned()), tag);
            tables.retry("Up", 1, Some(&policies), &mut |tx| {
                handle(tx, 1);
                true
            })
        };
        let refused = retry("old");
        assert!(
            matches!(refused, Err(StoreError::PositionMoved { .. })),
            "{refused:?}"
        );
        retry("new").expect("it counts for these");
        assert_eq!(handled(&tables), [1, 3]);
    }
}
