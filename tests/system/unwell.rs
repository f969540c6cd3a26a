//! The answers of a runner while something is wrong, and before and after it runs.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use es_system::prelude::*;
use es_system::store::StoreError;
use es_system::testing::{Call, FaultyStores, Moment};
use es_system::{Condition, FollowerStatus};
use tests::PATIENCE;
use tests::domain::{Counter, Counters, Dog, DogSchool, DogTrickAdded};
use tests::wrapped::{Around, Wrapping};
use tracing::Level;

#[process_application]
struct Others;

#[process_application]
impl Others {
    #[policy(Dog::TrickAdded)]
    fn count(&self, event: &DomainEvent<DogTrickAdded>, pe: &mut ProcessingEvent) -> Result<()> {
        let id = Counter::create_id(&event.trick);
        let found = self.repository().find(id)?;
        let mut counter = found.unwrap_or_else(|| Counter::new(&event.trick));
        counter.increment();
        pe.collect_events(&mut counter);
        Ok(())
    }
}

fn system() -> Result<System> {
    System::new(pipes![[DogSchool, Counters], [DogSchool, Others]])
}

fn are(statuses: &[FollowerStatus], is: fn(&Condition) -> bool) -> bool {
    let edges = || statuses.iter().flat_map(|one| &one.edges);
    statuses.iter().all(|one| is(&one.condition)) && edges().all(|edge| is(&edge.condition))
}

#[test]
fn a_runner_that_does_not_run_says_so() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let mut runner = R::new(&system()?, Env::new())?;
        let does_not_run = |one: &Condition| matches!(one, Condition::NotRunning);
        assert!(are(&runner.status(), does_not_run));
        assert_eq!(runner.status()[0].edges[0].position, Some(0));
        runner.start()?;
        assert!(are(&runner.status(), |one| matches!(
            one,
            Condition::Running
        )));
        runner.stop()?;
        assert!(are(&runner.status(), does_not_run));
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn while_one_store_is_away_all_conditions_and_the_other_positions_are_told() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&system()?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let store = stores.get("Counters").expect("it is open");
    let away = || StoreError::driver("faulty", "reading", "nobody is there");
    for call in [Call::Tracked, Call::Followed] {
        (1..=3).for_each(|nth| store.fail(call, nth, Moment::Before, away()));
    }
    let positions: Vec<_> = runner
        .status()
        .iter()
        .map(|one| (one.follower.clone(), one.edges[0].position))
        .collect();
    let expected = [
        ("Counters".to_owned(), None),
        ("Others".to_owned(), Some(2)),
    ];
    assert_eq!(positions, expected);
    Ok(())
}

#[test]
fn a_follower_shows_the_causes_of_its_error() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = MultiThreadedRunner::new(&system()?, env)?;
    let store = stores.get("Counters").expect("it is open");
    let away = || StoreError::driver("faulty", "recording", "the cause of it");
    (1..=1000).for_each(|nth| store.fail(Call::Record, nth, Moment::Before, away()));
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    let error = runner.wait_until_idle(Duration::from_millis(200));
    let error = error.expect_err("it cannot record").to_string();
    assert!(
        error.contains("recording failed: the cause of it"),
        "{error}"
    );
    let shown = runner
        .status()
        .into_iter()
        .find_map(|one| match one.condition {
            Condition::Retrying { error, .. } => Some(error.to_string()),
            _ => None,
        });
    let shown = shown.expect("it retries");
    assert!(
        shown.contains("recording failed: the cause of it"),
        "{shown}"
    );
    Ok(())
}

/// An error with two causes behind it.
#[derive(Debug, thiserror::Error)]
#[error("the letter was not sent")]
struct NotSent(#[source] std::io::Error);

#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        _: &DomainEvent<DogTrickAdded>,
        _: &mut ProcessingEvent,
    ) -> Result<(), NotSent> {
        let refused = std::io::ErrorKind::ConnectionRefused;
        Err(NotSent(std::io::Error::new(
            refused,
            "the post office is closed",
        )))
    }
}

