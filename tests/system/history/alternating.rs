//! An older program, which does not record digests, and this one move the position in turn.

use std::time::Duration;

use es_system::prelude::*;
use es_system::store::{Digest, ProcessRecorder, Recording, StoredEvent, Tracking, UpstreamEvent};
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, torture};

use super::Stores;

/// Moves the position to an event of the school, as an older program does whose policies have
/// nothing to record.
fn older_program_moves(counters: &dyn ProcessRecorder, position: u64, event: &StoredEvent) {
    let from = counters.tracked("DogSchool").expect("read").unwrap_or(0);
    let at = UpstreamEvent::new(event.originator_id.clone(), event.originator_version);
    let tracking = Tracking::new("DogSchool", from, position).at(at);
    let recording = Recording::default().tracking(tracking);
    counters.record(&recording).expect("recorded");
}

/// The column of the digest, in the follower's store.
enum Column {
    File(rusqlite::Connection),
    Database(Box<es_system::store::postgres::driver::Client>),
}

impl Column {
    fn of(stores: &Stores) -> Self {
        match stores {
            Stores::Files(dir) => {
                let connection = rusqlite::Connection::open(dir.path().join("Counters.sqlite"));
                Self::File(connection.expect("the file is there"))
            }
            Stores::Database(database) => Self::Database(Box::new(database.connect())),
        }
    }

    /// Returns the digest, whatever the position for which it was recorded.
    fn read(&mut self) -> Option<Digest> {
        let stored: Option<String> = match self {
            Self::File(connection) => {
                let column = connection.prepare_cached("SELECT identity FROM es_upstream");
                let read = column.expect("a column").query_row([], |row| row.get(0));
                read.expect("a row")
            }
            Self::Database(client) => {
                let row = client.query_one("SELECT identity FROM counters_upstream", &[]);
                row.expect("a row").get(0)
            }
        };
        stored.and_then(|digits| Digest::from_hex(&digits))
    }
}

#[test]
fn an_older_program_and_this_one_in_turn_raise_no_false_alarm() -> Result<()> {
    let rounds = 1_000 * torture();
    for stores in Stores::all() {
        // Of the 3,000 commits of a run none needs to outlive a crash of the machine.
        let env = stores.env().with("POSTGRES_SYNCHRONOUS_COMMIT", "off");
        let mut runner =
            SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env.clone())?;
        runner.start()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        let elsewhere = DogSchool::new(env)?;
        let recorder = counters.recorder()?;
        let mut dog = Dog::register("Billy");
        school.save(&mut dog)?;
        let mut column = Column::of(&stores);
        let mut false_alarms = 0;
        for round in 0..rounds {
            // A command of another program does not prompt the follower.
            dog.add_trick(&format!("old {round}"));
            let position = elsewhere.save(&mut dog)?.positions[0];
            let event = elsewhere.notification_log().select(position, 1)?.remove(0);
            older_program_moves(&*recorder, position, &event.event);
            // The control: a column that counts at any position.
            if column.read() != Some(Digest::of(&event.event.topic, &event.event.state)) {
                false_alarms += 1;
            }
            dog.add_trick("sit");
            school.save(&mut dog)?;
            runner.watch_for_errors(Duration::ZERO)?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(counters.get_count("sit")?, rounds as u64);
        assert_eq!(
            false_alarms, rounds,
            "the control raises an alarm each time"
        );
    }
    Ok(())
}
