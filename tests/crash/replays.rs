//! Replays for an added policy that are killed at each of their steps.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use es_system::prelude::*;
use tests::programs::{Dog, Lines, North, asks, old};
use tests::{PATIENCE, Place, settings, shared, torture};

use crate::kills::{Killed, in_dir};
use crate::projections::{SIGKILL, stores};

/// The number of times that a dog was renamed: more than fit into one batch.
const RENAMED: u64 = 1_100;

/// The points at which a program is killed, each at each step of the replay. At the first three
/// nothing was done since the step before, and behind the last one the next step begins.
const POINTS: [&str; 5] = ["head", "page", "policy", "before-record", "after-record"];

/// Runs `F` until it has processed everything, and returns its lines.
fn run<F>(env: &Env) -> Result<Vec<String>>
where
    F: es_system::__private::FollowerType + es_system::__private::FromEnv + Lines,
{
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[North, F]])?, env.clone())?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    let lines = runner.get::<F>()?.lines()?;
    runner.stop()?;
    Ok(lines)
}

/// Records a dog that was renamed so many times.
fn record(env: &Env, renamed: u64) -> Result<()> {
    let mut dog = Dog::register();
    (0..renamed).for_each(|_| dog.rename("Rex"));
    North::new(env.clone())?.save(&mut dog)?;
    Ok(())
}

/// Starts a program that replays, and kills it when it has reached the point. Returns false if it
/// had nothing to record any more.
fn is_killed(dir: &Path, point: &str, policy: u64) -> bool {
    let policy = policy.to_string();
    let mut program = Killed::start_heard(&["replays", in_dir(dir), point, &policy]);
    match program.line().as_str() {
        "there" => {
            program.kill();
            assert_eq!(program.wait().signal(), Some(SIGKILL), "at {point}");
            true
        }
        line => {
            assert_eq!(line, "done", "at {point}");
            assert!(program.wait().success(), "at {point}");
            false
        }
    }
}

/// Kills programs until there is nothing left to do. Returns the number of steps.
fn kill_at_each_step(env: &Env, dir: &Path, policy: u64) -> Result<u64> {
    for step in 0.. {
        if !POINTS.iter().all(|point| is_killed(dir, point, policy)) {
            return Ok(step);
        }
        if step == 1 {
            // The replay has begun. These events are processed after it.
            record(env, 1)?;
        }
    }
    unreachable!("the replay ends")
}

fn replay_with_kills(place: &Place, policy: u64) -> Result<()> {
    let dir = shared(place);
    let env = settings(dir.path());
    record(&env, RENAMED)?;
    run::<old::Second>(&env)?;
    let steps = kill_at_each_step(&env, dir.path(), policy)?;
    assert!(
        steps >= 5,
        "the replay has begin, two batches, and end: {steps}"
    );
    let renamed = (2..=RENAMED + 1).map(|position| format!("renamed {position}"));
    let later = [
        format!("registered {}", RENAMED + 2),
        format!("renamed {}", RENAMED + 3),
    ];
    let expected: Vec<_> = std::iter::once("registered 1".to_owned())
        .chain(renamed)
        .chain(later)
        .collect();
    let lines = run::<asks::Second>(&env)?;
    assert!(
        lines == expected,
        "{}: {} lines of {}",
        place.name,
        lines.len(),
        expected.len()
    );
    Ok(())
}

#[test]
fn a_replay_that_is_killed_at_each_step_gives_each_event_to_its_policy_once() -> Result<()> {
    for round in 0..torture() as u64 {
        for place in stores() {
            replay_with_kills(&place, 1 + round * 7 % 50)?;
        }
    }
    Ok(())
}
