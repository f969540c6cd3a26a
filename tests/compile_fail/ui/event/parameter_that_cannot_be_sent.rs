use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: usize,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: 0 }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: Trick) {
        let _ = trick;
        self.tricks += 1;
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Trick(std::cell::Cell<u8>);

fn main() {}
