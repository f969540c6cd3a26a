//! A policy saves an aggregate to another application where it exists already.

use std::sync::Mutex;

use tests::domain::{Counter, DogSchool, DogTrickAdded};

use super::*;

/// Registers the dogs named by tricks in the north, and counts the other tricks.
#[process_application(name = "Watcher")]
struct Registrar;

static NORTH: Mutex<Option<Arc<North>>> = Mutex::new(None);

/// The positions of the events whose policies have run, in order.
static RUNS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

#[process_application]
impl Registrar {
    #[policy(Dog::TrickAdded)]
    fn register(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        RUNS.lock().expect("no panic").push(event.notification_id);
        let Some(name) = event.trick.strip_prefix("register ") else {
            processing_event.collect_events(&mut Counter::new(&event.trick));
            return Ok(());
        };
        let north = NORTH.lock().expect("no panic").clone();
        north
            .expect("the test sets it")
            .save(&mut Dog::register(name))?;
        Ok(())
    }
}

#[test]
fn a_policy_that_saves_elsewhere_what_is_there_already_stops_its_follower_in_front_of_its_event()
-> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let mut billy = Dog::register("Billy");
        for trick in ["sit", "register Rex", "spin"] {
            billy.add_trick(trick);
        }
        DogSchool::new(env.clone())?.save(&mut billy)?;

        let system = System::new(pipes![[DogSchool, Registrar], [North]])?;
        let mut runner = R::new(&system, env)?;
        let north = runner.get::<North>()?;
        let registrar = runner.get::<Registrar>()?;
        north.save(&mut Dog::register("Rex"))?;
        *NORTH.lock().expect("no panic") = Some(north.clone());
        RUNS.lock().expect("no panic").clear();
        runner.start()?;
        let error = runner
            .wait_until_idle(SOON)
            .expect_err("it can never be saved");

        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        let named = error.to_string();
        for name in ["Watcher", "North", "at position 3 of `DogSchool`"] {
            assert!(named.contains(name), "{name} in {named}");
        }
        assert!(runner.watch_for_errors(Duration::ZERO).is_err());
        assert_eq!(registrar.position_in("DogSchool")?, Some(2));
        assert!(registrar.contains(Counter::create_id("sit"))?);
        assert!(!registrar.contains(Counter::create_id("spin"))?);
        assert_eq!(north.notification_log().head()?, 1, "nothing else is there");
        let runs = RUNS.lock().expect("no panic").clone();
        let of = |position| runs.iter().filter(|run| **run == position).count();
        assert_eq!(of(2), 1, "what is done is recorded at once: {runs:?}");
        assert_eq!(of(4), 0, "{runs:?}");
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
