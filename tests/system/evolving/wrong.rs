//! What cannot be upcast: an error that names the event, its aggregate and its version, and no panic.

use es_system::prelude::*;
use tests::evolving::{DogSchool, v1, v3, v4};

use super::{Rows, record, with};

/// What somebody reads of these rows who has the fourth program.
fn error_of(rows: Rows) -> Result<String> {
    let school = DogSchool::new(Env::new())?;
    record(&school, rows.events);
    let error = school.repository().get::<v4::Dog>(&rows.id);
    let error = error.expect_err("it cannot be read");
    assert_eq!(error.kind(), ErrorKind::BadData);
    Ok(error.to_string())
}

fn damaged(version: u64, from: &str, to: &str) -> Result<Rows> {
    let mut rows = Rows::of(version, Env::new())?;
    rows.events[1] = with(&rows.events[1], from, to);
    Ok(rows)
}

#[test]
fn an_event_of_a_newer_version_is_refused_where_it_is_not_known() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let Rows { id, events, .. } = Rows::of(4, Env::new())?;
    record(&school, events);
    let old = school.repository().get::<v3::Dog>(&id);
    let error = old.expect_err("it is newer").to_string();
    assert!(
        error.contains(&format!(
            "event `evolving:Dog.TrickAdded` of aggregate {id} at version 2: it has class_version 4, and this program knows 3"
        )),
        "{error}"
    );
    let school = DogSchool::new(Env::new())?;
    let Rows { id, events, .. } = Rows::of(2, Env::new())?;
    record(&school, events);
    let oldest = school.repository().get::<v1::Dog>(&id);
    let error = oldest.expect_err("it is newer").to_string();
    assert!(
        error.contains("it has class_version 2, and this program knows 1"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_snapshot_of_a_newer_version_is_passed_over() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let Rows {
        id,
        events,
        snapshot,
    } = Rows::of(4, Env::new())?;
    let older = Rows::of(3, Env::new())?.events;
    let older = older.into_iter().map(|mut row| {
        row.originator_id = id.clone();
        row
    });
    assert_eq!(events.len(), 3);
    record(&school, older.collect());
    school
        .recorder()?
        .record_snapshot(&snapshot)
        .expect("recorded");
    assert_eq!(school.repository().get::<v3::Dog>(&id)?.levels, [3, 3]);
    Ok(())
}

/// All snapshots before its second version are worthless.
mod renewed {
    use super::*;

    #[aggregate(topic = "evolving:Dog", version = 2, upcast(1 => refuse))]
    #[derive(Serialize, Deserialize)]
    pub struct Dog {
        pub tricks: Vec<String>,
    }

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        pub fn register(name: &str) -> Self {
            let tricks = vec![format!("comes when {name} is called")];
            Self { tricks }
        }

        #[event(TrickAdded)]
        pub fn add_trick(&mut self, trick: &str) {
            self.tricks.push(trick.to_owned());
        }
    }

    fn refuse(_: &mut impl StoredState) -> Result<(), FieldError> {
        Err(FieldError::new("tricks", "they lack one"))
    }
}

#[test]
fn a_snapshot_that_its_upcaster_refuses_is_passed_over() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let rows = Rows::of(1, Env::new())?;
    record(&school, rows.events);
    let recorder = school.recorder()?;
    recorder.record_snapshot(&rows.snapshot).expect("recorded");
    let dog: renewed::Dog = school.repository().get(&rows.id)?;
    assert_eq!(dog.tricks, ["comes when Billy is called", "sit", "stay"]);
    Ok(())
}

#[test]
fn a_class_version_that_is_none_is_refused() -> Result<()> {
    let error = error_of(damaged(2, r#""class_version":2"#, r#""class_version":0"#)?)?;
    assert!(
        error.contains("at version 2: field `class_version`: versions begin at 1"),
        "{error}"
    );
    for nonsense in ["-1", "2.5", "\"2\"", "null", "99999999999999999999999"] {
        let to = format!("\"class_version\":{nonsense}");
        let error = error_of(damaged(2, r#""class_version":2"#, &to)?)?;
        assert!(
            error.contains("at version 2: field `class_version`: "),
            "{error}"
        );
    }
    Ok(())
}

#[test]
fn a_version_one_that_is_written_out_is_upcast_as_well() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let rows = damaged(1, r#""trick":"sit""#, r#""trick":"sit","class_version":1"#)?;
    record(&school, rows.events);
    let dog: v4::Dog = school.repository().get(&rows.id)?;
    assert_eq!(dog.levels, [1, 1]);
    Ok(())
}

/// Its upcasters refuse what they are given, in every way.
mod strict {
    use super::*;

    #[aggregate(topic = "evolving:Dog")]
    pub struct Dog {}

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        pub fn register(name: &str) -> Self {
            Self {}
        }

        #[event(TrickAdded, version = 3, upcast(1 => refuse, 2 => panic))]
        pub fn add_trick(&mut self, trick: &str) {}
    }

    fn refuse(state: &mut impl StoredState) -> Result<(), FieldError> {
        state.insert("class_version", &2)
    }

    fn panic(state: &mut impl StoredState) {
        panic!("{} is no trick", state.names().last().unwrap_or_default());
    }
}

#[process_application]
struct Counters;

#[process_application]
impl Counters {
    #[policy(strict::Dog::TrickAdded)]
    fn count(&self, _: &DomainEvent<strict::DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

const REFUSED: &str =
    "the upcast from version 1 to 2 failed: field `class_version`: the name is reserved";
const PANICKED: &str = "the upcast from version 2 to 3 panicked: level is no trick";

#[test]
fn an_upcaster_that_refuses_or_panics_is_an_error_that_names_the_event() -> Result<()> {
    for (version, problem) in [(1, REFUSED), (2, PANICKED)] {
        let school = DogSchool::new(Env::new())?;
        let Rows { id, events, .. } = Rows::of(version, Env::new())?;
        record(&school, events);
        let about =
            format!("event `evolving:Dog.TrickAdded` of aggregate {id} at version 2: {problem}");
        let loaded = school.repository().get::<strict::Dog>(&id);
        let error = loaded.map(drop).expect_err("it cannot be read").to_string();
        assert!(error.contains(&about), "{error}");
        let log = school.notification_log().select(2, 1)?;
        let decoded = school.decode::<strict::Dog>(&log[0]);
        let error = decoded
            .map(drop)
            .expect_err("it cannot be read")
            .to_string();
        assert!(error.contains(&about), "{error}");
    }
    Ok(())
}

#[test]
fn a_follower_stops_in_front_of_what_it_cannot_upcast() -> Result<()> {
    for (version, problem) in [(1, REFUSED), (2, PANICKED)] {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = MultiThreadedRunner::new(&system, Env::new())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        record(&school, Rows::of(version, Env::new())?.events);
        school.save(&mut strict::Dog::register("Milly"))?;
        let error = runner
            .wait_until_idle(tests::PATIENCE)
            .expect_err("it stops");
        assert!(error.to_string().contains(problem), "{error}");
    }
    Ok(())
}
