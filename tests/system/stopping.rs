//! Stopping: in order, within a limit, on any thread, and without lost or doubled events.

use std::sync::{Arc, Condvar, Mutex};

use es_system::prelude::*;
use tests::domain::{Counter, Counters, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, files};

use crate::runners::{error_of, school_and_counters, started};

/// A policy that does not return before its gate is opened.
mod gated {
    use super::*;

    #[derive(Default)]
    pub(super) struct Gate {
        state: Mutex<(bool, bool)>,
        changed: Condvar,
    }

    impl Gate {
        pub(super) fn enter_and_wait(&self) {
            let mut state = self.state.lock().expect("no panic");
            state.0 = true;
            self.changed.notify_all();
            drop(
                self.changed
                    .wait_while(state, |(_, open)| !*open)
                    .expect("no panic"),
            );
        }

        pub(super) fn wait_until_entered(&self) {
            let state = self.state.lock().expect("no panic");
            drop(
                self.changed
                    .wait_while(state, |(entered, _)| !*entered)
                    .expect("no panic"),
            );
        }

        pub(super) fn open(&self) {
            self.state.lock().expect("no panic").1 = true;
            self.changed.notify_all();
        }
    }

    pub(super) static GATE: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::default);

    #[process_application]
    pub(super) struct Watcher;

    #[process_application]
    impl Watcher {
        #[policy(Dog::TrickAdded)]
        fn wait(
            &self,
            event: &DomainEvent<DogTrickAdded>,
            processing_event: &mut ProcessingEvent,
        ) -> Result<()> {
            processing_event.collect_events(&mut Counter::new(&event.trick));
            GATE.enter_and_wait();
            Ok(())
        }
    }
}

/// A second such policy with a gate of its own.
mod hung {
    use super::*;

    pub(super) static GATE: std::sync::LazyLock<gated::Gate> =
        std::sync::LazyLock::new(gated::Gate::default);

    #[process_application]
    pub(super) struct Watcher;

    #[process_application]
    impl Watcher {
        #[policy(Dog::TrickAdded)]
        fn wait(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
            GATE.enter_and_wait();
            Ok(())
        }
    }
}

#[test]
fn a_policy_that_does_not_return_is_named_and_its_batch_never_commits() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let system = System::new(pipes![[DogSchool, gated::Watcher]])?;
    let mut runner: MultiThreadedRunner = started(&system, env.clone())?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    gated::GATE.wait_until_entered();
    let error = error_of(runner.stop_within(Duration::from_millis(50)));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("`Watcher` did not stop"),
        "{error}"
    );
    assert!(
        error.to_string().contains("position 2 of `DogSchool`"),
        "{error}"
    );

    let again = error_of(runner.stop_within(Duration::ZERO));
    assert_eq!(
        again.to_string().split(" within").next(),
        error.to_string().split(" within").next()
    );

    let watcher = runner.get::<gated::Watcher>()?;
    // The thread is left running, whatever happens to the runner.
    std::thread::spawn(move || drop(runner));
    gated::GATE.open();
    wait_until("the thread that was left has ended", || {
        Arc::strong_count(&watcher) == 1
    });
    assert!(
        watcher.notification_log().select(1, 10)?.is_empty(),
        "its batch did not commit"
    );
    assert!(watcher.position_in("DogSchool")?.unwrap_or(0) < 2);
    Ok(())
}

/// Waits for a condition that no signal announces.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn dropping_a_runner_ends_its_threads() -> Result<()> {
    for _ in 0..20 {
        let runner: MultiThreadedRunner = started(&school_and_counters()?, Env::new())?;
        let school = runner.get::<DogSchool>()?;
        let counters = runner.get::<Counters>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        drop(runner);
        assert_eq!(
            Arc::strong_count(&counters),
            1,
            "no thread holds the application any more"
        );
    }
    Ok(())
}

