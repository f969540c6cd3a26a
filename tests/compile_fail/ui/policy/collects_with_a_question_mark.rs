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
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event.collect_events(&mut Dog::register())?;
        Ok(())
    }
}

fn main() {}
