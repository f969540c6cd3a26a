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

#[process_application(on_error(stop))]
impl Counters {
    #[policy(Dog::Renamed)]
    fn count(&self, _: &DomainEvent<DogRenamed>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

fn main() {}
