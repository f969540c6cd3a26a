use es_system::prelude::*;

pub struct Counters;

#[process_application]
impl Clone for Counters {
    fn clone(&self) -> Self {
        todo!()
    }
}

fn main() {}
