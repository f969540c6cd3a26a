use std::rc::Rc;

use es_system::prelude::*;

#[application]
pub struct School {
    mailer: Rc<String>,
}

fn main() {}
