use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }

    #[event(Renamed)]
    pub fn rename(&mut self, name: &str) {}
}

#[projection]
pub struct Names;

#[projection(on_error = retry(then = retry), from = -1)]
impl Names {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let table = tx.table("names");
        tx.execute(&format!("CREATE TABLE {table} (name TEXT)"), &[])?;
        Ok(())
    }

    #[policy(Dog::Renamed, on_error = retry(times = -1))]
    fn rename(&self, _: &DomainEvent<DogRenamed>, _: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
