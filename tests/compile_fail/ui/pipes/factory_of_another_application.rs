use es_system::prelude::*;

#[application]
pub struct School {
    mailer: String,
}

#[application]
pub struct Other;

fn main() {
    let _ = System::new(pipes![[School = |env| Other::new(env)]]);
}
