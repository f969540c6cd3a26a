use es_system::prelude::*;

#[application]
pub struct School {
    mailer: String,
}

fn main() {
    let _ = System::new(pipes![[School]]);
}
