use es_system::prelude::*;

#[application]
#[application]
pub struct School;

fn main() {}
