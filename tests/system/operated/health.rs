//! The health of a runner: it turns, tells why, and turns back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use es_system::operating::Health;
use es_system::prelude::*;
use es_system::store::{Followed, Head, ProcessRecorder, StoreError};
use tests::domain::DogSchool;
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files};

use super::hanging::{Slow, edge, start};
use super::ledger::{ALWAYS, Ledger, Poison, Writer, teach};
use super::wait_until;

/// Waits for the stores for so long that those of a test have answered.
fn health(runner: &impl Runner) -> Health {
    runner.health_within(PATIENCE)
}

fn assert_well(runner: &impl Runner) {
    let health = health(runner);
    assert!(health.is_well(), "{health}");
}

#[test]
fn the_age_is_0_when_idle_and_grows_from_the_moment_at_which_a_policy_hangs() -> Result<()> {
    let (runner, hold) = start(Env::new())?;
    let hangs = || Ok(edge(&runner).in_hand.is_some_and(|(at, _)| at == 3));
    wait_until("it hangs", &runner, hangs)?;
    let seen = Instant::now();
    let age = || edge(&runner).age.expect("it can be read");
    let first = age();
    assert!(first > Duration::ZERO);
    let grows = || Ok(age() >= first + Duration::from_millis(300));
    wait_until("the age grows", &runner, grows)?;
    // It grows as fast as time passes.
    assert!(age() <= first + seen.elapsed() + Duration::from_millis(50));
    hold.end();
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(age(), Duration::ZERO);
    Ok(())
}

#[test]
fn a_runner_is_ready_from_its_start_to_its_stop() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let mut runner = R::new(&Ledger::system(&Poison::default())?, Env::new())?;
        let new = health(&runner);
        assert_eq!(new.not_ready, ["the runner was not started"]);
        assert!(new.is_live() && !new.is_well());
        runner.start()?;
        assert_well(&runner);
        runner.stop()?;
        let stopped = health(&runner);
        assert_eq!(stopped.not_ready, ["the runner was stopped"]);
        assert!(stopped.is_live(), "its threads have ended as they should");
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_policy_that_hangs_is_not_live_and_an_event_that_is_set_aside_is_a_problem() -> Result<()> {
    let env = Env::new()
        .with("SLOW_POLICY_TIMEOUT", "0.05")
        .with("SLOW_ON_ERROR", "set_aside");
    let (runner, hold) = start(env)?;
    let turns = || Ok(!health(&runner).is_live());
    wait_until("the health turns", &runner, turns)?;
    let hanging = health(&runner);
    let reason = hanging.not_live.first().expect("a reason");
    let expected = "Slow: the policy for position 3 of DogSchool has run for ";
    assert!(reason.starts_with(expected), "{reason}");
    assert!(hanging.is_ready(), "{hanging}");
    hold.end();
    runner.wait_until_idle(PATIENCE)?;
    let aside = health(&runner);
    assert!(aside.is_live() && aside.is_ready(), "{aside}");
    assert_eq!(
        aside.problems,
        ["Slow: 2 events of DogSchool are set aside"]
    );
    // The policy is told at once that the test has nothing to say.
    drop(hold);
    let retried = runner.retry::<Slow>("DogSchool", None)?;
    assert_eq!(retried.done, 2);
    assert_well(&runner);
    Ok(())
}

#[test]
fn a_follower_that_has_stopped_is_a_problem_that_no_restart_mends() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let poison = Poison::default();
        poison.set("A2", ALWAYS);
        teach(&env, &["A1", "A2", "A3"])?;
        let mut runner = R::new(&Ledger::system(&poison)?, env)?;
        runner.start()?;
        let stopped = runner
            .wait_until_idle(PATIENCE)
            .expect_err("it has stopped");
        let ill = health(&runner);
        assert!(ill.is_live() && ill.is_ready() && !ill.is_well(), "{ill}");
        assert_eq!(ill.problems, [format!("Ledger has stopped: {stopped}")]);
        assert_eq!(ill.to_string(), format!("problem: {}", ill.problems[0]));
        poison.heal();
        runner.resume::<Ledger>()?;
        wait_until("it goes on", &runner, || Ok(health(&runner).is_well()))?;
        runner.wait_until_idle(PATIENCE)?;
        runner.pause::<Ledger>()?;
        let is_paused = || {
            let problems = health(&runner).problems;
            Ok(problems
                .iter()
                .any(|one| one.starts_with("Ledger is paused in DogSchool by ")))
        };
        wait_until("it is paused", &runner, is_paused)?;
        runner.resume::<Ledger>()?;
        wait_until("it goes on", &runner, || Ok(health(&runner).is_well()))
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

