//! An older and a newer program follow at the same time.

use std::sync::Arc;

use es_system::store::{Followed, PolicyTopic, ProcessRecorder, Recorded, Recording, StoreError};
use tests::wrapped::{Around, Wrapping};

use super::*;

/// Waits until `is_done` returns true.
fn wait_for(what: &str, mut is_done: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_done()? {
        assert!(started.elapsed() < PATIENCE, "it does not come: {what}");
        std::thread::yield_now();
    }
    Ok(())
}

/// Returns the lines that a follower of both kinds of event has when it is at the head.
fn expected(head: u64) -> Vec<String> {
    let line = |position| match position % 2 {
        1 => format!("registered {position}"),
        _ => format!("renamed {position}"),
    };
    (1..=head).map(line).collect()
}

fn by_position(mut lines: Vec<String>) -> Vec<String> {
    let position = |line: &String| {
        line.rsplit(' ')
            .next()
            .and_then(|at| at.parse::<u64>().ok())
    };
    lines.sort_by_key(position);
    lines
}

#[test]
fn no_event_is_lost_while_an_older_program_follows_beside_the_newer_one() -> Result<()> {
    for place in lasting_places() {
        let mut older = MultiThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
        older.start()?;
        record(&place)?;
        older.wait_until_idle(PATIENCE)?;
        let newer = program::<replays::Second>()?;
        let mut newer = MultiThreadedRunner::new(&newer, place.env.clone())?;
        newer.start()?;
        newer.wait_until_idle(PATIENCE)?;
        assert_eq!(stepped_back(&older), "Dog.Renamed");
        for _ in 0..100 {
            record(&place)?;
        }
        newer.wait_until_idle(PATIENCE)?;
        let lines = by_position(newer.get::<replays::Second>()?.lines()?);
        assert_eq!(lines, expected(202), "{}", place.name);
        let Condition::WaitingForNewer {
            application,
            upstream,
            error,
            ..
        } = &older.status()[0].condition
        else {
            panic!("it follows: {:?}", older.status())
        };
        assert_eq!(
            (application.as_str(), upstream.as_str()),
            ("Second", "North")
        );
        assert_eq!(error.kind(), ErrorKind::Configuration);
        older.watch_for_errors(Duration::ZERO)?;
        older.stop()?;
        newer.stop()?;
    }
    Ok(())
}

#[test]
fn an_older_program_goes_on_when_the_policy_is_taken_out_again() -> Result<()> {
    for place in lasting_places() {
        record(&place)?;
        run::<MultiThreadedRunner, asks::Second>(&place)?;
        let mut older = MultiThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
        older.start()?;
        assert_eq!(stepped_back(&older), "Dog.Renamed");
        run::<MultiThreadedRunner, without::Second>(&place)?;
        record(&place)?;
        older.wait_until_idle(PATIENCE)?;
        assert!(matches!(older.status()[0].condition, Condition::Running));
        let all = ["registered 1", "renamed 2", "registered 3"];
        assert_eq!(older.get::<old::Second>()?.lines()?, all, "{}", place.name);
        older.stop()?;
    }
    Ok(())
}

#[test]
fn of_two_running_programs_the_one_that_was_started_last_decides() -> Result<()> {
    for place in lasting_places() {
        record(&place)?;
        run::<MultiThreadedRunner, asks::Second>(&place)?;
        let with = || MultiThreadedRunner::new(&program::<asks::Second>()?, place.env.clone());
        let mut first = with()?;
        first.start()?;
        first.wait_until_idle(PATIENCE)?;
        let out = program::<without::Second>()?;
        let mut out = MultiThreadedRunner::new(&out, place.env.clone())?;
        out.start()?;
        out.wait_until_idle(PATIENCE)?;
        assert_eq!(stepped_back(&first), "Dog.Renamed");
        let mut again = with()?;
        again.start()?;
        record(&place)?;
        again.wait_until_idle(PATIENCE)?;
        assert_eq!(stepped_back(&out), "Dog.Renamed");
        // The first one has the same policies again.
        wait_for("the first one goes on", || {
            Ok(matches!(first.status()[0].condition, Condition::Running))
        })?;
        for _ in 0..20 {
            record(&place)?;
        }
        again.wait_until_idle(PATIENCE)?;
        let lines = by_position(again.get::<asks::Second>()?.lines()?);
        assert_eq!(lines, expected(44), "{}", place.name);
        for runner in [&mut first, &mut out, &mut again] {
            runner.stop()?;
        }
    }
    Ok(())
}

