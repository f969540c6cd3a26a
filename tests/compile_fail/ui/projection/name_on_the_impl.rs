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

#[projection]
pub struct Registrations;

#[projection(name = "Registrations")]
impl Registrations {
    fn tables(_: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::Registered)]
    fn count(&self, _: &DomainEvent<DogRegistered>, _: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
