use es_system::prelude::*;

#[process_application]
pub struct Counters;

fn main() {}
