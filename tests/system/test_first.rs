//! A feature that is written test-first on the guide's page on testing: a dog's third trick earns a
//! certificate.

use std::sync::Arc;

use es_system::prelude::*;
use es_system::store::StoreError;
use es_system::testing::{
    Call, Clock, FaultyStores, FixedSource, Moment, given, in_memory, policies_of, with_source,
};

#[aggregate]
pub struct Dog {
    name: String,
    tricks: Vec<String>,
    certified_on: Option<Timestamp>,
}

#[aggregate]
impl Dog {
    #[id]
    pub fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/dogs/{name}").as_bytes())
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tricks: Vec::new(),
            certified_on: None,
        }
    }

    #[event(TrickAdded)]
    fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }

    #[event(Certified)]
    fn certify(&mut self, timestamp: Timestamp) {
        self.certified_on = Some(timestamp);
    }

    pub fn teach(&mut self, trick: &str) -> Result<(), String> {
        if self.tricks.iter().any(|known| known == trick) {
            return Err(format!("{} knows {trick} already", self.name));
        }
        self.add_trick(trick);
        if self.tricks.len() == 3 {
            self.certify();
        }
        Ok(())
    }
}

#[application]
pub struct DogSchool;

impl DogSchool {
    pub fn register_dog(&self, name: &str) -> Result<()> {
        self.save(&mut Dog::register(name))?;
        Ok(())
    }

    pub fn teach(&self, name: &str, trick: &str) -> Result<(), ExecuteError<String>> {
        self.try_execute(Dog::create_id(name), |dog: &mut Dog| dog.teach(trick))
    }
}

#[aggregate]
pub struct Register {
    certificates: u64,
}

#[aggregate]
impl Register {
    #[id]
    pub fn create_id() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/register")
    }

    #[event(Begun)]
    fn begin() -> Self {
        Self { certificates: 0 }
    }

    #[event(Entered)]
    fn enter(&mut self, dog: AggregateId) {
        self.certificates += 1;
    }
}

#[process_application]
pub struct KennelClub;

#[process_application]
impl KennelClub {
    #[policy(Dog::Certified)]
    fn enter(
        &self,
        event: &DomainEvent<DogCertified>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let register = self.repository().find(Register::create_id())?;
        let mut register = register.unwrap_or_else(Register::begin);
        register.enter(event.originator_id.clone());
        processing_event.collect_events(&mut register);
        Ok(())
    }

    pub fn certificates(&self) -> Result<u64> {
        let register = self.repository().find::<Register>(Register::create_id())?;
        Ok(register.map_or(0, |register| register.certificates))
    }
}

fn registered() -> DogRegistered {
    let name = "Billy".to_owned();
    DogRegistered { name }
}

fn learned(trick: &str) -> DogTrickAdded {
    let trick = trick.to_owned();
    DogTrickAdded { trick }
}

#[test]
fn a_third_trick_earns_a_certificate() {
    given((registered(), learned("sit"), learned("roll over")))
        .when(|dog: &mut Dog| dog.teach("fetch ball"))
        .then((learned("fetch ball"), DogCertified {}));
}

#[test]
fn a_known_trick_is_refused_and_earns_nothing() {
    given((registered(), learned("sit"), learned("roll over")))
        .when(|dog: &mut Dog| dog.teach("sit"))
        .then_nothing()
        .and_the_outcome(|outcome| {
            assert_eq!(outcome, Err("Billy knows sit already".to_owned()));
        });
}

#[test]
fn the_kennel_club_enters_each_certificate() -> Result<()> {
    let (billy, milly) = (Dog::create_id("Billy"), Dog::create_id("Milly"));
    let entered = |dog: Uuid| RegisterEntered { dog: dog.into() };
    policies_of(KennelClub::new(Env::new())?)
        .when(billy, [DogCertified {}])
        .then((RegisterBegun {}, entered(billy)))
        .when(milly, [DogCertified {}])
        .then([entered(milly)]);
    Ok(())
}

#[test]
fn a_dog_that_is_taught_three_tricks_is_in_the_register() -> Result<(), ExecuteError<String>> {
    let system = in_memory(pipes![[DogSchool, KennelClub]])?;
    let school = system.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for trick in ["sit", "roll over", "fetch ball"] {
        school.teach("Billy", trick)?;
    }
    assert_eq!(system.get::<KennelClub>()?.certificates()?, 1);
    Ok(())
}

#[test]
fn a_store_that_fails_loses_no_trick() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
    let mut billy = Dog::register("Billy");

    let store = stores.get("DogSchool").expect("the school has opened it");
    let error = StoreError::closed("test");
    store.fail(Call::Record, 1, Moment::Before, error);
    school.save(&mut billy).expect_err("the store fails once");

    school.save(&mut billy)?;
    assert_eq!(billy.version(), 1);
    Ok(())
}

#[test]
fn a_certificate_has_the_date_of_the_third_trick() {
    let start: Timestamp = "2024-05-01T12:00:00+00:00".parse().expect("a time");
    with_source(Some(Arc::new(FixedSource::starting_at(start))), || {
        let mut billy = Dog::register("Billy");
        for trick in ["sit", "roll over", "fetch ball"] {
            billy.teach(trick).expect("a new trick");
        }
        let certified_on = billy.certified_on.expect("a certificate");
        assert_eq!(certified_on.to_string(), "2024-05-01T12:00:00.000004+00:00");
    });
}

/// The guide shows this message for a command that makes no certificate yet.
#[test]
fn a_missing_event_is_shown_beside_the_expected_ones() {
    let failed = std::panic::catch_unwind(|| {
        given((registered(), learned("sit")))
            .when(|dog: &mut Dog| dog.teach("fetch ball"))
            .then((learned("fetch ball"), DogCertified {}));
    });
    let message = failed.expect_err("the test fails");
    let message = message.downcast_ref::<String>().expect("a text");
    let page = include_str!("../../es-system/src/guide/testing.md");
    assert!(page.contains(message), "{message}");
}

#[test]
fn a_certificate_has_the_date_of_the_third_trick_in_a_system_too() -> Result<()> {
    let clock = Clock::starting_at("2024-05-01T12:00:00+00:00".parse().expect("a time"));
    let system = in_memory(pipes![[DogSchool, KennelClub]])?;
    let school = system.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for trick in ["sit", "roll over", "fetch ball"] {
        clock.advance(Duration::from_secs(24 * 60 * 60));
        let id = Dog::create_id("Billy");
        school.execute::<Dog, _>(id, |dog| {
            dog.teach(trick).expect("a new trick");
            Ok(())
        })?;
    }
    let billy: Dog = school.repository().get(Dog::create_id("Billy"))?;
    let certified_on = billy.certified_on.expect("a certificate").to_string();
    assert!(
        certified_on.starts_with("2024-05-04T12:00:00"),
        "{certified_on}"
    );
    Ok(())
}
