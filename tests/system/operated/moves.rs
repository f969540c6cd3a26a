//! Followers that an operator moves while their policies run, and what is set aside then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use es_system::RetryLater;
use es_system::operating::Operate;
use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

use super::ledger::{ALWAYS, Ledger, Poison, Writer, teach};
use super::{Store, stores, wait_until};

/// A policy that waits for a word from the test, once for each of some tricks.
struct Held {
    poison: Poison,
    held: Receiver<()>,
    go_on: Sender<()>,
}

impl Held {
    fn at(tricks: &[&'static str]) -> Self {
        let (holds, held) = channel();
        let (go_on, may_go_on) = channel();
        let left = Mutex::new((tricks.to_vec(), holds, may_go_on));
        let poison = Poison::tasted_by(move |trick| {
            let mut left = left.lock().expect("no panic");
            if let Some(index) = left.0.iter().position(|one| *one == trick) {
                left.0.remove(index);
                if left.1.send(()).is_ok() {
                    let _the_test_may_have_ended = left.2.recv_timeout(PATIENCE);
                }
            }
            Ok(())
        });
        Self {
            poison,
            held,
            go_on,
        }
    }

    fn wait(&self) {
        self.held.recv_timeout(PATIENCE).expect("a policy is held");
    }
}

/// Returns a program beside the one that runs, in which an operator works.
fn operator(store: &Store, poison: &Poison) -> Result<SingleThreadedRunner> {
    SingleThreadedRunner::new(&Ledger::system(poison)?, store.env.clone())
}

#[test]
fn a_batch_in_flight_does_not_commit_after_an_operator_has_moved_its_follower() -> Result<()> {
    for store in stores() {
        let held = Held::at(&["A2", "A3", "A4", "A5"]);
        let mut runner =
            MultiThreadedRunner::new(&Ledger::system(&held.poison)?, store.env.clone())?;
        let operator = operator(&store, &Poison::default())?;
        let ledger = runner.get::<Ledger>()?;
        teach(&store.env, &["A1", "A2"])?;
        runner.start()?;

        held.wait();
        operator.start_at::<Ledger>("DogSchool", 4)?;
        held.go_on.send(()).expect("it waits");
        runner.wait_until_idle(PATIENCE)?;
        let nothing: [&str; 0] = [];
        assert_eq!(ledger.written()?, nothing, "{}", store.name);

        teach(&store.env, &["A3"])?;
        held.wait();
        operator.reset_keeping_events::<Ledger>()?;
        held.go_on.send(()).expect("it waits");
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ledger.written()?, ["A1", "A2", "A3"], "{}", store.name);

        teach(&store.env, &["A4"])?;
        held.wait();
        operator.accept_upstream::<Ledger>("DogSchool", 2)?;
        held.go_on.send(()).expect("it waits");
        runner.wait_until_idle(PATIENCE)?;
        let written = ledger.written()?;
        assert_eq!(written[3..], ["A2", "A3", "A4"], "{}", store.name);

        // The position stands, and the batch runs again.
        teach(&store.env, &["A5"])?;
        held.wait();
        let conflicts = || runner.status()[0].edges[0].conflicts;
        let before = conflicts();
        operator.accept_upstream::<Ledger>("DogSchool", 5)?;
        held.go_on.send(()).expect("it waits");
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ledger.written()?[6..], ["A5"], "{}", store.name);
        assert!(conflicts() > before, "{}", store.name);
        runner.stop()?;
    }
    Ok(())
}

