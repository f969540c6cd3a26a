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
}

#[process_application]
pub struct Registrations;

#[process_application]
impl Registrations {
    #[policy(Dog::Registered)]
    fn count(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

fn rebuild(runner: &SingleThreadedRunner) -> Result<()> {
    runner.rebuild::<Registrations>(|_| {})
}

fn main() {}
