use es_system::prelude::*;

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    fn count(&self) {}
}

fn main() {}
