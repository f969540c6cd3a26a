use es_system::prelude::*;

#[application]
pub struct School {
    mailer: String,
}

fn main() {
    let _ = School::new(Env::new());
}
