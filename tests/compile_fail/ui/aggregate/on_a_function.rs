use es_system::prelude::*;

#[aggregate]
fn dog() {}

fn main() {}
