use es_system::prelude::*;

#[application]
pub enum School {
    Open,
}

fn main() {}