/// A store that is away, or does not answer, while the test says so.
#[derive(Default)]
struct Away {
    is_away: AtomicBool,
    is_silent: Mutex<bool>,
    answers: Condvar,
    /// The number of reads by probes.
    probes: AtomicU64,
    /// True if a read by the follower panics.
    is_fatal: AtomicBool,
}

impl Away {
    fn set_silent(&self, is_silent: bool) {
        *self.is_silent.lock().expect("no panic") = is_silent;
        self.answers.notify_all();
    }
}

fn is_probe() -> bool {
    let current = thread::current();
    current
        .name()
        .is_some_and(|name| name.starts_with("health "))
}

impl Around for Away {
    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::driver(
                "ledger.sqlite",
                "reading",
                "nobody is there",
            ));
        }
        if is_probe() {
            self.probes.fetch_add(1, Ordering::SeqCst);
            let silent = self.is_silent.lock().expect("no panic");
            let silent = self.answers.wait_while(silent, |is_silent| *is_silent);
            drop(silent.expect("no panic"));
        }
        recorder.head()
    }

    fn followed(
        &self,
        recorder: &dyn ProcessRecorder,
        upstream: &str,
    ) -> Result<Followed, StoreError> {
        let is_fatal = self.is_fatal.load(Ordering::SeqCst) && !is_probe();
        assert!(!is_fatal, "the thread of the follower ends");
        recorder.followed(upstream)
    }
}

/// Starts a ledger whose store is wrapped.
fn wrapped<R: Runner>(poison: &Poison) -> Result<(R, Arc<Away>, tempfile::TempDir)> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let around = Arc::new(Away::default());
    let env = files(dir.path()).with("POLL_INTERVAL", "0.05");
    let env = env.with_store(Arc::new(Wrapping {
        application: "Ledger",
        around: around.clone(),
    }));
    let mut runner = R::new(&Ledger::system(poison)?, env)?;
    runner.start()?;
    Ok((runner, around, dir))
}

#[test]
fn a_process_whose_store_is_away_is_not_ready_until_it_is_back() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let (runner, store, _dir) = wrapped::<R>(&Poison::default())?;
        assert_well(&runner);
        store.is_away.store(true, Ordering::SeqCst);
        let ill = health(&runner);
        assert!(ill.is_live() && !ill.is_ready(), "{ill}");
        let [reason] = &ill.not_ready[..] else {
            panic!("{ill}")
        };
        assert!(
            reason.starts_with("the store of Ledger cannot be read: ")
                && reason.contains("nobody is there"),
            "{reason}"
        );
        store.is_away.store(false, Ordering::SeqCst);
        assert_well(&runner);
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_store_that_does_not_answer_holds_up_no_probe_and_one_thread_at_most() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let (runner, store, _dir) = wrapped::<R>(&Poison::default())?;
        store.set_silent(true);
        for _ in 0..3 {
            let began = Instant::now();
            let ill = runner.health_within(Duration::from_millis(20));
            assert!(began.elapsed() < PATIENCE, "it answers");
            assert!(ill.is_live(), "{ill}");
            let reason = "the store of Ledger has not answered for ";
            let silent = ill.not_ready.iter().filter(|one| one.starts_with(reason));
            assert_eq!(silent.count(), 1, "{ill}");
        }
        assert_eq!(store.probes.load(Ordering::SeqCst), 1, "one thread waits");
        store.set_silent(false);
        assert_well(&runner);
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_runner_whose_thread_has_ended_is_not_live() -> Result<()> {
    let poison = Poison::default();
    let (runner, store, _dir) = wrapped::<MultiThreadedRunner>(&poison)?;
    assert_well(&runner);
    poison.set("sit", ALWAYS);
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let has_stopped = || Ok(!health(&runner).problems.is_empty());
    wait_until("the follower stops", &runner, has_stopped)?;
    // A follower that has stopped looks at the record to find out that it was resumed. A panic is
    // caught in all other work.
    store.is_fatal.store(true, Ordering::SeqCst);
    let turns = || Ok(!health(&runner).is_live());
    wait_until("the health turns", &runner, turns)?;
    let dead = health(&runner);
    assert_eq!(dead.not_live, ["the thread of Ledger has ended"]);
    assert!(dead.is_ready(), "{dead}");
    Ok(())
}
