use es_system::prelude::*;

fn run<R: Runner>() {}

fn main() {
    run::<System>();
}