#[test]
fn a_policys_error_is_shown_with_its_causes_and_has_them_as_sources() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Watcher]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let status = runner.status();
    let Condition::Stopped { error, .. } = &status[0].condition else {
        panic!("{status:?}")
    };
    let text = error.to_string();
    let causes = "the letter was not sent: the post office is closed";
    assert!(text.ends_with(causes), "{text}");
    let first: Option<&dyn std::error::Error> = Some(error);
    let sources = std::iter::successors(first, |error| error.source());
    let messages: Vec<_> = sources.map(ToString::to_string).collect();
    for part in causes.split(": ") {
        assert!(
            messages.iter().any(|message| message == part),
            "{messages:?}"
        );
    }
    Ok(())
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns how often the text is logged at this level, or a more important one, during `work`.
fn logged(level: Level, text: &str, work: impl FnOnce() -> Result<()>) -> Result<usize> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    crate::logged::with_subscriber(subscriber, work)?;
    let bytes = lines.0.lock().expect("no panic").clone();
    Ok(String::from_utf8_lossy(&bytes).matches(text).count())
}

#[test]
fn batches_that_others_have_overtaken_are_counted_and_are_no_warnings() -> Result<()> {
    let runs_again = |level| logged(level, "a batch runs again", overtaken);
    assert_eq!(runs_again(Level::WARN)?, 1, "the store that is away");
    assert_eq!(runs_again(Level::DEBUG)?, 4);
    Ok(())
}

/// Has a batch overtaken three times, and its store fail once.
fn overtaken() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let mut runner = SingleThreadedRunner::new(&system()?, env)?;
    runner.start()?;
    let store = stores.get("Counters").expect("it is open");
    for nth in 1..=3 {
        let moved = StoreError::position_moved("DogSchool", 0, 1);
        store.fail(Call::Record, nth, Moment::Before, moved);
    }
    let away = StoreError::driver("faulty", "recording", "nobody is there");
    store.fail(Call::Record, 4, Moment::Before, away);
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    let conflicts: Vec<_> = runner
        .status()
        .iter()
        .map(|one| one.edges[0].conflicts)
        .collect();
    assert_eq!(conflicts, [3, 0]);
    Ok(())
}

/// A store that does not answer the first load of an aggregate. It tells that the load waits, and
/// holds it up.
struct Silent(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Around for Silent {
    fn before_select_history(&self) {
        let silence = self.0.lock().expect("no panic").take();
        if let Some((waiting, answer)) = silence {
            waiting.send(()).expect("the test waits");
            // An answer, or the end of the test.
            let _answered = answer.recv();
        }
    }
}

#[test]
fn stopping_during_an_outage_returns_in_time_and_says_that_it_waits_for_a_store() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let (waiting, waits) = channel();
        let (answer, answered) = channel();
        let env = Env::new().with("SQLITE_DBNAME", ":memory:");
        let env = env.with_store(Arc::new(Wrapping {
            application: "Counters",
            around: Arc::new(Silent(Mutex::new(Some((waiting, answered))))),
        }));
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = R::new(&system, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        thread::scope(|scope| {
            let teaching = scope.spawn(|| school.add_trick("Billy", "sit"));
            waits.recv_timeout(PATIENCE).expect("the policy loads");
            let since = Instant::now();
            let error = runner
                .stop_within(Duration::from_millis(50))
                .expect_err("it waits");
            assert!(since.elapsed() < Duration::from_secs(5), "{since:?}");
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            let text = error.to_string();
            assert!(text.contains("did not stop within 50ms"), "{text}");
            let reason = "it waits for a store, and not for a policy";
            assert!(text.contains(reason), "{text}");
            drop(answer);
            teaching.join().expect("no panic")
        })?;
        runner.stop()
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
