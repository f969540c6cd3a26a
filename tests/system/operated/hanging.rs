//! A policy that hangs: which event, for how long, and that its batch does not commit.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::{Condition, EdgeStatus};
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

use super::ledger::Entry;
use super::wait_until;

/// Waits for a word from the test before it writes a trick down.
#[process_application]
pub(super) struct Slow {
    word: Arc<Mutex<Receiver<()>>>,
    begins: Sender<()>,
}

#[process_application]
impl Slow {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event.collect_events(&mut Entry::write(&event.trick));
        if event.trick == "hang" {
            let word = self.word.lock().expect("no panic");
            let _nobody_may_wait = self.begins.send(());
            let _the_test_may_have_ended = word.recv_timeout(PATIENCE);
        }
        Ok(())
    }
}

/// Holds up the policy for the trick `hang` until it sends a word or is dropped.
pub(super) struct Hold {
    word: Sender<()>,
    /// Has a word when the policy begins to wait.
    pub(super) begun: Receiver<()>,
}

impl Hold {
    pub(super) fn end(&self) {
        self.word.send(()).expect("the policy waits");
    }
}

/// Returns a system with a follower that is held up.
pub(super) fn slow() -> Result<(System, Hold)> {
    let (sender, word) = channel();
    let (begins, begun) = channel();
    let word = Arc::new(Mutex::new(word));
    let open = move |env| Slow::new(env, word.clone(), begins.clone());
    let system = System::new(pipes![[DogSchool, Slow = open]])?;
    let word = sender;
    Ok((system, Hold { word, begun }))
}

pub(super) fn start(env: Env) -> Result<(MultiThreadedRunner, Hold)> {
    let (system, hold) = slow()?;
    let mut runner = MultiThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for trick in ["sit", "hang", "roll"] {
        school.add_trick("Billy", trick)?;
    }
    Ok((runner, hold))
}

pub(super) fn edge(runner: &impl Runner) -> EdgeStatus {
    runner.status().remove(0).edges.remove(0)
}

#[test]
fn a_policy_that_hangs_is_seen_and_its_batch_does_not_commit() -> Result<()> {
    let env = Env::new()
        .with("SLOW_POLICY_TIMEOUT", "0.05")
        .with("SLOW_ON_ERROR", "set_aside");
    let (runner, hold) = start(env)?;
    let is_overdue = || {
        let edge = edge(&runner);
        let Condition::Overdue {
            position, elapsed, ..
        } = edge.condition
        else {
            return Ok(false);
        };
        assert_eq!(position, 3);
        assert!(elapsed > Duration::from_millis(50));
        assert_eq!(edge.in_hand.map(|(position, _)| position), Some(3));
        assert!(
            edge.age > Some(Duration::ZERO) && edge.since.is_some(),
            "{edge:?}"
        );
        Ok(true)
    };
    wait_until("the status turns", &runner, is_overdue)?;
    hold.end();
    runner.wait_until_idle(PATIENCE)?;
    let slow = runner.get::<Slow>()?;
    let written = slow.notification_log().select(1, 10)?;
    assert_eq!(written.len(), 1, "`sit`, in front of it");
    assert_eq!(edge(&runner).set_aside, Some(2), "it and `roll` behind it");
    Ok(())
}

#[test]
fn a_process_application_has_no_limit_by_default() -> Result<()> {
    let (runner, hold) = start(Env::new())?;
    let is_in_hand = || {
        Ok(edge(&runner)
            .in_hand
            .is_some_and(|(position, _)| position == 3))
    };
    wait_until("it hangs", &runner, is_in_hand)?;
    assert!(matches!(edge(&runner).condition, Condition::Running));
    hold.end();
    runner.wait_until_idle(PATIENCE)?;
    let written = runner.get::<Slow>()?.notification_log().select(1, 10)?;
    assert_eq!(written.len(), 3);
    assert_eq!(edge(&runner).in_hand, None);
    Ok(())
}
