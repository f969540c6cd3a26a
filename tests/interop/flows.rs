//! One side continues where the other has stopped, and both work at the same time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use es_system::prelude::*;
use serde_json::{Value, json};
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool};

use crate::shared::{EITHER_WAY, Sealing, Shared, Store};

pub fn python_begins_and_rust_goes_on(store: Store) -> Result<()> {
    fn flow<R: Runner>(store: Store, sealing: Sealing, python_runner: &str) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        python.ask(json!(["start", python_runner]));
        python.ask(json!(["register", "Søren \"Ünï\" 🐕"]));
        python.ask(json!([
            "add_trick",
            "Søren \"Ünï\" 🐕",
            "spin\n\t\\ \u{2028}"
        ]));
        python.ask(json!(["wait_for_position", 2]));
        python.ask(json!(["stop"]));

        let runner: R = shared.rust()?;
        let school = runner.get::<DogSchool>()?;
        let counters = runner.get::<Counters>()?;
        assert_eq!(
            school.get_dog("Søren \"Ünï\" 🐕")?.tricks,
            ["spin\n\t\\ \u{2028}"]
        );
        assert_eq!(counters.get_count("spin\n\t\\ \u{2028}")?, 1);
        school.add_trick("Søren \"Ünï\" 🐕", "sit")?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(counters.get_count("sit")?, 2);

        python.ask(json!(["open"]));
        assert_eq!(python.ask(json!(["tricks", "Billy"])), json!(["sit"]));
        assert_eq!(python.count("sit"), 2);
        Ok(())
    }
    EITHER_WAY.into_iter().try_for_each(|sealing| {
        flow::<SingleThreadedRunner>(store, sealing, "single")?;
        flow::<MultiThreadedRunner>(store, sealing, "multi")
    })
}

pub fn rust_begins_and_python_goes_on(store: Store) -> Result<()> {
    fn flow<R: Runner>(store: Store, sealing: Sealing, python_runner: &str) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        let runner: R = shared.rust()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "roll over")?;
        runner.wait_until_idle(PATIENCE)?;
        drop(runner);
        // Python is to process the event that nobody has processed yet.
        school.add_trick("Billy", "fetch ball")?;

        python.ask(json!(["start", python_runner]));
        assert_eq!(
            python.ask(json!(["tricks", "Billy"])),
            json!(["roll over", "fetch ball"])
        );
        assert_eq!(python.ask(json!(["position"])), json!(2));
        python.ask(json!(["add_trick", "Billy", "roll over"]));
        python.ask(json!(["wait_for_position", 4]));
        assert_eq!(
            (python.count("roll over"), python.count("fetch ball")),
            (2, 1)
        );
        python.ask(json!(["stop"]));

        let counters = Counters::new(shared.env())?;
        assert_eq!(
            (
                counters.get_count("roll over")?,
                counters.get_count("fetch ball")?
            ),
            (2, 1)
        );
        Ok(())
    }
    EITHER_WAY.into_iter().try_for_each(|sealing| {
        flow::<SingleThreadedRunner>(store, sealing, "single")?;
        flow::<MultiThreadedRunner>(store, sealing, "multi")
    })
}

pub fn both_write_one_application_at_the_same_time_while_a_follower_of_each_counts(
    store: Store,
) -> Result<()> {
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| write_at_the_same_time(store, sealing))
}

