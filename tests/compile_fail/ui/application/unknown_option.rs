use es_system::prelude::*;

#[application(topic = "School")]
pub struct School;

fn main() {}
