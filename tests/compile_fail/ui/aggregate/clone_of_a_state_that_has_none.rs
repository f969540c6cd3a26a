use es_system::prelude::*;

pub struct Plain;

#[aggregate]
pub struct Dog {
    plain: Plain,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { plain: Plain }
    }
}

fn main() {
    let _ = Dog::register().clone();
}