/// Has the follower set an event aside, moves it by `go_back` after `decide`, and asserts that the
/// event is tried again.
fn is_tried_again(
    go_back: impl Fn(&MultiThreadedRunner) -> Result<()>,
    decide: impl Fn(&MultiThreadedRunner) -> Result<()>,
) -> Result<()> {
    for store in stores() {
        let env = store.env.clone().with("LEDGER_ON_ERROR", "set_aside");
        let poison = Poison::default();
        poison.set("A2", ALWAYS);
        teach(&env, &["A1", "A2", "B1"])?;
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let ledger = runner.get::<Ledger>()?;
        assert_eq!(ledger.waiting()?, [(3, 1)], "{}", store.name);
        decide(&runner)?;
        go_back(&runner)?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(
            ledger.written()?,
            ["A1", "B1", "A1", "B1"],
            "{}",
            store.name
        );
        assert_eq!(ledger.waiting()?, [(3, 1)], "{}", store.name);
        poison.heal();
        assert_eq!(runner.retry::<Ledger>("DogSchool", None)?.done, 1);
        assert_eq!(ledger.waiting()?, []);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn an_event_that_was_set_aside_is_tried_again_after_a_reset() -> Result<()> {
    let reset = |runner: &MultiThreadedRunner| runner.reset_keeping_events::<Ledger>();
    is_tried_again(reset, |_| Ok(()))?;
    is_tried_again(reset, |runner| runner.discard::<Ledger>("DogSchool", 3))
}

#[test]
fn an_event_above_the_log_that_is_accepted_is_tried_again() -> Result<()> {
    let accept = |runner: &MultiThreadedRunner| runner.accept_upstream::<Ledger>("DogSchool", 1);
    is_tried_again(accept, |_| Ok(()))?;
    is_tried_again(accept, |runner| runner.discard::<Ledger>("DogSchool", 3))
}

/// Records each event with whether it is of the past.
#[process_application]
struct Mails {
    poison: Poison,
    sent: Arc<Mutex<Vec<(u64, bool)>>>,
}

#[process_application]
impl Mails {
    #[policy(Dog::TrickAdded)]
    fn send(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        self.poison.taste(&event.trick)?;
        let mail = (event.notification_id, event.is_replay());
        self.sent.lock().expect("no panic").push(mail);
        Ok(())
    }
}

/// Has an operator make the first move of a follower, in front of three events, and asserts that
/// they are the past, and a later one is not.
fn assert_past(
    operate: impl Fn(&mut MultiThreadedRunner) -> Result<()>,
    expected: &[(u64, bool)],
) -> Result<()> {
    for store in stores() {
        let (poison, sent) = (Poison::default(), Arc::<Mutex<Vec<_>>>::default());
        poison.set("A1", ALWAYS);
        let open = {
            let sent = sent.clone();
            move |env| Mails::new(env, poison.clone(), sent.clone())
        };
        let system = System::new(pipes![[DogSchool, Mails = open]])?;
        let env = store.env.clone().with("MAILS_SQLITE_DBNAME", ":memory:");
        let mut runner = MultiThreadedRunner::new(&system, env)?;
        teach(&store.env, &["A1", "A2", "A3"])?;
        operate(&mut runner)?;
        let is_there = || Ok(sent.lock().expect("no panic").len() == 2);
        wait_until("the past is processed", &runner, is_there)?;
        runner.get::<DogSchool>()?.add_trick("A", "A4")?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(*sent.lock().expect("no panic"), expected, "{}", store.name);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn the_past_of_a_follower_that_an_operator_has_moved_first_is_the_past() -> Result<()> {
    let expected = [(3, true), (4, true), (5, false)];
    let start = |runner: &mut MultiThreadedRunner| {
        runner.start_at::<Mails>("DogSchool", 3)?;
        runner.start()
    };
    assert_past(start, &expected)?;
    let skip = |runner: &mut MultiThreadedRunner| {
        runner.start()?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        runner.skip::<Mails>("DogSchool", 2)
    };
    assert_past(skip, &expected)
}

#[test]
fn after_a_reset_an_event_may_fail_as_often_as_before() -> Result<()> {
    for store in stores() {
        let rule = "retry(times = 3, backoff = \"1ms..1ms\")";
        let env = store.env.clone().with("LEDGER_ON_ERROR", rule);
        teach(&env, &["A1"])?;
        let poison = Poison::default();
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
        poison.set("A1", 3);
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        poison.set("A1", 3);
        runner.reset_keeping_events::<Ledger>()?;
        runner.wait_until_idle(PATIENCE)?;
        let written = runner.get::<Ledger>()?.written()?;
        assert_eq!(written, ["A1", "A1"], "{}", store.name);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn a_follower_that_waits_in_front_of_an_event_goes_on_when_another_has_retried() -> Result<()> {
    for store in stores() {
        let rule = "retry(times = 9, backoff = \"600ms..600ms\", then = set_aside)";
        let env = store
            .env
            .clone()
            .with("LEDGER_ON_ERROR", rule)
            .with("LEDGER_POLL_INTERVAL", "3600");
        let (has_failed, is_ready) = (AtomicBool::new(false), AtomicBool::new(false));
        let poison = Poison::tasted_by(move |trick| match trick {
            "A1" if !has_failed.swap(true, Ordering::SeqCst) => {
                Err(Error::Usage("poison".to_owned()))
            }
            "B1" if !is_ready.swap(true, Ordering::SeqCst) => {
                Err(RetryLater::after(Duration::from_millis(1_200), "503"))?
            }
            _ => Ok(()),
        });
        teach(&env, &["A1", "B1"])?;
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env.clone())?;
        runner.start()?;
        let ledger = runner.get::<Ledger>()?;
        let operator = operator(&store, &Poison::default())?;
        let waits = || Ok(ledger.waiting()?.len() == 1);
        wait_until("it is set aside", &operator_of_nothing()?, waits)?;
        assert_eq!(operator.retry::<Ledger>("DogSchool", None)?.done, 1);
        // Nobody prompts the follower.
        let is_done = || Ok(ledger.written()? == ["A1", "B1"]);
        wait_until("it goes on", &operator_of_nothing()?, is_done)?;
        runner.stop()?;
    }
    Ok(())
}

/// Returns a runner that prompts nobody.
fn operator_of_nothing() -> Result<SingleThreadedRunner> {
    SingleThreadedRunner::new(&Ledger::system(&Poison::default())?, Env::new())
}
