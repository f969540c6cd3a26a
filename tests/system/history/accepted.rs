//! An operator accepts the log of a restored upstream, and its follower goes on with it.

use es_system::operating::Operate;
use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};
use tests::ledger::{ALWAYS, Ledger, Poison, Writer, teach};

use super::{OTHERS, Other, Stores, TRICKS, assert_stops, first_history, replace};

/// The place of the operator's call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    /// In the runner that has noticed the other log.
    Live,
    /// In a new runner that has noticed it.
    Restarted,
    /// In a new runner, before it starts.
    BeforeStart,
}

/// Has the follower process the first history, replaces it, and has an operator accept the log
/// behind `position`, which is given the former head.
fn accept<R: Runner>(
    (stores, other, call): (&Stores, &Other, Call),
    position: impl Fn(u64) -> Option<u64>,
) -> Result<()> {
    let env = stores.env().with("POLL_INTERVAL", "0.05");
    let (mut runner, head) = first_history::<R>(other, env.clone())?;
    if call != Call::Live {
        runner.stop()?;
    }
    replace(stores, other, head)?;
    if call != Call::Live {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        runner = R::new(&system, env)?;
    }
    if call == Call::Restarted {
        runner.start()?;
    }
    if call != Call::BeforeStart {
        assert_stops(&mut runner, other, head)?;
    }
    let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
    let end = school.notification_log().head()?;
    let accepted = position(head).unwrap_or(end.min(head));
    runner.accept_upstream::<Counters>("DogSchool", accepted)?;
    if call == Call::BeforeStart {
        runner.start()?;
    }
    runner.wait_until_idle(PATIENCE)?;
    let log = school.notification_log().select(accepted + 1, 1_000)?;
    let tricks = log
        .iter()
        .filter(|event| event.topic.ends_with("TrickAdded"));
    let name = other.name;
    assert_eq!(counters.get_count("stay")?, tricks.count() as u64, "{name}");
    assert_eq!(
        counters.get_count("sit")?,
        TRICKS as u64,
        "{name}: effects remain"
    );
    school.register_dog("Spot")?;
    school.add_trick("Spot", "new")?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(counters.get_count("new")?, 1, "{name}");
    runner.stop()
}

#[test]
fn a_follower_goes_on_behind_the_last_event_that_both_logs_have() -> Result<()> {
    let calls = [Call::Live, Call::Restarted, Call::BeforeStart];
    for (number, call) in calls.into_iter().enumerate() {
        for other in [0, 2, 4] {
            for stores in Stores::all() {
                let case = (&stores, &OTHERS[other], call);
                match (number + other / 2) % 2 {
                    0 => accept::<MultiThreadedRunner>(case, |head| Some(head - 5))?,
                    _ => accept::<SingleThreadedRunner>(case, |head| Some(head - 5))?,
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_follower_goes_on_behind_the_end_of_the_restored_log() -> Result<()> {
    for (call, other) in [(Call::Live, 1), (Call::Restarted, 1), (Call::Restarted, 0)] {
        for stores in Stores::all() {
            accept::<MultiThreadedRunner>((&stores, &OTHERS[other], call), |_| None)?;
        }
    }
    Ok(())
}

#[test]
fn what_was_set_aside_of_the_lost_events_is_forgotten() -> Result<()> {
    for position in [7, 10] {
        for stores in Stores::all() {
            let env = stores.env().with("LEDGER_ON_ERROR", "set_aside");
            let poison = Poison::default();
            let poisoned = ["A2", "B1", "B2"];
            poisoned.iter().for_each(|trick| poison.set(trick, ALWAYS));
            // A is registered at position 1, and B at 5.
            teach(&env, &["A1", "A2", "A3", "B1", "B2", "A4", "A5", "A6"])?;
            let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env.clone())?;
            runner.start()?;
            runner.wait_until_idle(PATIENCE)?;
            let positions = |runner: &MultiThreadedRunner| -> Result<Vec<u64>> {
                let waiting = runner.get::<Ledger>()?.waiting()?.into_iter();
                Ok(waiting.map(|(position, _)| position).collect())
            };
            assert_eq!(positions(&runner)?, [3, 4, 6, 7, 8, 9, 10]);
            runner.stop()?;
            stores.cut_back(7);
            teach(&env, &["C1", "C2", "C3", "C4"])?;

            let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
            runner.start()?;
            let error = runner.wait_until_idle(PATIENCE).expect_err("another log");
            assert_eq!(error.kind(), ErrorKind::LogChanged, "{error}");
            runner.accept_upstream::<Ledger>("DogSchool", position)?;
            runner.wait_until_idle(PATIENCE)?;
            assert_eq!(positions(&runner)?, [3, 4, 6, 7], "{position:?}");
            poison.heal();
            assert_eq!(runner.retry::<Ledger>("DogSchool", None)?.done, 4);
            runner.wait_until_idle(PATIENCE)?;
            let written = runner.get::<Ledger>()?.written()?;
            let of_lost = written
                .iter()
                .filter(|trick| ["A4", "A5"].contains(&&***trick));
            assert_eq!(of_lost.count(), 0, "{written:?}");
            runner.stop()?;
        }
    }
    Ok(())
}
