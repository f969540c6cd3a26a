use es_system::prelude::*;

pub struct School;

fn main() {
    let _ = System::new(pipes![[School]]);
}