#[test]
fn a_command_does_not_wait_for_a_follower_that_has_stepped_back() -> Result<()> {
    for place in lasting_places() {
        record(&place)?;
        run::<SingleThreadedRunner, asks::Second>(&place)?;
        let mut older = SingleThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
        older.start()?;
        let started = Instant::now();
        for _ in 0..10 {
            older.get::<North>()?.save(&mut Dog::register())?;
        }
        // A command that tries a failed batch again takes a second.
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
        older.stop()?;
    }
    Ok(())
}

/// A program of a release that records no policies. It follows these topics.
struct Unaware(&'static [&'static str]);

impl Around for Unaware {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let mut recording = recording.clone();
        for tracking in &mut recording.trackings {
            tracking.policies = None;
        }
        recorder.record(&recording)
    }

    fn followed(
        &self,
        recorder: &dyn ProcessRecorder,
        upstream: &str,
    ) -> Result<Followed, StoreError> {
        let found = recorder.followed(upstream)?;
        let mut followed = Followed::new(found.position);
        followed.event = found.event;
        followed.topics = self
            .0
            .iter()
            .map(|topic| PolicyTopic::live(*topic))
            .collect();
        Ok(followed)
    }
}

/// Returns the environment in which the policies of the follower are not recorded.
fn unaware(place: &Place, topics: &'static [&'static str]) -> Env {
    place.env.clone().with_store(Arc::new(Wrapping {
        application: "Second",
        around: Arc::new(Unaware(topics)),
    }))
}

const BOTH: [&str; 2] = ["Dog.Registered", "Dog.Renamed"];

/// Has an older and a newer program follow in turn, and returns the lines at the head.
fn in_turn(older: Env, newer: Env, place: &Place) -> Result<Vec<String>> {
    let mut older = SingleThreadedRunner::new(&program::<old::Second>()?, older)?;
    older.start()?;
    let mut newer = SingleThreadedRunner::new(&program::<replays::Second>()?, newer)?;
    newer.start()?;
    for _ in 0..10 {
        record(place)?;
        older.process();
        newer.process();
    }
    newer.wait_until_idle(PATIENCE)?;
    Ok(by_position(newer.get::<replays::Second>()?.lines()?))
}

#[test]
fn the_control_without_recorded_policies_loses_events() -> Result<()> {
    for place in lasting_places() {
        let (older, newer) = (unaware(&place, &BOTH[..1]), unaware(&place, &BOTH));
        let lines = in_turn(older, newer, &place)?;
        assert!(lines.len() < 20, "{}: no event was lost", place.name);
    }
    for place in lasting_places() {
        let lines = in_turn(place.env.clone(), place.env.clone(), &place)?;
        assert_eq!(lines, expected(20), "{}", place.name);
    }
    Ok(())
}

#[test]
fn a_position_of_a_release_that_records_no_policies_is_taken_over_without_a_question() -> Result<()>
{
    let mut places = lasting_places();
    let place = places.find(|place| place.name == "sqlite file");
    let place = place.expect("SQLite is there");
    record(&place)?;
    let env = unaware(&place, &BOTH);
    let mut runner = SingleThreadedRunner::new(&program::<asks::Second>()?, env)?;
    runner.start()?;
    runner.stop()?;
    record(&place)?;
    let lines = run::<SingleThreadedRunner, asks::Second>(&place)?;
    assert_eq!(lines, expected(4));
    // Now they are recorded.
    let mut older = SingleThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
    older.start()?;
    assert_eq!(stepped_back(&older), "Dog.Renamed");
    older.stop()
}
