use es_system::prelude::*;

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
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    #[policy(Dog::TrickAdded, _)]
    fn count(&self, event: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        println!("{}", event.originator_id);
        Ok(())
    }
}

fn main() {}
