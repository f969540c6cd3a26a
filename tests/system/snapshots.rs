//! Snapshots: when they are taken, what they save, and that losing them loses nothing.

use std::path::Path;
use std::sync::Arc;

use es_system::Application;
use es_system::prelude::*;
use es_system::store::{EventQuery, Mapper, StoreError, StoredEvent};
use es_system::testing::{Call, FaultyStores, Moment};
use rusqlite::Connection;
use tests::domain::{Counter, Counters, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, files, places};

use super::fixtures::{python_wrote, without_time};

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

/// Counts tricks in one tally, on which it takes a snapshot when it is told to.
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

fn execute(file: &Path, sql: &str) {
    let connection = Connection::open(file).expect("the file is there");
    connection.execute_batch(sql).expect(sql);
}

#[test]
fn snapshots_that_python_took_are_used_in_place_of_the_events_before() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = python_wrote(dir.path());
    let damage = |name, id, up_to| {
        execute(
            &dir.path().join(name),
            &format!(
                "UPDATE stored_events SET state = x'00' WHERE originator_id = '{id}' AND originator_version <= {up_to}"
            ),
        );
    };
    damage(
        "plain-dogschool.sqlite",
        "ee4f99b5a35654a9b61a13b59c26f3fb",
        4,
    );
    damage(
        "plain-counters.sqlite",
        "e951d9c082775b659370ca0538708552",
        3,
    );
    let school = DogSchool::new(env.clone())?;
    let billy = school.get_dog("Billy")?;
    assert_eq!((billy.name.as_str(), billy.version()), ("Billy", 4));
    assert_eq!(billy.tricks, ["roll over", "fetch ball", "play dead"]);
    let times = [billy.created_on(), billy.modified_on()].map(|time| time.to_string());
    assert_eq!(
        times,
        [
            "2026-11-21T21:43:45.590367+00:00",
            "2026-11-21T21:43:45.610687+00:00"
        ]
    );
    school.add_trick("Billy", "sit")?;
    assert_eq!(school.get_dog("Billy")?.version(), 5);
    assert_eq!(Counters::new(env.clone())?.get_count("roll over")?, 3);

    let off = env.with("IS_SNAPSHOTTING_ENABLED", "n");
    let error = DogSchool::new(off)?
        .get_dog("Billy")
        .expect_err("an event is damaged");
    assert_eq!(error.kind(), ErrorKind::BadData);
    Ok(())
}

#[test]
fn a_snapshot_is_what_python_writes_byte_for_byte() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = python_wrote(dir.path());
    let row = |application: &Application, id: Uuid| {
        let [snapshot] = &snapshots(application, id)[..] else {
            panic!("there is one snapshot")
        };
        let state = without_time(&String::from_utf8_lossy(&snapshot.state));
        (
            snapshot.originator_version,
            snapshot.topic.clone(),
            state,
            snapshot.state.len(),
        )
    };
    let (school, counters) = (DogSchool::new(env.clone())?, Counters::new(env)?);
    let (billy, roll_over) = (Dog::create_id("Billy"), Counter::create_id("roll over"));
    let theirs = [row(&school, billy), row(&counters, roll_over)];
    for file in ["plain-dogschool.sqlite", "plain-counters.sqlite"] {
        execute(&dir.path().join(file), "DELETE FROM stored_snapshots");
    }
    for from in ["the events", "a snapshot"] {
        school.take_snapshot::<Dog>(billy, 4)?;
        counters.take_snapshot::<Counter>(roll_over, 3)?;
        let ours = [row(&school, billy), row(&counters, roll_over)];
        assert_eq!(ours, theirs, "from {from}");
    }
    Ok(())
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

