//! Retries: at their time, by several programs, and over failures of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use es_system::prelude::*;
use es_system::store::StoreError;
use es_system::testing::{Call, FaultyStores, Moment};
use es_system::{Condition, RetryLater};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

use super::ledger::{Ledger, Poison, Writer, of, teach};
use super::{stores, wait_until};

/// The rule of most of these tests.
const SOON: &str = "retry(times = 50, backoff = \"1ms..20ms\", then = set_aside)";

#[test]
fn a_retry_wakes_a_follower_that_has_nothing_else_to_do() -> Result<()> {
    for store in stores() {
        let rule = "retry(times = 3, backoff = \"300ms..300ms\", then = set_aside)";
        let env = store
            .env
            .clone()
            .with("LEDGER_ON_ERROR", rule)
            .with("LEDGER_POLL_INTERVAL", "3600");
        let poison = Poison::default();
        poison.set("A1", 2);
        teach(&env, &["A1"])?;
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
        let started = Instant::now();
        runner.start()?;
        let ledger = runner.get::<Ledger>()?;
        // Nothing prompts the follower meanwhile.
        while ledger.written()?.is_empty() {
            assert!(started.elapsed() < PATIENCE, "{}", store.name);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(started.elapsed() >= Duration::from_millis(600));
        assert!(ledger.waiting()?.is_empty());
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn three_followers_retry_one_list_and_each_event_is_processed_once_in_order() -> Result<()> {
    for store in stores() {
        let env = store.env.clone().with("LEDGER_ON_ERROR", SOON);
        let tricks: Vec<_> = (0..90)
            .map(|nth| format!("{}{}", ["A", "B", "C"][nth % 3], nth / 3 + 1))
            .collect();
        let tricks: Vec<_> = tricks.iter().map(String::as_str).collect();
        teach(&env, &tricks)?;
        let poison = Poison::default();
        for (nth, trick) in tricks.iter().enumerate() {
            poison.set(trick, u32::from(nth % 4 == 0) * 2);
        }
        let run = || -> Result<MultiThreadedRunner> {
            let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env.clone())?;
            runner.start()?;
            Ok(runner)
        };
        let mut runners = [run()?, run()?, run()?];
        let ledger = runners[0].get::<Ledger>()?;
        let is_done = || Ok(ledger.written()?.len() >= tricks.len());
        wait_until("all tricks are written", &runners[0], is_done)?;
        for runner in &mut runners {
            runner.stop()?;
        }
        let written = ledger.written()?;
        for dog in ["A", "B", "C"] {
            let expected: Vec<_> = (1..=30).map(|nth| format!("{dog}{nth}")).collect();
            assert_eq!(of(dog, &written), expected, "{}", store.name);
        }
        assert!(ledger.waiting()?.is_empty());
    }
    Ok(())
}

#[test]
fn nothing_is_lost_or_done_twice_whichever_call_of_the_store_fails() -> Result<()> {
    let tricks = ["A1", "B1", "A2", "B2", "A3"];
    for failing in 1..=8 {
        for moment in [Moment::Before, Moment::After] {
            let stores = Arc::new(FaultyStores::in_memory());
            let env = Env::new()
                .with("LEDGER_ON_ERROR", SOON)
                .with_store(stores.clone());
            teach(&env, &tricks)?;
            let poison = Poison::default();
            poison.set("A1", 2);
            let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
            let store = stores.get("Ledger").expect("it is open");
            let error = StoreError::outcome_unknown("faulty", "a lost connection");
            store.fail(Call::Record, failing, moment, error);
            runner.start()?;
            let ledger = runner.get::<Ledger>()?;
            let is_done = || Ok(ledger.written()?.len() >= tricks.len());
            wait_until("all tricks are written", &runner, is_done)?;
            runner.wait_until_idle(PATIENCE)?;
            runner.stop()?;
            let written = ledger.written()?;
            assert_eq!(
                of("A", &written),
                ["A1", "A2", "A3"],
                "{failing} {moment:?}"
            );
            assert_eq!(of("B", &written), ["B1", "B2"], "{failing} {moment:?}");
            assert!(ledger.waiting()?.is_empty());
        }
    }
    Ok(())
}

/// Publishes tricks to a broker that answers 503 for a while.
#[process_application]
struct Publisher {
    refusals: Arc<AtomicU32>,
    published: Arc<AtomicU32>,
}

#[process_application]
impl Publisher {
    #[policy(Dog::TrickAdded, on_error = set_aside)]
    fn publish(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        let left = self.refusals.load(Ordering::SeqCst);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Err(RetryLater::after(Duration::from_millis(20), "503"))?;
        }
        self.published.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_broker_that_is_not_ready_delays_and_loses_nothing() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let (refusals, published) = (Arc::new(AtomicU32::new(25)), Arc::default());
        let open = {
            let (refusals, published) = (refusals.clone(), Arc::clone(&published));
            move |env| Publisher::new(env, refusals.clone(), Arc::clone(&published))
        };
        let system = System::new(pipes![[DogSchool, Publisher = open]])?;
        let mut runner = R::new(&system, Env::new())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        school.add_trick("Billy", "roll")?;
        let waits = || {
            let status = runner.status().remove(0);
            let edge = &status.edges[0];
            let is_waiting = matches!(edge.condition, Condition::Waiting { .. });
            if is_waiting {
                assert!(edge.lag >= Some(2) && edge.since.is_some(), "{edge:?}");
                assert!(edge.last_error.as_ref().is_some_and(|e| e.contains("503")));
                assert_eq!(edge.set_aside, Some(0));
                assert_eq!(edge.rule.as_deref(), Some("set_aside"));
            }
            Ok(is_waiting)
        };
        wait_until("the follower waits", &runner, waits)?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(published.load(Ordering::SeqCst), 2);
        assert_eq!(refusals.load(Ordering::SeqCst), 0);
        let status = runner.status().remove(0);
        let edge = &status.edges[0];
        assert_eq!((edge.lag, edge.age), (Some(0), Some(Duration::ZERO)));
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
