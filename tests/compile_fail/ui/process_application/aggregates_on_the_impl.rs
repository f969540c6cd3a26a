use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }
}

#[process_application]
pub struct Counters;

#[process_application(aggregates(Dog))]
impl Counters {
    #[policy(Dog::Registered)]
    fn count(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

fn main() {}
