//! Snapshots: the time at which they are taken, the work that they save, and their harmless loss.

mod keys;
mod lost;
mod outdated;
mod python;
mod shapes;

use std::path::Path;
use std::sync::Arc;

use es_system::Application;
use es_system::EventQuery;
use es_system::prelude::*;
use es_system::store::{StoreError, StoredEvent};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use rusqlite::Connection;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, files, places};

/// Counts, and takes a snapshot every three events.
#[aggregate(topic = "Tally", snapshot_every = 3)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tally {
    count: u64,
}

#[aggregate(vis = pub(crate))]
impl Tally {
    #[id]
    fn id_of(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Begun)]
    fn begin(name: &str) -> Self {
        Self { count: 0 }
    }

    #[event(Counted)]
    fn count_one(&mut self) {
        self.count += 1;
    }
}

/// Counts tricks in one tally, of which it takes a snapshot on request.
#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let id = Tally::id_of("all");
        if event.trick == "take a snapshot" {
            return self.take_snapshot::<Tally>(id, None);
        }
        let mut tally = self
            .repository()
            .find(id)?
            .unwrap_or_else(|| Tally::begin("all"));
        tally.count_one();
        processing_event.collect_events(&mut tally);
        Ok(())
    }
}

fn snapshots(application: &Application, id: impl Into<AggregateId>) -> Vec<StoredEvent> {
    let recorder = application.recorder().expect("it is open");
    let found = recorder.select_snapshots(&id.into(), &EventQuery::all());
    found.expect("the store can be read")
}

fn versions(application: &Application, id: impl Into<AggregateId>) -> Vec<u64> {
    let found = snapshots(application, id).into_iter();
    found.map(|snapshot| snapshot.originator_version).collect()
}

/// Saves a tally, event by event, until it has `version`.
fn tally(school: &DogSchool, version: u64) -> Result<Tally> {
    let mut tally = Tally::begin("tally");
    school.save(&mut tally)?;
    for _ in 1..version {
        tally.count_one();
        school.save(&mut tally)?;
    }
    Ok(tally)
}

pub(crate) fn execute(file: &Path, sql: &str) {
    let connection = Connection::open(file).expect("the file is there");
    connection.execute_batch(sql).expect(sql);
}

#[test]
fn a_snapshot_is_taken_at_a_version_or_as_things_are_now() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let mut dog = Dog::register("Billy");
        ["sit", "roll over", "beg"]
            .iter()
            .for_each(|trick| dog.add_trick(trick));
        school.save(&mut dog)?;
        assert!(versions(&school, dog.id()).is_empty(), "{name}");
        school.take_snapshot::<Dog>(dog.id(), 2)?;
        school.take_snapshot::<Dog>(dog.id(), None)?;
        school.take_snapshot::<Dog>(dog.id(), None)?;
        assert_eq!(versions(&school, dog.id()), [2, 4], "{name}");
        for version in 1..=4 {
            let found: Dog = school.repository().get_at(dog.id(), version)?;
            assert_eq!(found.version(), version);
            assert_eq!(
                found.tricks,
                dog.tricks[..usize::try_from(version - 1).expect("few")]
            );
        }
        let found: Dog = school.repository().get(dog.id())?;
        assert_eq!(
            (found.created_on(), found.modified_on()),
            (dog.created_on(), dog.modified_on())
        );
        let error = school
            .take_snapshot::<Dog>(dog.id(), 5)
            .expect_err("there is no version 5");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    Ok(())
}

#[test]
fn a_load_reads_no_event_that_a_snapshot_covers() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    let tally = tally(&school, 8)?;
    let file = dir.path().join("DogSchool.sqlite");
    execute(
        &file,
        "UPDATE stored_events SET state = x'00' WHERE originator_version <= 6",
    );
    assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    let seventh: Tally = school.repository().get_at(tally.id(), 7)?;
    assert_eq!(seventh.count, 6);
    let error = school.repository().get_at::<Tally>(tally.id(), 5);
    let error = error.expect_err("an event behind the snapshot at version 3 is damaged");
    assert_eq!(error.kind(), ErrorKind::BadData);
    Ok(())
}

#[test]
fn snapshots_are_taken_by_themselves_when_their_number_of_events_is_reached() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let mut one_by_one = tally(&school, 10)?;
        assert_eq!(versions(&school, one_by_one.id()), [3, 6, 9], "{name}");
        let mut at_once = Tally::begin("at once");
        (0..6).for_each(|_| at_once.count_one());
        school.save((&mut at_once, &mut one_by_one))?;
        assert_eq!(versions(&school, at_once.id()), [7], "{name}");
        at_once.count_one();
        school.save(&mut at_once)?;
        assert_eq!(versions(&school, at_once.id()), [7], "{name}");
        at_once.count_one();
        school.save(&mut at_once)?;
        assert_eq!(versions(&school, at_once.id()), [7, 9], "{name}");
        assert_eq!(school.repository().get::<Tally>(at_once.id())?, at_once);
    }
    Ok(())
}