#[test]
fn stopping_under_load_loses_nothing_and_doubles_nothing() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let school = DogSchool::new(env.clone())?;
    school.register_dog("Billy")?;
    let tricks = 100 * tests::torture() as u64;
    std::thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(|| (0..tricks).try_for_each(|_| school.add_trick("Billy", "sit")));
        while !writer.is_finished() {
            let mut runner: MultiThreadedRunner = started(&school_and_counters()?, env.clone())?;
            runner.stop()?;
        }
        writer.join().expect("no panic")
    })?;
    let runner: SingleThreadedRunner = started(&school_and_counters()?, env)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, tricks);
    Ok(())
}

/// A policy that drops the runner on whose thread it runs.
mod self_dropping {
    use std::sync::{Mutex, mpsc};

    use es_system::prelude::*;
    use tests::domain::{Counter, Dog, DogTrickAdded};

    /// The value that the policy drops, and the channel that reports it.
    pub(super) type Dropped = (Box<dyn Send>, mpsc::Sender<()>);

    pub(super) static TO_DROP: Mutex<Option<Dropped>> = Mutex::new(None);

    #[process_application]
    pub(super) struct Watcher;

    #[process_application]
    impl Watcher {
        #[policy(Dog::TrickAdded)]
        fn drop_the_runner(
            &self,
            event: &DomainEvent<DogTrickAdded>,
            processing_event: &mut ProcessingEvent,
        ) -> Result<()> {
            processing_event.collect_events(&mut Counter::new(&event.trick));
            if let Some((runner, dropped)) = TO_DROP.lock().expect("no panic").take() {
                drop(runner);
                dropped.send(()).expect("the test waits");
            }
            Ok(())
        }
    }
}

#[test]
fn a_runner_that_is_dropped_on_one_of_its_own_threads_finishes_the_event_in_hand() -> Result<()> {
    fn flow<R: Runner + Send + 'static>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let system = System::new(pipes![[DogSchool, self_dropping::Watcher]])?;
        let runner: R = started(&system, files(dir.path()))?;
        let (school, watcher) = (
            runner.get::<DogSchool>()?,
            runner.get::<self_dropping::Watcher>()?,
        );
        let (dropped, has_dropped) = std::sync::mpsc::channel();
        *self_dropping::TO_DROP.lock().expect("no panic") = Some((Box::new(runner), dropped));
        let mut billy = Dog::register("Billy");
        billy.add_trick("sit");
        billy.add_trick("roll over");
        school.save(&mut billy)?;
        has_dropped
            .recv_timeout(PATIENCE)
            .expect("it does not wait for itself");
        wait_until("the runner has ended", || Arc::strong_count(&watcher) == 1);
        assert_eq!(
            watcher.position_in("DogSchool")?,
            Some(2),
            "the event in hand, and no other"
        );
        assert_eq!(watcher.notification_log().head()?, 1);
        Ok(())
    }
    flow::<MultiThreadedRunner>()?;
    flow::<SingleThreadedRunner>()
}

#[test]
fn waiting_and_saving_end_while_a_policy_of_another_thread_hangs() -> Result<()> {
    let system = System::new(pipes![[DogSchool, hung::Watcher]])?;
    let runner: SingleThreadedRunner = started(&system, Env::new())?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    std::thread::scope(|scope| -> Result<()> {
        let hanging = scope.spawn(|| school.add_trick("Billy", "sit"));
        hung::GATE.wait_until_entered();
        let error = error_of(runner.wait_until_idle(Duration::from_millis(50)));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        let mut runner = runner;
        let error = error_of(runner.stop_within(Duration::from_millis(50)));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        school.register_dog("Milly")?;
        hung::GATE.open();
        hanging.join().expect("no panic")
    })
}

#[test]
fn limits_may_be_as_long_as_there_is() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let mut runner: R = started(
            &school_and_counters()?,
            Env::new().with("POLL_INTERVAL", "1e19"),
        )?;
        runner.wait_until_idle(Duration::MAX)?;
        runner.stop_within(Duration::MAX)?;
        runner.watch_for_errors(Duration::MAX)
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
