use es_system::prelude::*;

pub struct Refused;

#[aggregate]
pub struct Dog {
    pub tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        _: &DomainEvent<DogTrickAdded>,
        _: &mut ProcessingEvent,
    ) -> std::result::Result<(), Refused> {
        Ok(())
    }
}

fn main() {}
