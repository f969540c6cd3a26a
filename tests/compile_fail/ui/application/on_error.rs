use es_system::prelude::*;

#[application(on_error = set_aside, from = now)]
pub struct DogSchool;

fn main() {}
