use es_system::prelude::*;

#[application]
pub struct School;

impl School {
    pub fn keep(&self, name: &mut String) -> Result<()> {
        self.save(name)?;
        Ok(())
    }
}

fn main() {}
