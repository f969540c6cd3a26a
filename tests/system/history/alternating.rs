//! An older program, which does not record digests, and this one move the position in turn.

use es_system::prelude::*;
use es_system::store::{Digest, ProcessRecorder, Recording, StoredEvent, Tracking, UpstreamEvent};
use tests::domain::{Counters, DogSchool};
use tests::{PATIENCE, torture};

use super::Stores;

/// Moves the position to the school's head, as an older program does whose policies have nothing to
/// record.
fn older_program_moves(school: &DogSchool, counters: &dyn ProcessRecorder) -> Result<StoredEvent> {
    let head = school.notification_log().head()?;
    let last = school.notification_log().select(head, 1)?.remove(0).event;
    let from = counters.tracked("DogSchool").expect("read").unwrap_or(0);
    let at = UpstreamEvent::new(last.originator_id.clone(), last.originator_version);
    let tracking = Tracking::new("DogSchool", from, head).at(at);
    let recording = Recording::default().tracking(tracking);
    counters.record(&recording).expect("recorded");
    Ok(last)
}

/// Returns the digest in the column, whatever the position for which it was recorded.
fn column(stores: &Stores) -> Option<Digest> {
    let stored: Option<String> = match stores {
        Stores::Files(dir) => {
            let path = dir.path().join("Counters.sqlite");
            let connection = rusqlite::Connection::open(path).expect("the file is there");
            let column = "SELECT identity FROM es_upstream";
            connection
                .query_row(column, [], |row| row.get(0))
                .expect("a row")
        }
        Stores::Database(database) => {
            let column = "SELECT identity FROM counters_upstream";
            let row = database.connect().query_one(column, &[]);
            row.expect("a row").get(0)
        }
    };
    stored.and_then(|digits| Digest::from_hex(&digits))
}

#[test]
fn an_older_program_and_this_one_in_turn_raise_no_false_alarm() -> Result<()> {
    let rounds = 250 * torture();
    for stores in Stores::all() {
        let mut runner =
            SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, stores.env())?;
        runner.start()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        let elsewhere = DogSchool::new(stores.env())?;
        let recorder = counters.recorder()?;
        let mut false_alarms = 0;
        for round in 0..rounds {
            let dog = format!("Dog {}", round / 20);
            if round % 20 == 0 {
                school.register_dog(&dog)?;
            }
            // A command of another program does not prompt the follower.
            elsewhere.add_trick(&dog, &format!("old {round}"))?;
            let last = older_program_moves(&school, &*recorder)?;
            // The control: a column that counts at any position.
            if column(&stores) != Some(Digest::of(&last.topic, &last.state)) {
                false_alarms += 1;
            }
            school.add_trick(&dog, "sit")?;
            runner.watch_for_errors(std::time::Duration::ZERO)?;
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
