//! Programs come and go under load.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use tests::programs::{asks_table, now_table, old_table, without_table};

use super::*;

/// Records dogs on a thread until it is dropped.
struct Load<'a> {
    recorded: &'a AtomicU64,
    is_over: &'a AtomicBool,
}

impl Load<'_> {
    /// Waits until `more` further events are recorded.
    fn wait_for(&self, more: u64) {
        let (start, before) = (Instant::now(), self.recorded.load(Ordering::SeqCst));
        while self.recorded.load(Ordering::SeqCst) < before + more {
            assert!(start.elapsed() < PATIENCE, "nothing is recorded");
            thread::yield_now();
        }
    }
}

/// Runs `work` while another thread records events.
fn under_load(place: &Place, work: impl FnOnce(&Load<'_>) -> Result<()>) -> Result<()> {
    let (recorded, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let recording = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                record(place)?;
                recorded.fetch_add(2, Ordering::SeqCst);
            }
            Ok(())
        });
        let load = Load {
            recorded: &recorded,
            is_over: &is_over,
        };
        let worked = work(&load);
        load.is_over.store(true, Ordering::SeqCst);
        recording.join().expect("no panic").and(worked)
    })
}

fn started<F>(place: &Place) -> Result<MultiThreadedRunner>
where
    F: es_system::__private::FollowerType + es_system::__private::FromEnv,
{
    let mut runner = MultiThreadedRunner::new(&program::<F>()?, place.env.clone())?;
    runner.start()?;
    Ok(runner)
}

/// Asserts that each event was given once to its policy, but for the renamed ones that `may_lack`
/// allows.
fn assert_once(lines: &[String], head: u64, may_lack: impl Fn(u64) -> bool, place: &Place) {
    let mut lines: Vec<_> = lines.to_vec();
    lines.sort();
    let repeated = lines.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(repeated, None, "{}", place.name);
    for position in 1..=head {
        let policy = if position % 2 == 1 {
            "registered"
        } else {
            "renamed"
        };
        let line = format!("{policy} {position}");
        let is_there = lines.binary_search(&line).is_ok();
        assert!(
            is_there || may_lack(position),
            "{line} is missing on {}",
            place.name
        );
    }
}

/// A policy is added beside an older program, taken out, and taken in again, under load.
fn process_application_round(place: &Place) -> Result<()> {
    under_load(place, |load| {
        let mut older = started::<old::Second>(place)?;
        load.wait_for(20);
        let mut newer = started::<replays::Second>(place)?;
        load.wait_for(20);
        older.stop()?;
        load.wait_for(20);
        let mut without = started::<without::Second>(place)?;
        load.wait_for(20);
        newer.stop()?;
        load.wait_for(20);
        let mut again = started::<asks::Second>(place)?;
        load.wait_for(20);
        without.stop()?;
        let mut hounds = started::<hounds::Second>(place)?;
        load.wait_for(20);
        again.stop()?;
        hounds.stop()
    })?;
    let lines = run::<MultiThreadedRunner, asks::Second>(place)?;
    let head = North::new(place.env.clone())?.notification_log().head()?;
    assert_once(&lines, head, |_| false, place);
    Ok(())
}

/// The same for a projection, whose added policy begins with the events to come, until it is
/// rebuilt under load.
fn projection_round(place: &Place) -> Result<()> {
    under_load(place, |load| {
        let mut older = started::<old_table::Table>(place)?;
        load.wait_for(20);
        let mut newer = started::<now_table::Table>(place)?;
        load.wait_for(20);
        older.stop()?;
        load.wait_for(20);
        newer.stop()
    })?;
    let head = || North::new(place.env.clone())?.notification_log().head();
    record(place)?;
    let lines = run::<MultiThreadedRunner, asks_table::Table>(place)?;
    // From the first event of the added policy on, none is missing.
    let first = lines.iter().find_map(|line| line.strip_prefix("renamed "));
    let first: u64 = first
        .and_then(|at| at.parse().ok())
        .expect("some are renamed");
    let is_earlier = |position| position % 2 == 0 && position < first;
    assert_once(&lines, head()?, is_earlier, place);

    under_load(place, |load| {
        let mut without = started::<without_table::Table>(place)?;
        load.wait_for(20);
        let again = program::<asks_table::Table>()?;
        let mut again = MultiThreadedRunner::new(&again, place.env.clone())?;
        again.rebuild::<asks_table::Table>(|_| {})?;
        load.wait_for(20);
        without.stop()?;
        again.start()?;
        load.wait_for(20);
        again.stop()
    })?;
    let lines = run::<MultiThreadedRunner, asks_table::Table>(place)?;
    assert_once(&lines, head()?, |_| false, place);
    Ok(())
}

#[test]
fn each_event_is_processed_once_while_programs_come_and_go() -> Result<()> {
    for _ in 0..tests::torture() {
        lasting_places().try_for_each(|place| process_application_round(&place))?;
    }
    Ok(())
}

#[test]
fn each_event_is_projected_once_while_programs_come_and_go() -> Result<()> {
    for _ in 0..tests::torture() {
        lasting_places().try_for_each(|place| projection_round(&place))?;
    }
    Ok(())
}
