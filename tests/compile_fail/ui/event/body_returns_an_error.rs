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

    #[event(Aged)]
    pub fn age(years: &str) -> Self {
        if years.is_empty() {
            return Err("no age");
        }
        Self { tricks: Vec::new() }
    }
}

fn main() {}
