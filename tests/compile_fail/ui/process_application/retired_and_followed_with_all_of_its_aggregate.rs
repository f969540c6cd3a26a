use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }

    #[event(Renamed)]
    pub fn rename(&mut self, name: &str) {}
}

#[process_application]
pub struct Counters;

#[process_application(retired(Dog::Renamed))]
impl Counters {
    #[policy(Dog::*)]
    fn count(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

fn main() {}
