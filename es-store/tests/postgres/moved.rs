//! A follower's position that another program moves without a lock of the table, between the check
//! of a batch and its move.

use es_store::{ProcessRecorder, Role, StoreError, Tracking};

use super::proxy::Proxy;
use super::{Database, database, drop_functions, open, recording, versions, wait_for_a_waiter};

/// A position that is recorded, and one that is not recorded yet.
const POSITIONS: [(&str, u64, &str); 2] = [
    (
        "Up",
        5,
        "UPDATE dogs_tracking SET notification_id = 7 WHERE application_name = 'Up'",
    ),
    (
        "New",
        0,
        "INSERT INTO dogs_tracking (application_name, notification_id) VALUES ('New', 7)",
    ),
];

/// Records a batch while another transaction, still open, has moved the position. Then that one
/// ends.
fn record_while(
    database: &Database,
    dogs: &dyn ProcessRecorder,
    (upstream, from, moves): (&str, u64, &str),
    end: &str,
) -> Result<(), StoreError> {
    let batch = recording(2, 1..=3).tracking(Tracking::new(upstream, from, 9));
    let mut other = database.connect();
    other
        .batch_execute(&format!("BEGIN; {moves}"))
        .expect("moved");
    std::thread::scope(|scope| {
        let recorded = scope.spawn(|| dogs.record(&batch));
        // The batch has found the expected position and now waits for the row.
        wait_for_a_waiter(database, &[]);
        other.batch_execute(end).expect("ended");
        recorded.join().expect("no panic").map(drop)
    })
}

/// Returns a follower that has recorded one event and is at position 5, behind a proxy that records
/// the server's errors.
fn follower(
    database: &Database,
    has_function: bool,
) -> (Proxy, std::sync::Arc<dyn ProcessRecorder>) {
    let proxy = Proxy::start(&database.env());
    let dogs = open("Dogs", Role::Follower, &proxy.env());
    if !has_function {
        drop_functions(database, "Dogs");
    }
    let first = recording(1, [1]).tracking(Tracking::new("Up", 0, 5));
    dogs.record(&first).expect("recorded");
    (proxy, dogs)
}

#[test]
fn a_position_that_somebody_moves_while_a_batch_moves_it_is_moved_once() {
    for (has_function, position) in [true, false]
        .into_iter()
        .flat_map(|has_function| POSITIONS.map(|position| (has_function, position)))
    {
        let Some(database) = database() else { return };
        let (proxy, dogs) = follower(&database, has_function);
        let (upstream, from, _) = position;
        let refused = record_while(&database, &*dogs, position, "COMMIT");
        assert!(
            matches!(&refused, Err(StoreError::PositionMoved { expected, found: 7, .. }) if *expected == from),
            "{refused:?}"
        );
        // The function itself has detected the move, and not its first check.
        let noticed = proxy.errors().iter().any(|code| code == "ES001");
        assert_eq!(noticed, has_function, "{:?}", proxy.errors());
        assert_eq!(versions(&*dogs), [1]);
        assert_eq!(dogs.tracked(upstream).expect("read"), Some(7));
        // A batch from the new position is recorded.
        let batch = recording(2, 1..=3).tracking(Tracking::new(upstream, 7, 9));
        dogs.record(&batch).expect("recorded");
        assert_eq!(versions(&*dogs), [1, 1, 2, 3]);
        assert_eq!(dogs.tracked(upstream).expect("read"), Some(9));
    }
}

#[test]
fn a_position_that_somebody_moves_and_puts_back_is_moved_by_the_batch() {
    for (has_function, position) in [true, false]
        .into_iter()
        .flat_map(|has_function| POSITIONS.map(|position| (has_function, position)))
    {
        let Some(database) = database() else { return };
        let (_proxy, dogs) = follower(&database, has_function);
        record_while(&database, &*dogs, position, "ROLLBACK").expect("recorded");
        assert_eq!(versions(&*dogs), [1, 1, 2, 3]);
        assert_eq!(dogs.tracked(position.0).expect("read"), Some(9));
    }
}
