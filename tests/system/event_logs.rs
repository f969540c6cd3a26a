//! Event-sourced logs: append-only lists of events that are read, never replayed.

use std::thread;

use es_system::prelude::*;
use es_system::{Log, LoggedEvent};
use tests::domain::{Dog, DogRegistered, DogSchool};
use tests::{PATIENCE, Place, files, places};

use crate::fixtures::events_of;

/// The log of all dogs.
#[aggregate(topic = "dogschool:Dogs")]
#[derive(Clone)]
struct Dogs;

#[aggregate(vis = pub(self))]
impl Dogs {
    #[id]
    fn create_id() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/dogs")
    }

    #[event(Registered)]
    fn registered(dog: &AggregateId) -> Self {
        Self
    }

    #[event(Named)]
    fn named(name: &str) -> Self {
        Self
    }
}

fn dogs_of(application: &es_system::Application) -> Log<'_, Dogs> {
    application.log(Dogs::create_id())
}

/// Returns number and name of each event.
fn names(events: &[LoggedEvent<DogsEvent>]) -> Vec<(u64, &str)> {
    let pair = events.iter().map(|event| match &event.payload {
        DogsEvent::Named(named) => (event.originator_version, named.name.as_str()),
        DogsEvent::Registered(_) => (event.originator_version, "a dog"),
    });
    pair.collect()
}

#[test]
fn what_is_appended_is_read_from_either_end() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let dogs = dogs_of(&school);
        assert!(
            dogs.get_first()?.is_none() && dogs.get_last()?.is_none(),
            "{name}"
        );
        for (number, dog) in (1..).zip(["Billy", "Milly", "Scrappy", "Rex"]) {
            assert_eq!(dogs.append(Dogs::named(dog))?, number, "{name}");
        }
        let query = EventQuery::all;
        for (query, expected) in [
            (query().limit(2), vec![(1, "Billy"), (2, "Milly")]),
            (query().desc().limit(2), vec![(4, "Rex"), (3, "Scrappy")]),
            (query().gt(1).lte(3), vec![(2, "Milly"), (3, "Scrappy")]),
            (query().gt(4), vec![]),
            (query().limit(0), vec![]),
        ] {
            assert_eq!(names(&dogs.get(&query)?), expected, "{name}: {query:?}");
        }
        let ends = [dogs.get_first()?, dogs.get_last()?].map(|event| event.expect("it is there"));
        assert_eq!(names(&ends), [(1, "Billy"), (4, "Rex")], "{name}");
    }
    Ok(())
}

#[test]
fn of_many_who_append_each_has_a_number_of_its_own() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let append_many = || {
            let appended = (0..20).map(|_| match dogs_of(&school).append(Dogs::named("Billy")) {
                Ok(number) => Some(number),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{name}: {error}");
                    None
                }
            });
            appended.flatten().collect::<Vec<_>>()
        };
        let mut numbers: Vec<u64> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(append_many)).collect();
            let numbers = threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("no panic"));
            numbers.collect()
        });
        numbers.sort_unstable();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "{name}");
        let last = dogs_of(&school).get_last()?.expect("somebody succeeded");
        assert_eq!(last.originator_version, numbers.len() as u64, "{name}");
    }
    Ok(())
}

#[test]
fn an_event_of_a_log_is_saved_with_an_aggregate_or_neither_is() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let dogs = dogs_of(&school);
        let register = |name: &str, in_between: Option<&str>| {
            let mut dog = Dog::register(name);
            let mut entry = dogs.trigger_event(Dogs::registered(dog.id()))?;
            if let Some(other) = in_between {
                dogs.append(Dogs::named(other))?;
            }
            school.save((&mut dog, &mut entry))
        };
        assert_eq!(register("Billy", None)?.positions, [1, 2], "{name}");
        let error = register("Milly", Some("Rex")).expect_err("Rex was first");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{name}: {error}");
        assert!(school.get_dog("Milly").is_err(), "{name}");
        let events = dogs.get(&EventQuery::all())?;
        assert_eq!(names(&events), [(1, "a dog"), (2, "Rex")], "{name}");
    }
    Ok(())
}

