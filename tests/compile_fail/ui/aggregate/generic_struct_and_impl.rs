use es_system::prelude::*;

#[aggregate]
pub struct Dog<T> {
    trick: T,
}

#[aggregate]
impl<T> Dog<T> {
    #[event(Registered)]
    pub fn register(trick: T) -> Self {
        Self { trick }
    }
}

fn main() {}
