use es_system::prelude::*;

#[aggregate(on_error = stop)]
pub struct Dog {}

#[aggregate(on_error = stop)]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }
}

fn main() {}
