//! A program with a `Result` and an `Error` of its own.

use es_system::prelude::{
    DomainEvent, Env, ProcessingEvent, aggregate, application, process_application,
};

#[derive(Debug)]
struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an error of the domain")
    }
}

impl std::error::Error for Error {}

type Result<T> = std::result::Result<T, Error>;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(TrickAdded)]
    fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }

    fn learn(&mut self, trick: &str) -> Result<()> {
        if self.tricks.len() > 1 {
            return Err(Error);
        }
        self.add_trick(trick);
        Ok(())
    }
}

#[application]
pub struct School;

#[process_application]
pub struct Watch;

#[process_application]
impl Watch {
    #[policy(Dog::Registered)]
    fn first(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Err(Error)
    }

    #[cfg(any())]
    #[policy(Dog::NotThere)]
    fn never(&self, _: &DomainEvent<NotThere>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn second(
        &self,
        DomainEvent { payload, .. }: &DomainEvent<DogTrickAdded>,
        _: &mut ProcessingEvent,
    ) -> std::result::Result<(), String> {
        Err(payload.trick.clone())
    }
}

#[test]
fn main() {
    let mut dog = Dog::register();
    assert!(dog.learn("sit").is_ok() && dog.learn("roll").is_ok() && dog.learn("bark").is_err());
    assert!(School::new(Env::new()).is_ok() && Watch::new(Env::new()).is_ok());
}
