use es_system::prelude::*;

#[application]
pub struct School;

fn main() {
    let _ = System::new([[School, School]]);
}
