use es_system::prelude::*;

#[application]
#[process_application]
pub struct School;

fn main() {}
