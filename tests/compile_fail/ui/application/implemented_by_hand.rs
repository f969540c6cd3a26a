use std::ops::Deref;

use es_system::{Application, ApplicationType};

pub struct School {
    application: Application,
}

impl Deref for School {
    type Target = Application;
    fn deref(&self) -> &Application {
        &self.application
    }
}

impl ApplicationType for School {
    const NAME: &'static str = "School";
}

fn main() {}
