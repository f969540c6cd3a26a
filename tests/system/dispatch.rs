//! Each policy receives its events: one kind, several kinds, all of an aggregate, or all others.

use es_system::prelude::*;
use tests::domain::{Counter, Dog, DogEvent, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, places};

/// The events that policies have received, one line for each.
#[aggregate]
struct Sighting;

#[aggregate(vis = pub(self))]
impl Sighting {
    #[event(Noted)]
    fn note(line: &str) -> Self {
        Self
    }
}

fn note(line: &str, processing_event: &mut ProcessingEvent) {
    processing_event.collect_events(&mut Sighting::note(line));
}

/// Returns the lines that an application has recorded, in order.
fn lines_of(application: &es_system::Application) -> Result<Vec<String>> {
    let noted = application.notification_log().select(1, 1000)?;
    let line = |notification| match application.decode::<Sighting>(notification)?.payload {
        SightingEvent::Noted(noted) => Ok(noted.line),
    };
    noted.iter().map(line).collect()
}

fn line_of(event: &DomainEvent<DogEvent>) -> String {
    let what = match &event.payload {
        DogEvent::Registered(registered) => format!("registered {}", registered.name),
        DogEvent::TrickAdded(added) => format!("learned {}", added.trick),
    };
    format!("{what} at {}", event.notification_id)
}

#[process_application(name = "Watcher")]
struct Several;

#[process_application]
impl Several {
    #[policy(Dog::Registered, Dog::TrickAdded)]
    fn watch(
        &self,
        event: &DomainEvent<DogEvent>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        note(&line_of(event), processing_event);
        Ok(())
    }
}

#[process_application(name = "Second")]
struct AllOfDog;

#[process_application]
impl AllOfDog {
    #[policy(Dog::*)]
    fn watch(
        &self,
        event: &DomainEvent<DogEvent>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        note(&line_of(event), processing_event);
        Ok(())
    }
}

/// Handles tricks by name, and all other events undecoded.
#[process_application(name = "Third")]
struct Rest;

#[process_application]
impl Rest {
    #[policy(Dog::TrickAdded)]
    fn watch(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        note(&format!("a trick, {}", event.trick), processing_event);
        Ok(())
    }

    #[policy(_)]
    fn rest(&self, event: &UndecodedEvent, processing_event: &mut ProcessingEvent) -> Result<()> {
        let what = if event.is::<DogEvent>() {
            line_of(&event.decode()?)
        } else {
            assert!(event.decode::<DogEvent>().is_err());
            event.topic().to_owned()
        };
        let upstream = event.upstream();
        let version = event.originator_version();
        let line = format!(
            "{upstream} {}: {what}, version {version}",
            event.notification_id()
        );
        note(&line, processing_event);
        Ok(())
    }
}

/// Saves two dogs, one of which learns something, and an aggregate that no policy names.
fn school_of<R: Runner>(runner: &R) -> Result<()> {
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.save(&mut Counter::new("sit"))?;
    school.add_trick("Billy", "sit")?;
    school.register_dog("Milly")?;
    runner.wait_until_idle(PATIENCE)
}

fn run<R: Runner>(env: Env, name: &str) -> Result<()> {
    let pipes = pipes![
        [DogSchool, Several],
        [DogSchool, AllOfDog],
        [DogSchool, Rest]
    ];
    let mut runner = R::new(&System::new(pipes)?, env)?;
    runner.start()?;
    school_of(&runner)?;
    let decoded = [
        "registered Billy at 1",
        "learned sit at 3",
        "registered Milly at 4",
    ];
    assert_eq!(lines_of(&*runner.get::<Several>()?)?, decoded, "{name}");
    assert_eq!(lines_of(&*runner.get::<AllOfDog>()?)?, decoded, "{name}");
    let rest = [
        "DogSchool 1: registered Billy at 1, version 1",
        "DogSchool 2: dogschool:Counter.Created, version 1",
        "a trick, sit",
        "DogSchool 4: registered Milly at 4, version 1",
    ];
    assert_eq!(lines_of(&*runner.get::<Rest>()?)?, rest, "{name}");
    runner.stop()
}

#[test]
fn a_policy_gets_several_events_all_of_an_aggregate_or_everything_else() -> Result<()> {
    for Place { name, env, .. } in places() {
        run::<SingleThreadedRunner>(env, name)?;
    }
    for Place { name, env, .. } in places() {
        run::<MultiThreadedRunner>(env, name)?;
    }
    Ok(())
}

#[test]
fn an_undecoded_event_is_decoded_with_the_key_of_its_upstream() -> Result<()> {
    let env = Env::new().with("DOGSCHOOL_CIPHER_TOPIC", "aes").with(
        "DOGSCHOOL_CIPHER_KEY",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    );
    run::<SingleThreadedRunner>(env, "sealed")
}

/// Names one event twice, the second time by another path.
#[process_application]
struct Twice;

#[process_application]
impl Twice {
    #[policy(Dog::*)]
    fn all(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(tests::domain::Dog::TrickAdded)]
    fn one(&self, _: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[test]
fn two_policies_for_one_event_are_an_error_at_the_start_if_not_before() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Twice]])?;
    let Err(error) = SingleThreadedRunner::new(&system, Env::new()) else {
        panic!("one event has two policies");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let expected =
        "Twice: two policies handle `dogschool:Dog.TrickAdded`: let one of them call both";
    assert_eq!(error.to_string(), expected);
    Ok(())
}

/// Receives every event, and fails to decode one as another aggregate's.
#[process_application]
struct Greedy;

#[process_application]
impl Greedy {
    #[policy(_)]
    fn take(&self, event: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
        event.decode::<SightingEvent>()?;
        Ok(())
    }
}

#[test]
fn to_decode_an_event_as_another_is_an_error_that_names_it() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Greedy]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    runner.get::<DogSchool>()?.register_dog("Billy")?;
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("it is no sighting");
    let error = error.to_string();
    let id = Dog::create_id("Billy");
    let expected = format!(
        "DogSchool: event `dogschool:Dog.Registered` of aggregate {id} at version 1: the topic is not known here"
    );
    assert!(error.ends_with(&expected), "{error}");
    Ok(())
}
