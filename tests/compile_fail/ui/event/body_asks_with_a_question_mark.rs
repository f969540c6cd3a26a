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
    pub fn age(&mut self, years: &str) {
        let _: u8 = years.parse()?;
    }
}

fn main() {}
