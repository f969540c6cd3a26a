use es_system::prelude::*;

#[application(name = "dog-school")]
pub struct School;

fn main() {}