#[test]
fn a_past_version_in_front_of_the_first_snapshot_is_replayed() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let tally = tally(&school, 4)?;
    for version in 1..=4 {
        let found: Tally = school.repository().get_at(tally.id(), version)?;
        assert_eq!((found.version(), found.count), (version, version - 1));
    }
    let error = school.repository().get_at::<Tally>(tally.id(), 0);
    assert_eq!(error.expect_err("none").kind(), ErrorKind::NotFound);
    Ok(())
}

/// Makes the next call of an application's store fail.
fn fail(stores: &FaultyStores, application: &str, call: Call) -> Arc<FaultyRecorder> {
    let store = stores.get(application).expect("the application is open");
    let error = StoreError::read_only("faulty", "a snapshot");
    store.fail(call, 1, Moment::Before, error);
    store
}

#[test]
fn what_policies_collect_gets_its_snapshots_when_it_is_recorded() -> Result<()> {
    fn flow<R: Runner>(loses_one: bool) -> Result<()> {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = Env::new().with_store(stores.clone());
        let mut runner = R::new(&System::new(pipes![[DogSchool, Watcher]])?, env)?;
        if loses_one {
            fail(&stores, "Watcher", Call::RecordSnapshot);
        }
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let watcher = runner.get::<Watcher>()?;
        school.register_dog("Billy")?;
        for _ in 0..7 {
            school.add_trick("Billy", "sit")?;
            runner.wait_until_idle(PATIENCE)?;
        }
        let id = Tally::id_of("all");
        let taken = versions(&watcher, id);
        // The first event of the log makes two of the tally: it creates it, and counts.
        let expected = if loses_one { vec![6] } else { vec![3, 6] };
        assert_eq!(taken, expected);
        assert_eq!(watcher.repository().get::<Tally>(id)?.count, 7);
        runner.stop()
    }
    for loses_one in [false, true] {
        flow::<SingleThreadedRunner>(loses_one)?;
        flow::<MultiThreadedRunner>(loses_one)?;
    }
    Ok(())
}

#[test]
fn a_batch_that_is_not_recorded_leaves_no_snapshot() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new().with_store(stores.clone());
    let school = DogSchool::new(env.clone())?;
    school.register_dog("Billy")?;
    let mut billy = school.get_dog("Billy")?;
    ["sit", "beg", "roll over", "take a snapshot"]
        .iter()
        .for_each(|trick| billy.add_trick(trick));
    school.save(&mut billy)?;
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Watcher]])?, env)?;
    let watcher = runner.get::<Watcher>()?;
    fail(&stores, "Watcher", Call::Record);
    let failed = runner
        .start()
        .and_then(|()| runner.wait_until_idle(PATIENCE));
    let error = failed
        .expect_err("the policy asks for a snapshot")
        .to_string();
    assert!(
        error.contains("`take_snapshot` was called inside a policy"),
        "{error}"
    );
    let id = Tally::id_of("all");
    assert_eq!(watcher.repository().get::<Tally>(id)?.count, 3);
    let [snapshot] = &snapshots(&watcher, id)[..] else {
        panic!("there is one, of the batch that was recorded")
    };
    assert_eq!(snapshot.originator_version, 3);
    Ok(())
}

#[test]
fn a_database_without_a_table_for_snapshots_gets_one_or_does_without() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let file = dir.path().join("DogSchool.sqlite");
    drop(DogSchool::new(env.clone())?);
    execute(&file, "DROP TABLE stored_snapshots");
    let school = DogSchool::new(env.clone().with("CREATE_TABLE", "n"))?;
    let tally = tally(&school, 4)?;
    assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    let error = school
        .take_snapshot::<Tally>(tally.id(), None)
        .expect_err("there is no table");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("`stored_snapshots`"), "{error}");

    let school = DogSchool::new(env)?;
    assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    school.take_snapshot::<Tally>(tally.id(), 2)?;
    assert_eq!(versions(&school, tally.id()), [2]);
    Ok(())
}

#[test]
fn where_snapshots_are_switched_off_none_is_taken() -> Result<()> {
    let school = DogSchool::new(Env::new().with("DOGSCHOOL_IS_SNAPSHOTTING_ENABLED", "n"))?;
    let tally = tally(&school, 4)?;
    assert!(versions(&school, tally.id()).is_empty());
    let error = school.take_snapshot::<Tally>(tally.id(), None);
    assert_eq!(error.expect_err("off").kind(), ErrorKind::Configuration);
    let env = Env::new().with("IS_SNAPSHOTTING_ENABLED", "perhaps");
    let error = DogSchool::new(env).expect_err("it is no boolean");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    Ok(())
}
