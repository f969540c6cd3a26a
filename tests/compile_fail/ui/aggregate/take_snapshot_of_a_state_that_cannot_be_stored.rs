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

fn main() {
    let school = DogSchool::new(Env::new()).unwrap();
    let mut dog = Dog::register();
    school.save(&mut dog).unwrap();
    school.take_snapshot::<Dog>(dog.id(), None).unwrap();
}

#[application]
pub struct DogSchool;
