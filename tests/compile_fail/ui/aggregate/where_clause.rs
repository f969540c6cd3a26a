use es_system::prelude::*;

#[aggregate]
pub struct Dog
where
    String: Clone,
{
    tricks: Vec<String>,
}

fn main() {}
