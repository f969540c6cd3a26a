//! Projections that are killed under load and during a rebuild.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool};
use tests::table::TrickTable;
use tests::{PATIENCE, Place, places, settings, shared, teach, torture};

use crate::kills::{Killed, in_dir};

/// The signal that ends a process at once.
pub(crate) const SIGKILL: i32 = 9;

/// Returns the stores that several processes can share.
pub(crate) fn stores() -> impl Iterator<Item = Place> {
    places()
        .into_iter()
        .filter(|place| matches!(place.name, "sqlite file" | "postgres"))
}

fn system() -> Result<System> {
    System::new(pipes![[DogSchool, TrickTable]])
}

/// Returns the number of times that each trick is in the log, the most frequent first.
fn counted(school: &DogSchool) -> Result<Vec<(String, i64)>> {
    let mut counts: HashMap<String, i64> = HashMap::new();
    for notification in school.notification_log().select(1, usize::MAX)? {
        if notification.topic.ends_with("TrickAdded") {
            let event = school.decode::<Dog>(&notification)?;
            if let tests::domain::DogEvent::TrickAdded(event) = event.payload {
                *counts.entry(event.trick).or_default() += 1;
            }
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(trick, count), (other, other_count)| {
        other_count.cmp(count).then(trick.cmp(other))
    });
    Ok(counts)
}

fn wait_until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !holds()? {
        assert!(started.elapsed() < 5 * PATIENCE, "it never happens: {what}");
        std::thread::yield_now();
    }
    Ok(())
}

#[test]
fn a_projection_that_is_killed_under_load_has_counted_each_event_once() -> Result<()> {
    for place in stores() {
        let dir = shared(&place);
        let env = settings(dir.path());
        let school = DogSchool::new(env.clone())?;
        let table = TrickTable::new(env.clone())?;
        school.register_dog("Common")?;
        let mut writer = Killed::start(&["writer", in_dir(dir.path()), "1000000"]);
        for kill in 0..5 * torture() as u64 {
            let mut keeper = Killed::start(&["projection", in_dir(dir.path())]);
            let position = || Ok::<_, Error>(table.position_in("DogSchool")?.unwrap_or(0));
            // It dies at another moment each time, in the middle of its work.
            let until = position()? + 1 + kill * 7 % 23;
            wait_until("the position moves", || Ok(position()? >= until))?;
            assert!(keeper.is_running() && writer.is_running(), "none gave up");
            keeper.kill();
        }
        writer.kill();
        let mut runner = MultiThreadedRunner::new(&system()?, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let counted = counted(&school)?;
        assert!(counted[0].1 > 5, "there was load: {counted:?}");
        assert_eq!(table.counts()?, counted, "{}", place.name);
        runner.stop()?;
    }
    Ok(())
}

/// Returns a school with this number of events.
fn school_with(env: Env, events: usize) -> Result<DogSchool> {
    const TRICKS: [&str; 5] = ["sit", "roll over", "fetch ball", "play dead", "shake"];
    let school = DogSchool::new(env)?;
    for dog in 0..events / 1_000 {
        let mut dog = Dog::register(&format!("dog {dog}"));
        (1..1_000).for_each(|trick| dog.add_trick(TRICKS[trick % 5]));
        school.save(&mut dog)?;
    }
    Ok(school)
}

/// Returns the position up to which the new table is filled.
fn rebuilt(place: &Place, table: &TrickTable) -> Result<u64> {
    let tracking = match place.name {
        "postgres" => "tricktable_tracking",
        _ => "tracking",
    };
    let sql = format!("SELECT notification_id FROM {tracking} WHERE application_name = $1");
    table.read(|tx| {
        let row = tx.query_first(&sql, &[&"__rebuild__DogSchool"])?;
        Ok(row.map_or(Ok(0), |row| row.get(0))?)
    })
}

/// Kills a rebuild twice in progress, and lets a third one finish.
fn rebuild_with_kills(place: &Place, dir: &Path, table: &TrickTable, events: u64) -> Result<()> {
    let mut before = 0;
    for share in [1, 3] {
        let mut rebuild = Killed::start(&["rebuild", in_dir(dir)]);
        wait_until("the rebuild gets on", || {
            let now = rebuilt(place, table)?;
            assert!(now >= before, "it goes on where it was");
            Ok(now >= events * share / 8)
        })?;
        rebuild.kill();
        assert_eq!(rebuild.wait().signal(), Some(SIGKILL), "it was at work");
        before = rebuilt(place, table)?;
        assert!(before > 0, "what it has done is there");
    }
    let mut last = Killed::start(&["rebuild", in_dir(dir)]);
    assert!(last.wait().success());
    Ok(())
}

#[test]
fn a_rebuild_that_is_killed_is_taken_up_while_the_old_table_answers_all_the_time() -> Result<()> {
    for place in stores() {
        let dir = shared(&place);
        let env = settings(dir.path());
        let events = 8_000 * torture().min(25);
        let school = school_with(env.clone(), events)?;
        school.register_dog("Common")?;
        let mut runner = MultiThreadedRunner::new(&system()?, env)?;
        runner.start()?;
        runner.wait_until_idle(10 * PATIENCE)?;
        let table = runner.get::<TrickTable>()?;
        let all = events as i64 / 1_000 * 999;
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| -> Result<()> {
            let asking = scope.spawn(|| -> Result<u64> {
                let mut answers = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let sum: i64 = table.counts()?.iter().map(|(_, count)| count).sum();
                    assert!(sum >= all, "{sum} of {all} are there");
                    answers += 1;
                }
                Ok(answers)
            });
            // Meanwhile the old table is kept up to date, too.
            let teaching = scope.spawn(|| (0..20).try_for_each(|_| teach(&school, "Common")));
            let outcome = rebuild_with_kills(&place, dir.path(), &table, events as u64);
            is_over.store(true, Ordering::SeqCst);
            teaching.join().expect("no panic")?;
            assert!(asking.join().expect("every answer was right")? > 10);
            outcome
        })?;
        runner.wait_until_idle(PATIENCE)?;
        let counted = counted(&school)?;
        assert_eq!(table.counts()?, counted, "{}", place.name);
        runner.rebuild::<TrickTable>(|_| {})?;
        assert_eq!(table.counts()?, counted, "as one that ran through");
        runner.stop()?;
    }
    Ok(())
}
