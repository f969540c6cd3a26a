//! Two instances of one follower hold batches of different sizes from the same position. The
//! compare-and-set lets only one of them commit. The control only asks for a higher position, and
//! doubles events.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use es_system::prelude::*;
use es_system::store::{ProcessRecorder, Recorded, Recording, StoreError};
use tests::domain::DogSchool;
use tests::mirror::{Mirror, hook_on_this_thread};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files, teach};

/// The unchanged recorder.
struct ExactFence;

impl Around for ExactFence {}

/// The control: a position may move whenever it increases, wherever the batch started, and whatever
/// is recorded for it.
struct HigherThanRecorded;

impl Around for HigherThanRecorded {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let mut recording = recording.clone();
        for tracking in &mut recording.trackings {
            let found = recorder.followed(&tracking.upstream)?;
            let recorded = found.position.unwrap_or(0);
            if tracking.to > recorded {
                tracking.from = recorded;
                if let Some(policies) = &mut tracking.policies {
                    policies.expected = found.policies;
                }
            }
        }
        recorder.record(&recording)
    }
}

/// An instance of the follower on a thread of its own, which waits in its policy for some events.
struct Instance {
    held: Receiver<u64>,
    go_on: Sender<()>,
    thread: std::thread::JoinHandle<Result<()>>,
}

impl Instance {
    /// Starts an instance that waits in its policy for the events at `positions`. On return it
    /// waits for the first one, and holds a batch of all events recorded so far.
    fn holding_a_batch<A: Around>(dir: &Path, around: &Arc<A>, positions: &'static [u64]) -> Self {
        let env = env(dir, around);
        let (holds, held) = channel();
        let (go_on, may_go_on) = channel();
        let thread = std::thread::spawn(move || {
            hook_on_this_thread(move |position| {
                if positions.contains(&position) && holds.send(position).is_ok() {
                    // Without an answer the test has failed, so continue and let it report the
                    // failure.
                    let _ = may_go_on.recv_timeout(PATIENCE);
                }
            });
            follow(env)
        });
        let instance = Self {
            held,
            go_on,
            thread,
        };
        instance.wait_until_it_holds(positions[0]);
        instance
    }

    fn wait_until_it_holds(&self, position: u64) {
        assert_eq!(self.held.recv_timeout(PATIENCE), Ok(position));
    }

    fn go_on(&self) {
        self.go_on.send(()).expect("it waits");
    }

    /// Lets the instance run to its end, without waiting in its policy any more.
    fn finish(self) -> Result<()> {
        self.go_on();
        drop((self.go_on, self.held));
        self.thread.join().expect("no panic")
    }
}

fn follow(env: Env) -> Result<()> {
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Mirror]])?, env)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)
}

fn env<A: Around>(dir: &Path, around: &Arc<A>) -> Env {
    files(dir).with_store(Arc::new(Wrapping {
        application: "Mirror",
        around: around.clone(),
    }))
}

/// Returns the processed positions when a larger batch commits after a smaller one from the same
/// position.
fn processed_by_two<A: Around>(around: A) -> Result<Vec<u64>> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let around = Arc::new(around);
    let school = DogSchool::new(files(dir.path()))?;
    school.register_dog("Common")?;
    (0..5).try_for_each(|_| teach(&school, "Common"))?;
    let smaller = Instance::holding_a_batch(dir.path(), &around, &[2, 7]);
    (0..5).try_for_each(|_| teach(&school, "Common"))?;
    let larger = Instance::holding_a_batch(dir.path(), &around, &[2]);
    smaller.go_on();
    smaller.wait_until_it_holds(7);
    larger.finish()?;
    smaller.finish()?;
    Mirror::new(files(dir.path()))?.processed()
}

#[test]
fn of_two_batches_from_one_position_one_commits() -> Result<()> {
    assert_eq!(
        processed_by_two(ExactFence)?,
        (2..=11).collect::<Vec<u64>>()
    );
    Ok(())
}

#[test]
fn the_control_that_asks_for_a_higher_position_doubles_events() -> Result<()> {
    let processed = processed_by_two(HigherThanRecorded)?;
    let doubled =
        (2..=6).filter(|position| processed.iter().filter(|p| *p == position).count() == 2);
    assert!(doubled.count() > 0, "the control must fail: {processed:?}");
    Ok(())
}
