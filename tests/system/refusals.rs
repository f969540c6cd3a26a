//! Policies whose events the record refuses: the failure is the event's, not the store's, so the
//! follower does not retry forever.

use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use tests::domain::{Counter, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, files};

/// An aggregate with a text id, which a store of UUIDs refuses.
#[aggregate]
struct Note;

#[aggregate(vis = pub(self))]
impl Note {
    #[id]
    fn create_id(text: &str) -> String {
        text.to_owned()
    }

    #[event(Written)]
    fn write(text: &str) -> Self {
        let _the_id_is_made_of_it = text;
        Self
    }
}

/// Acts as the names of tricks say.
#[process_application]
struct Watcher;

/// A counter that a policy keeps from one event to the next, which it should not do.
static KEPT: Mutex<Option<Counter>> = Mutex::new(None);

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn watch(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        match event.trick.as_str() {
            "write a note" => processing_event.collect_events(&mut Note::write("n")),
            "make a counter blindly" => processing_event.collect_events(&mut Counter::new("blind")),
            "change a kept counter" => {
                let mut kept = KEPT.lock().expect("no panic");
                let counter = kept.get_or_insert_with(|| Counter::new("kept"));
                counter.increment();
                processing_event.collect_events(counter);
            }
            trick => processing_event.collect_events(&mut Counter::new(trick)),
        }
        Ok(())
    }
}

/// Lets a follower process tricks that were taught before, all at once. Returns its position and
/// the error that stopped it.
fn follow<R: Runner>(dir: &std::path::Path, tricks: &[&str]) -> Result<(Option<u64>, Error)> {
    let env = files(dir);
    let school = DogSchool::new(env.clone())?;
    let mut billy = Dog::register("Billy");
    tricks.iter().for_each(|trick| billy.add_trick(trick));
    school.save(&mut billy)?;
    let mut runner = R::new(&System::new(pipes![[DogSchool, Watcher]])?, env)?;
    runner.start()?;
    let error = runner
        .wait_until_idle(PATIENCE)
        .expect_err("the follower stops");
    Ok((runner.get::<Watcher>()?.position_in("DogSchool")?, error))
}

fn stops_in_front_of<R: Runner>(tricks: &[&str], position: u64, why: &str) -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (reached, error) = follow::<R>(dir.path(), tricks)?;
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("at position {position} of `DogSchool`")),
        "{error}"
    );
    assert!(error.to_string().contains(why), "{error}");
    assert_eq!(reached, Some(position - 1), "what came before is recorded");
    Ok(())
}

#[test]
fn an_event_that_the_store_can_never_keep_stops_the_follower_in_front_of_it() -> Result<()> {
    let tricks = ["a", "b", "write a note", "c"];
    stops_in_front_of::<SingleThreadedRunner>(&tricks, 4, "ORIGINATOR_ID_TYPE")?;
    stops_in_front_of::<MultiThreadedRunner>(&tricks, 4, "ORIGINATOR_ID_TYPE")
}

#[test]
fn a_policy_that_never_looks_is_to_blame_whether_or_not_it_meets_itself_in_one_batch() -> Result<()>
{
    let blind = "make a counter blindly";
    let tricks = ["a", blind, "b", blind, "c"];
    stops_in_front_of::<SingleThreadedRunner>(&tricks, 5, "collected already")?;
    stops_in_front_of::<MultiThreadedRunner>(&tricks, 5, "collected already")?;

    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut runner = SingleThreadedRunner::new(
        &System::new(pipes![[DogSchool, Watcher]])?,
        files(dir.path()),
    )?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", blind)?;
    school.add_trick("Billy", blind)?;
    let error = runner
        .wait_until_idle(PATIENCE)
        .expect_err("the version is there already");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    assert!(
        error.to_string().contains("version 1 of aggregate"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_kept_copy_that_runs_ahead_of_the_record_is_refused_and_leaves_no_gap() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut ahead = Counter::new("kept");
    ahead.increment();
    // The counter looks as if it had been collected in a batch that was not recorded.
    let elsewhere = DogSchool::new(Env::new())?;
    elsewhere.save(&mut ahead)?;
    *KEPT.lock().expect("no panic") = Some(ahead);
    let (_, error) = follow::<SingleThreadedRunner>(dir.path(), &["change a kept counter"])?;
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    assert!(error.to_string().contains("does not follow"), "{error}");
    Ok(())
}

#[test]
fn a_save_that_would_leave_a_gap_is_refused() -> Result<()> {
    let north = DogSchool::new(Env::new())?;
    let south = DogSchool::new(Env::new())?;
    let mut billy = Dog::register("Billy");
    north.save(&mut billy)?;
    billy.add_trick("sit");
    let error = south.save(&mut billy).expect_err("version 1 is not there");
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    assert!(
        error
            .to_string()
            .starts_with("DogSchool: version 2 of aggregate"),
        "{error}"
    );
    north.save(&mut billy)?;
    Ok(())
}

#[test]
fn an_aggregate_whose_event_body_has_panicked_is_not_saved() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let mut fragile = Fragile::new();
    school.save(&mut fragile)?;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fragile.change(13)));
    assert!(panicked.is_err());
    fragile.change(1);
    let error = school
        .save(&mut fragile)
        .expect_err("its state may be half changed");
    assert!(
        error.to_string().contains("`Fragile.Changed` panicked"),
        "{error}"
    );
    let replayed: Fragile = school.repository().get(fragile.id())?;
    assert_eq!(replayed.sum, 0, "nothing of it is recorded");
    Ok(())
}

#[aggregate]
struct Fragile {
    sum: u64,
}

#[aggregate(vis = pub(self))]
impl Fragile {
    #[event(Created)]
    fn new() -> Self {
        Self { sum: 0 }
    }

    #[event(Changed)]
    fn change(&mut self, by: u64) {
        self.sum += by;
        assert_ne!(by, 13, "unlucky");
    }
}

/// A policy that saves to another application, where a user wins the first race each time.
mod racing {
    use super::*;

    #[application]
    pub(super) struct North;

    pub(super) static NORTH: Mutex<Option<Arc<North>>> = Mutex::new(None);

    #[process_application(name = "Watcher")]
    pub(super) struct Racer;

    #[process_application]
    impl Racer {
        #[policy(Dog::TrickAdded)]
        fn race(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
            let north = NORTH
                .lock()
                .expect("no panic")
                .clone()
                .expect("the test sets it");
            let mut dog = north.repository().get::<Dog>(&event.originator_id)?;
            if dog.version() == 1 {
                let mut users: Dog = north.repository().get(&event.originator_id)?;
                users.add_trick("the user's");
                north.save(&mut users)?;
            }
            dog.add_trick(&event.trick);
            north.save(&mut dog)?;
            Ok(())
        }
    }
}

#[test]
fn a_policy_that_loses_a_race_in_another_application_runs_again() -> Result<()> {
    let system = System::new(pipes![[DogSchool, racing::Racer], [racing::North]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let north = runner.get::<racing::North>()?;
    *racing::NORTH.lock().expect("no panic") = Some(north.clone());
    north.save(&mut Dog::register("Billy"))?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    runner.wait_until_idle(PATIENCE)?;
    let billy: Dog = north.repository().get(Dog::create_id("Billy"))?;
    assert_eq!(billy.tricks, ["the user's", "sit"]);
    Ok(())
}
