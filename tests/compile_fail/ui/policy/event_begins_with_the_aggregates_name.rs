use es_system::prelude::*;

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
}

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    #[policy(Dog::DogRegistered)]
    fn count(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

fn main() {}
