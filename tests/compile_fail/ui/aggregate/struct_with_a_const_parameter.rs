use es_system::prelude::*;

#[aggregate]
pub struct Dog<const N: usize> {
    tricks: Vec<[u8; N]>,
}

#[aggregate]
impl<const N: usize> Dog<N> {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.truncate(trick.len());
    }
}

fn main() {}
