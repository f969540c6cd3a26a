use es_system::prelude::*;

#[projection]
pub struct Registrations;

fn main() {}
