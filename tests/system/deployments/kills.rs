//! A program that replays events dies at each of its writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use es_system::store::{ProcessRecorder, Recorded, Recording, StoreError};
use tests::wrapped::{Around, Wrapping};

use super::*;

/// A store that is gone from its `last`th write on. That write is recorded if `is_recorded` is set,
/// and nobody is told.
struct Gone {
    writes: AtomicU64,
    last: u64,
    is_recorded: bool,
}

impl Around for Gone {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if write < self.last || write == self.last && self.is_recorded {
            let recorded = recorder.record(recording)?;
            if write < self.last {
                return Ok(recorded);
            }
        }
        Err(StoreError::driver(
            "gone",
            "recording",
            "the program is dead",
        ))
    }
}

/// Runs `F` until its store is gone. Returns true if it was not needed any more.
fn killed<F>(place: &Place, last: u64, is_recorded: bool) -> Result<bool>
where
    F: es_system::__private::FollowerType + es_system::__private::FromEnv,
{
    let gone = Arc::new(Gone {
        writes: AtomicU64::new(0),
        last,
        is_recorded,
    });
    let env = place.env.clone().with_store(Arc::new(Wrapping {
        application: "Second",
        around: gone.clone(),
    }));
    let mut runner = MultiThreadedRunner::new(&program::<F>()?, env)?;
    runner.start()?;
    let started = Instant::now();
    while gone.writes.load(Ordering::SeqCst) < last {
        if runner.wait_until_idle(Duration::from_millis(1)).is_ok() {
            runner.stop()?;
            return Ok(true);
        }
        assert!(started.elapsed() < PATIENCE, "it neither ends nor dies");
    }
    runner.stop()?;
    Ok(false)
}

/// The number of times that a dog was renamed: more than fit into one batch.
const RENAMED: u64 = 1_100;

/// Returns a place in which an older program has followed a dog that was renamed many times.
fn followed_by_an_older_program() -> Result<Place> {
    let place = lasting_places().find(|place| place.name == "sqlite file");
    let place = place.expect("SQLite is there");
    let mut dog = Dog::register();
    (0..RENAMED).for_each(|_| dog.rename("Rex"));
    North::new(place.env.clone())?.save(&mut dog)?;
    run::<MultiThreadedRunner, old::Second>(&place)?;
    Ok(place)
}

/// Runs a program that replays until it is done, and returns its lines.
fn replayed(place: &Place) -> Result<Vec<String>> {
    run::<MultiThreadedRunner, replays::Second>(place)
}

/// Returns the line of each event, once and in the order of the replay.
fn all() -> Vec<String> {
    let renamed = (2..=RENAMED + 1).map(|position| format!("renamed {position}"));
    std::iter::once("registered 1".to_owned())
        .chain(renamed)
        .collect()
}

#[test]
fn a_program_that_replays_may_die_at_each_of_its_writes() -> Result<()> {
    let mut deaths = 0;
    for last in 1.. {
        let mut is_over = false;
        for is_recorded in [false, true] {
            let place = followed_by_an_older_program()?;
            is_over |= killed::<replays::Second>(&place, last, is_recorded)?;
            // Another one with the same policies takes the replay up.
            assert!(replayed(&place)? == all(), "it died at write {last}");
        }
        if is_over {
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= 4, "begin, two batches and the end: {deaths}");
    Ok(())
}

#[test]
fn a_replay_that_was_interrupted_waits_for_a_program_that_has_its_policies() -> Result<()> {
    for last in 2..=3 {
        let place = followed_by_an_older_program()?;
        assert!(!killed::<replays::Second>(&place, last, true)?);
        let mut older = MultiThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
        older.start()?;
        record(&place)?;
        assert_eq!(stepped_back(&older), "Dog.Renamed");
        let position = older.get::<old::Second>()?.position_in("North")?;
        assert_eq!(position, Some(RENAMED + 1));
        older.stop()?;
        // It may be given up, and taken up again from where it was.
        run::<MultiThreadedRunner, without::Second>(&place)?;
        let mut lines = replayed(&place)?;
        let registered = format!("registered {}", RENAMED + 2);
        let later = lines.iter().position(|line| *line == registered);
        lines.remove(later.expect("it was processed"));
        assert_eq!(lines.pop(), Some(format!("renamed {}", RENAMED + 3)));
        assert!(lines == all());
    }
    Ok(())
}
