//! A follower that is resumed among others, which work on.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::Instant;

use es_system::operating::Operate;
use es_system::prelude::*;
use es_system::{Condition, FollowerStatus};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

use super::ledger::{ALWAYS, Ledger, Poison, Writer, teach};
use super::{stores, wait_until};

/// The threads on which the policies of each follower have run.
static THREADS: Mutex<Option<HashMap<&str, HashSet<ThreadId>>>> = Mutex::new(None);

fn note(follower: &'static str) {
    let mut threads = THREADS.lock().expect("no panic");
    let of = threads.get_or_insert_default().entry(follower).or_default();
    of.insert(std::thread::current().id());
}

macro_rules! followers {
    ($($name:ident),*) => {
        $(
            #[process_application]
            struct $name;

            #[process_application]
            impl $name {
                #[policy(Dog::TrickAdded)]
                fn see(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
                    let _ = event;
                    note(stringify!($name));
                    Ok(())
                }
            }
        )*

        fn system(poison: &Poison) -> Result<System> {
            let poison = poison.clone();
            let ledger = move |env| Ledger::new(env, poison.clone());
            System::new(pipes![[DogSchool, Ledger = ledger], $([DogSchool, $name]),*])
        }
    };
}

followers!(One, Two, Three, Four, Five, Six, Seven);

/// Returns the positions of the seven.
fn positions(runner: &impl Runner) -> Vec<u64> {
    let of_seven = |status: &FollowerStatus| status.follower != "Ledger";
    let statuses = runner.status().into_iter().filter(of_seven);
    let position = |status: FollowerStatus| status.edges[0].position.unwrap_or(0);
    statuses.map(position).collect()
}

/// Waits until `holds` returns true, and prompts nobody.
fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "it never happens: {what}");
        std::thread::yield_now();
    }
}

/// Waits until each of the seven has processed more events.
fn wait_until_they_have_worked(runner: &impl Runner) {
    let before = positions(runner);
    wait_for("each of the others works on", || {
        let now = positions(runner).into_iter();
        before.iter().zip(now).all(|(before, now)| now > *before)
    });
}

fn has_stopped(runner: &impl Runner) -> bool {
    runner.status().iter().any(|status| {
        status.follower == "Ledger" && matches!(status.condition, Condition::Stopped { .. })
    })
}

/// Stops the ledger by a poisoned event, and resumes it when it is mended.
fn stop_and_resume(runner: &MultiThreadedRunner, env: &Env, poison: &Poison) -> Result<()> {
    wait_until_they_have_worked(runner);
    teach(env, &["A1"])?;
    wait_for("it stops", || has_stopped(runner));
    wait_until_they_have_worked(runner);
    poison.heal();
    runner.resume::<Ledger>()?;
    wait_for("it goes on", || !has_stopped(runner));
    wait_until_they_have_worked(runner);
    Ok(())
}

#[test]
fn a_follower_is_resumed_while_seven_others_work_on() -> Result<()> {
    for store in stores() {
        *THREADS.lock().expect("no panic") = None;
        let poison = Poison::default();
        poison.set("A1", ALWAYS);
        let env = store.env.clone().with("SQLITE_DBNAME", ":memory:");
        let mut runner = MultiThreadedRunner::new(&system(&poison)?, env)?;
        runner.start()?;
        let (school, is_over) = (runner.get::<DogSchool>()?, AtomicBool::new(false));
        school.register_dog("Rex")?;
        std::thread::scope(|scope| -> Result<()> {
            let load = scope.spawn(|| -> Result<()> {
                while !is_over.load(Ordering::SeqCst) {
                    school.add_trick("Rex", "sit")?;
                }
                Ok(())
            });
            let outcome = stop_and_resume(&runner, &store.env, &poison);
            is_over.store(true, Ordering::SeqCst);
            load.join().expect("no panic")?;
            outcome
        })?;
        runner.wait_until_idle(PATIENCE)?;
        let written = runner.get::<Ledger>()?.written()?;
        let head = school.notification_log().head()?;
        assert!(written.contains(&"A1".to_owned()), "{}", store.name);
        assert_eq!(written.len() as u64, head - 2, "all but two dogs");
        let threads = THREADS.lock().expect("no panic").take();
        let threads = threads.unwrap_or_default();
        assert_eq!(threads.len(), 7);
        for (follower, threads) in threads {
            assert_eq!(threads.len(), 1, "{follower} was not started again");
        }
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn a_paused_follower_that_is_moved_stays_paused() -> Result<()> {
    for store in stores() {
        let poison = Poison::default();
        teach(&store.env, &["A1", "A2", "A3"])?;
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, store.env.clone())?;
        runner.pause::<Ledger>()?;
        runner.start()?;
        let is_paused = || {
            let condition = runner.status().remove(0).condition;
            Ok(matches!(condition, Condition::Paused { .. }))
        };
        wait_until("it is paused", &runner, is_paused)?;
        runner.start_at::<Ledger>("DogSchool", 3)?;
        let ledger = runner.get::<Ledger>()?;
        let idle = runner.wait_until_idle(Duration::from_millis(100));
        let error = idle.expect_err("it has events").to_string();
        assert!(error.contains("paused"), "{error}");
        assert!(is_paused()?, "{}", store.name);
        assert!(ledger.written()?.is_empty());
        runner.resume::<Ledger>()?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ledger.written()?, ["A2", "A3"], "{}", store.name);
        runner.stop()?;
    }
    Ok(())
}
