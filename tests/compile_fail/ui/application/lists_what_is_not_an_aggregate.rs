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

pub struct Cat;

#[application(aggregates(Dog, Cat))]
pub struct School;

fn main() {}
