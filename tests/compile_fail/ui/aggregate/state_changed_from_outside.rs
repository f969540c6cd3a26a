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
}

fn forget(dog: &mut Dog) {
    dog.tricks = Vec::new();
}

fn main() {
    forget(&mut Dog::register());
}