fn write_at_the_same_time(store: Store, sealing: Sealing) -> Result<()> {
    let Some(shared) = Shared::new(store, sealing) else {
        return Ok(());
    };
    let (Some(mut writer), Some(mut follower)) = (shared.python(), shared.python()) else {
        return Ok(());
    };
    let runner: MultiThreadedRunner = shared.rust()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    school.register_dog("Billy")?;
    writer.ask(json!(["open"]));
    follower.ask(json!(["start", "multi", "OtherCounters"]));

    let each = 60;
    let request = json!(["add_tricks", "Billy", "roll over", each]);
    writer.begin(&request);
    let taught = teach_until(&school, || writer.answer(&request))?;
    // Python's runners do not pull before a save of their own.
    follower.ask(json!(["add_tricks", "Billy", "roll over", 1]));

    let billy: Dog = school.get_dog("Billy")?;
    assert_eq!(billy.tricks.len() as u64, each + 1 + taught["Billy"]);
    let log = school.notification_log().select(1, usize::MAX)?;
    let all: u64 = each + 1 + taught.values().sum::<u64>();
    assert_eq!(log.len() as u64, all + 2, "two were registered");
    let positions: Vec<u64> = log.iter().map(|event| event.id).collect();
    match store {
        Store::Sqlite => assert_eq!(positions, (1..=all + 2).collect::<Vec<_>>()),
        // A writer that loses has taken a position from the sequence.
        Store::Postgres => assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}"),
    }
    let seen = log
        .iter()
        .map(|event| json!([event.id, event.originator_version, event.topic]));
    assert_eq!(follower.ask(json!(["rows"])), Value::Array(seen.collect()));

    runner.wait_until_idle(PATIENCE)?;
    follower.ask(json!(["wait_for_position", positions.last()]));
    for (trick, count) in [("roll over", each + 1), ("sit", all - each - 1)] {
        assert_eq!(counters.get_count(trick)?, count);
        assert_eq!(follower.count(trick), count);
    }
    let is_shown = shared.shows("roll over");
    assert!(is_shown.is_none_or(|is_shown| is_shown == (sealing == Sealing::Plain)));
    Ok(())
}

/// This use is advised against, because Python's follower fails when it finds that the position has
/// moved.
pub fn one_follower_that_both_run_at_once_doubles_nothing(store: Store) -> Result<()> {
    let Some(shared) = Shared::new(store, Sealing::Plain) else {
        return Ok(());
    };
    let Some(mut python) = shared.python() else {
        return Ok(());
    };
    python.ask(json!(["start", "multi"]));
    let runner: MultiThreadedRunner = shared.rust()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    school.register_dog("Billy")?;
    let request = json!(["add_tricks", "Billy", "sit", 60]);
    python.begin(&request);
    let taught = teach_until(&school, || python.answer(&request))?;

    runner.wait_until_idle(PATIENCE)?;
    let all = 60 + taught.values().sum::<u64>();
    assert_eq!(counters.get_count("sit")?, all);
    let log = counters.notification_log().select(1, usize::MAX)?;
    assert_eq!(log.len() as u64, all + 1, "one creates the counter");
    Ok(())
}

/// Python knows no events of the upstream beside a position: it moves the position, and leaves the
/// digest of another one.
pub fn python_moves_a_position_between_two_of_ours_and_raises_no_false_alarm(
    store: Store,
) -> Result<()> {
    fn flow<R: Runner>(store: Store, sealing: Sealing, python_runner: &str) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        DogSchool::new(shared.env())?.register_dog("Billy")?;
        for round in 1..=2 {
            let runner: R = shared.rust()?;
            let school = runner.get::<DogSchool>()?;
            school.add_trick("Billy", "sit")?;
            runner.wait_until_idle(PATIENCE)?;
            assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 2 * round - 1);
            drop(runner);
            python.ask(json!(["start", python_runner]));
            python.ask(json!(["add_trick", "Billy", "sit"]));
            python.ask(json!(["wait_for_position", 2 * round + 1]));
            assert_eq!(python.count("sit"), 2 * round);
            python.ask(json!(["stop"]));
        }
        Ok(())
    }
    EITHER_WAY.into_iter().try_for_each(|sealing| {
        flow::<SingleThreadedRunner>(store, sealing, "single")?;
        flow::<MultiThreadedRunner>(store, sealing, "multi")
    })
}

/// Teaches until `others` are done: mostly a dog of its own, and sometimes Billy, whom the others
/// teach. Returns the number of tricks of each.
fn teach_until<T>(
    school: &DogSchool,
    others: impl FnOnce() -> T + Send,
) -> Result<BTreeMap<&'static str, u64>> {
    let is_over = AtomicBool::new(false);
    school.register_dog("Milly")?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _over = Over(&is_over);
            others();
        });
        let mut taught = BTreeMap::new();
        // The others can only load and save Billy if this side leaves him alone for a while.
        for dog in [["Milly"; 9].as_slice(), &["Billy"]]
            .concat()
            .iter()
            .cycle()
        {
            tests::teach(school, dog)?;
            *taught.entry(*dog).or_default() += 1;
            if is_over.load(Ordering::SeqCst) && taught.len() == 2 {
                break;
            }
        }
        Ok(taught)
    })
}

/// Signals the end of the others when it is dropped, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
