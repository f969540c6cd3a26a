//! A policy that changes an aggregate and forgets it has failed, in debug builds. Its events would
//! be lost without a word.

use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::testing::{given, in_memory, policies_of};
use tests::PATIENCE;
use tests::domain::{Dog, DogRegistered, DogSchool, DogTrickAdded};

#[aggregate]
#[derive(Clone)]
struct Shelf {
    books: u64,
}

#[aggregate]
impl Shelf {
    #[id]
    fn id_of(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }
    #[event(Built)]
    fn build(name: &str) -> Self {
        Self { books: 0 }
    }
    #[event(Filled)]
    fn fill(&mut self) {
        self.books += 1;
    }
}

#[application]
struct Library;

/// Does with a shelf what the trick says.
#[process_application]
struct Librarian {
    library: Library,
}

#[process_application]
impl Librarian {
    #[policy(Dog::TrickAdded)]
    fn fill(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let name = "all";
        match &*event.trick {
            "collect" => processing_event.collect_events(&mut Shelf::build(name)),
            "collect a copy" => {
                let shelf = Shelf::build(name);
                processing_event.collect_events(&mut shelf.clone());
            }
            "save elsewhere" => drop(self.library.save(&mut Shelf::build("elsewhere"))?),
            "refuse elsewhere" => {
                let id = Shelf::id_of("elsewhere");
                let refused = self.library.try_execute::<Shelf, (), _>(id, |shelf| {
                    shelf.fill();
                    Err("no room")
                });
                assert!(refused.is_err());
            }
            "load" => drop(self.repository().get::<Shelf>(Shelf::id_of(name))?),
            "look" => assert_eq!(Shelf::build(name).pending_events().len(), 1),
            "take the state" => assert_eq!(Shelf::build(name).into_state().books, 0),
            "forget a new one" => drop(Shelf::build(name)),
            "forget after loading" => {
                let mut shelf: Shelf = self.repository().get(Shelf::id_of(name))?;
                shelf.fill();
                shelf.fill();
            }
            "forget after collecting" => {
                let mut shelf = Shelf::build("another");
                processing_event.collect_events(&mut shelf);
                shelf.fill();
            }
            _ => {}
        }
        Ok(())
    }
}

fn librarian() -> Result<Librarian> {
    Librarian::new(Env::new(), Library::new(Env::new())?)
}

fn learned(trick: &str) -> [DogTrickAdded; 1] {
    let trick = trick.to_owned();
    [DogTrickAdded { trick }]
}

#[test]
fn a_policy_that_saves_collects_or_reads_what_it_changes_succeeds() -> Result<()> {
    let billy = Dog::create_id("Billy");
    let mut librarian = policies_of(librarian()?);
    for trick in [
        "collect",
        "load",
        "look",
        "take the state",
        "save elsewhere",
        "refuse elsewhere",
    ] {
        librarian = librarian.when(billy, learned(trick));
    }
    let _ = policies_of(self::librarian()?).when(billy, learned("collect a copy"));
    Ok(())
}

#[test]
fn a_policy_that_forgets_what_it_changes_fails_with_the_aggregate_and_the_event() -> Result<()> {
    let billy = Dog::create_id("Billy");
    for (trick, name, events) in [
        (
            "forget a new one",
            "all",
            "1 new events from `Shelf.Built` at version 1",
        ),
        (
            "forget after loading",
            "all",
            "2 new events from `Shelf.Filled` at version 2",
        ),
        (
            "forget after collecting",
            "another",
            "1 new events from `Shelf.Filled` at version 2",
        ),
    ] {
        let librarian = policies_of(librarian()?).given(billy, learned("collect"));
        let mut found = None;
        let _ = librarian.when_it_fails(billy, learned(trick), |error| found = Some(error));
        let error = found.expect("an error");
        assert_eq!(error.kind(), ErrorKind::Policy);
        let error = error.to_string();
        let id = Shelf::id_of(name).to_string();
        for part in ["Librarian", &id, events, "collect_events"] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
    Ok(())
}

#[test]
fn a_follower_stops_in_front_of_the_event_whose_policy_forgets() -> Result<()> {
    let open = |env| Librarian::new(env, Library::new(Env::new())?);
    let system = in_memory(pipes![[DogSchool, Librarian = open]])?;
    let school = system.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "forget a new one")?;
    let error = system
        .wait_until_idle(PATIENCE)
        .expect_err("it has stopped");
    assert_eq!(error.kind(), ErrorKind::Policy);
    Ok(())
}

/// Keeps the warnings of this thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

#[test]
fn outside_of_policies_it_is_a_warning() -> Result<()> {
    let _opened = DogSchool::new(Env::new())?;
    let warnings = Warnings::default();
    crate::logged::with_subscriber(warnings.clone(), || {
        let mut billy = Dog::register("Billy");
        billy.add_trick("sit");
        drop(billy);
        let read = Dog::register("Milly");
        assert_eq!(read.pending_events().len(), 1);
    });
    let warnings = warnings.0.lock().expect("not poisoned");
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    let id = Dog::create_id("Billy").to_string();
    assert!(
        warning.contains(&id) && warning.contains("2 new events"),
        "{warning}"
    );
    Ok(())
}

#[test]
fn a_test_of_an_aggregate_forgets_nothing() {
    let name = "Billy".to_owned();
    let warnings = Warnings::default();
    crate::logged::with_subscriber(warnings.clone(), || {
        let _ = given([DogRegistered { name }])
            .when(|dog: &mut Dog| dog.add_trick("sit"))
            .then(learned("sit"));
    });
    assert!(warnings.0.lock().expect("not poisoned").is_empty());
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
        self.0.lock().expect("not poisoned").push(text.0);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