#[test]
fn what_is_no_new_event_is_not_appended() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let mut dog = Dog::register("Billy");
    dog.add_trick("sit");
    let log = school.log::<Dog>(Uuid::nil());
    let error = log.append(dog).expect_err("it has two events");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("`dogschool:Dog`"), "{error}");
    let mut saved = Dog::register("Billy");
    school.save(&mut saved)?;
    let error = log.append(saved).expect_err("it has none");
    assert!(
        error
            .to_string()
            .ends_with("version 1 and 0 pending events"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_log_is_not_replayed_as_an_aggregate_nor_kept_in_the_cache_as_one() -> Result<()> {
    let school = DogSchool::new(Env::new().with("AGGREGATE_CACHE_MAXSIZE", "10"))?;
    for name in ["Billy", "Milly"] {
        dogs_of(&school).append(Dogs::named(name))?;
    }
    let Err(error) = school.repository().get::<Dogs>(Dogs::create_id()) else {
        panic!("two events create it");
    };
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    Ok(())
}

/// Keeps a log of the dogs in each batch that it processes.
#[process_application(name = "Watcher")]
struct Register;

#[process_application]
impl Register {
    #[policy(Dog::Registered)]
    fn list(
        &self,
        event: &DomainEvent<DogRegistered>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let dogs = dogs_of(self);
        let before = dogs.get(&EventQuery::all().desc())?.len() as u64;
        for suffix in ["", "!"] {
            let name = format!("{}{suffix}", event.name);
            processing_event.collect_events(&mut dogs.trigger_event(Dogs::named(&name))?);
        }
        let last = dogs.get(&EventQuery::all().gt(before).desc().limit(1))?;
        assert_eq!(
            names(&last),
            [(before + 2, format!("{}!", event.name).as_str())]
        );
        Ok(())
    }
}

/// Follows the events of the log.
#[process_application(name = "Third")]
struct Reader;

#[process_application]
impl Reader {
    #[policy(Dogs::Named)]
    fn read(
        &self,
        event: &DomainEvent<DogsNamed>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event
            .collect_events(&mut dogs_of(self).trigger_event(Dogs::named(&event.name))?);
        Ok(())
    }
}

fn listed<R: Runner>(env: Env, name: &str) -> Result<()> {
    let school = DogSchool::new(env.clone())?;
    let system = System::new(pipes![[DogSchool, Register, Reader]])?;
    let mut runner = R::new(&system, env)?;
    // On a shared store, the events before the start come in one batch.
    ["Billy", "Milly"]
        .iter()
        .try_for_each(|name| school.register_dog(name))?;
    runner.start()?;
    runner.get::<DogSchool>()?.register_dog("Rex")?;
    runner.wait_until_idle(PATIENCE)?;
    let register = runner.get::<Register>()?;
    let listed = dogs_of(&register).get(&EventQuery::all())?;
    let listed = names(&listed);
    let all = [
        (1, "Billy"),
        (2, "Billy!"),
        (3, "Milly"),
        (4, "Milly!"),
        (5, "Rex"),
        (6, "Rex!"),
    ];
    match listed.len() {
        2 => assert_eq!(listed, [(1, "Rex"), (2, "Rex!")], "{name}"),
        _ => assert_eq!(listed, all, "{name}"),
    }
    let reader = runner.get::<Reader>()?;
    assert_eq!(
        names(&dogs_of(&reader).get(&EventQuery::all())?),
        listed,
        "{name}"
    );
    runner.stop()
}

#[test]
fn a_policy_collects_events_of_a_log_and_follows_those_of_another() -> Result<()> {
    for Place { name, env, .. } in places() {
        listed::<SingleThreadedRunner>(env, name)?;
    }
    for Place { name, env, .. } in places() {
        listed::<MultiThreadedRunner>(env, name)?;
    }
    Ok(())
}

#[process_application(name = "Second")]
struct Appending;

#[process_application]
impl Appending {
    #[policy(Dog::Registered)]
    fn list(&self, event: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        dogs_of(self).append(Dogs::named(&event.name)).map(drop)
    }
}

#[test]
fn to_append_inside_a_policy_is_an_error_that_names_collect_events() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Appending]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    runner.get::<DogSchool>()?.register_dog("Billy")?;
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("it cannot work");
    assert!(error.to_string().contains("collect_events"), "{error}");
    Ok(())
}

#[test]
fn its_rows_are_those_of_pythons_event_sourced_log() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    let dogs = dogs_of(&school);
    dogs.append(Dogs::named("Billy"))?;
    dogs.append(Dogs::named("Milly"))?;
    let id = Dogs::create_id().simple().to_string();
    let expected = |number, name| {
        let state =
            format!(r#"{{"timestamp":{{"_type_":"datetime_iso","_data_":"…"}},"name":"{name}"}}"#);
        (
            number,
            id.clone(),
            number,
            "dogschool:Dogs.Named".to_owned(),
            state,
        )
    };
    let found = events_of(&dir.path().join("DogSchool.sqlite"));
    assert_eq!(found, [expected(1, "Billy"), expected(2, "Milly")]);
    Ok(())
}