#[test]
fn a_snapshot_that_cannot_be_read_is_passed_over() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let tally = tally(&school, 4)?;
    let good = snapshots(&school, tally.id()).remove(0);
    let with = |from: &str, to: &str| {
        let state = String::from_utf8_lossy(&good.state);
        assert!(state.contains(from), "{state}");
        let state = state.replace(from, to).into_bytes();
        StoredEvent {
            state,
            ..good.clone()
        }
    };
    let damaged = [
        with("{", ""),
        with(r#""topic":"Tally""#, r#""topic":"Dog""#),
        with(r#""count":2"#, r#""count":"many""#),
        with(r#","count":2"#, ""),
        with(r#""count":2"#, r#""count":2,"class_version":2"#),
        with("_created_on", "_made_on"),
        with(r#""state":{"#, r#""state":[{"#),
        StoredEvent {
            topic: "dogschool:Dog.Snapshot".into(),
            ..good.clone()
        },
        StoredEvent {
            state: vec![0xff, 0, 7],
            ..good.clone()
        },
    ];
    for snapshot in damaged {
        school
            .recorder()?
            .record_snapshot(&snapshot)
            .expect("recorded");
        let found: Tally = school.repository().get(tally.id())?;
        assert_eq!(found, tally, "{}", String::from_utf8_lossy(&snapshot.state));
    }
    // One that can be read is what is believed.
    let wrong = with(
        r#""count":2"#,
        r#""count":90,"unknown":{},"class_version":1"#,
    );
    school
        .recorder()?
        .record_snapshot(&wrong)
        .expect("recorded");
    assert_eq!(school.repository().get::<Tally>(tally.id())?.count, 91);
    Ok(())
}

#[test]
fn a_damaged_row_of_a_snapshot_is_passed_over() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    let tally = tally(&school, 4)?;
    for column in ["topic", "state"] {
        let damage = format!("UPDATE stored_snapshots SET {column} = 5");
        execute(&dir.path().join("DogSchool.sqlite"), &damage);
        assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    }
    Ok(())
}

/// Has the next call of an application's store fail.
fn fail(
    stores: &FaultyStores,
    application: &str,
    call: Call,
) -> Arc<es_system::testing::FaultyRecorder> {
    let store = stores.get(application).expect("the application is open");
    let error = StoreError::ReadOnly {
        store: "faulty".to_owned(),
        doing: "a snapshot",
    };
    store.fail(call, 1, Moment::Before, error);
    store
}

#[test]
fn a_snapshot_that_is_lost_loses_nothing() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
    let mut tally = tally(&school, 2)?;
    let store = fail(&stores, "DogSchool", Call::RecordSnapshot);
    for _ in 0..4 {
        tally.count_one();
        school.save(&mut tally)?;
        assert!(tally.pending_events().is_empty());
        assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    }
    assert_eq!(store.calls(Call::RecordSnapshot), 2);
    assert_eq!(versions(&school, tally.id()), [6]);

    fail(&stores, "DogSchool", Call::RecordSnapshot);
    let error = school.take_snapshot::<Tally>(tally.id(), None);
    assert_eq!(error.expect_err("asked for").kind(), ErrorKind::Store);
    fail(&stores, "DogSchool", Call::SelectSnapshots);
    let error = school.repository().get::<Tally>(tally.id());
    assert_eq!(error.expect_err("out of reach").kind(), ErrorKind::Store);
    Ok(())
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
        let (school, watcher) = (runner.get::<DogSchool>()?, runner.get::<Watcher>()?);
        school.register_dog("Billy")?;
        for _ in 0..7 {
            school.add_trick("Billy", "sit")?;
            runner.wait_until_idle(PATIENCE)?;
        }
        let id = Tally::id_of("all");
        let taken = versions(&watcher, id);
        // The first event makes two: it begins the tally, and counts.
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
    let (env, file) = (files(dir.path()), dir.path().join("DogSchool.sqlite"));
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

/// An aggregate whose state is made by one event. It is compared with what its snapshot gives, which is returned.
macro_rules! comes_back {
    ($school:expr, $item:item, $name:ident, $state:expr) => {{
        #[aggregate]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        $item

        #[aggregate]
        impl $name {
            #[event(Made)]
            fn make() -> Self {
                $state
            }
        }

        let mut made = $name::make();
        $school.save(&mut made)?;
        $school.take_snapshot::<$name>(made.id(), None)?;
        let snapshot = snapshots(&$school, made.id()).remove(0);
        let mapper = Mapper::new(&Env::new()).expect("a mapper");
        let decoded = mapper.decode_snapshot::<$name>(&snapshot);
        assert_eq!(decoded, Some(Ok(made)));
        let text = String::from_utf8_lossy(&snapshot.state).into_owned();
        assert!(text.contains(r#""state":{"_created_on":"#), "{text}");
        text
    }};
}

#[test]
fn states_of_every_shape_come_back_from_snapshots() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let unit = comes_back!(school, struct Unit;, Unit, Self);
    assert!(unit.ends_with(r#"},"_state":null}}"#), "{unit}");
    let empty = comes_back!(school, struct Empty {}, Empty, Self {});
    assert!(empty.ends_with(r#""}}}"#), "{empty}");
    let pair = comes_back!(
        school,
        struct Pair(u8, String);,
        Pair,
        Self(1, "one".to_owned())
    );
    assert!(pair.ends_with(r#","_state":[1,"one"]}}"#), "{pair}");
    let id = comes_back!(
        school,
        struct Identified(Uuid);,
        Identified,
        Self(Uuid::NAMESPACE_URL)
    );
    assert!(id.contains(r#","_type_":"uuid_hex","#), "{id}");
    let fields = comes_back!(
        school,
        struct Fields {
            when: Option<Timestamp>,
            r#type: Uuid,
        },
        Fields,
        Self {
            when: None,
            r#type: Uuid::NAMESPACE_URL
        }
    );
    assert!(
        fields.contains(r#","when":null,"type":{"_type_":"#),
        "{fields}"
    );
    let level = comes_back!(
        school,
        enum Level {
            Low,
            High(u8),
        },
        Level,
        Self::High(3)
    );
    assert!(level.ends_with(r#","High":3}}"#), "{level}");
    let lowest = comes_back!(
        school,
        enum Lowest {
            Low,
            High(u8),
        },
        Lowest,
        {
            let _ = Self::High(1);
            Self::Low
        }
    );
    assert!(lowest.ends_with(r#","_state":"Low"}}"#), "{lowest}");
    Ok(())
}

#[test]
fn a_field_whose_name_a_snapshot_needs_is_refused_where_it_is_asked_for() -> Result<()> {
    #[aggregate(snapshot_every = 1)]
    #[derive(Serialize, Deserialize)]
    struct Release {
        _version: u8,
    }

    #[aggregate(vis = pub(crate))]
    impl Release {
        #[event(Made)]
        fn make() -> Self {
            Self { _version: 1 }
        }
    }

    let school = DogSchool::new(Env::new())?;
    let mut release = Release::make();
    school.save(&mut release)?;
    let error = school
        .take_snapshot::<Release>(release.id(), None)
        .expect_err("the name is reserved");
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("field `_version`"), "{error}");
    Ok(())
}

#[test]
fn a_state_that_panics_when_it_is_stored_fails_no_save() -> Result<()> {
    #[derive(Deserialize)]
    struct Touchy;

    impl Serialize for Touchy {
        fn serialize<S: es_system::__private::serde::Serializer>(
            &self,
            _: S,
        ) -> Result<S::Ok, S::Error> {
            panic!("do not touch")
        }
    }

    #[aggregate(snapshot_every = 1)]
    #[derive(Serialize, Deserialize)]
    struct Box {
        touchy: Touchy,
    }

    #[aggregate(vis = pub(crate))]
    impl Box {
        #[event(Made)]
        fn make() -> Self {
            Self { touchy: Touchy }
        }
    }

    let school = DogSchool::new(Env::new())?;
    let mut made = Box::make();
    school.save(&mut made)?;
    assert!(made.pending_events().is_empty());
    let error = school
        .take_snapshot::<Box>(made.id(), None)
        .expect_err("it panics");
    assert!(error.to_string().contains("do not touch"), "{error}");
    Ok(())
}

/// Keeps the warnings of this thread.
#[derive(Clone, Default)]
struct Warnings {
    said: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Warnings {
    fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let warnings = Self::default();
        let done = tracing::subscriber::with_default(warnings.clone(), work);
        let said = std::mem::take(&mut *warnings.said.lock().expect("not poisoned"));
        (done, said)
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{field}: {value:?}; ");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.said.lock().expect("not poisoned").push(text.0);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_snapshot_that_is_lost_or_passed_over_is_a_warning_that_names_it() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
    let mut tally = tally(&school, 5)?;
    let (found, said) = Warnings::during(|| school.repository().get::<Tally>(tally.id()));
    assert_eq!((found?, said), (tally.clone(), vec![]));

    fail(&stores, "DogSchool", Call::RecordSnapshot);
    tally.count_one();
    let (saved, said) = Warnings::during(|| school.save(&mut tally));
    saved?;
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(said.contains("a snapshot is not taken"), "{said}");
    assert!(
        said.contains(&tally.id().to_string()) && said.contains("version: 6"),
        "{said}"
    );

    let mut newer = snapshots(&school, tally.id()).remove(0);
    let state = String::from_utf8_lossy(&newer.state);
    newer.state = state.replace("}}", r#","class_version":7}}"#).into_bytes();
    let recorder = school.recorder()?;
    recorder.record_snapshot(&newer).expect("recorded");
    let (found, said) = Warnings::during(|| school.repository().get::<Tally>(tally.id()));
    assert_eq!(found?, tally);
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(said.contains("a snapshot is passed over"), "{said}");
    assert!(
        said.contains("it has class_version 7, and this program knows 1"),
        "{said}"
    );
    Ok(())
}
