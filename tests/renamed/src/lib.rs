//! The library under another name: every attribute accepts it with `crate = sourcing`.

use sourcing::prelude::*;

/// A dog.
#[aggregate(crate = sourcing, snapshot_every = 100)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dog {
    /// The tricks that the dog can do.
    pub tricks: Vec<String>,
}

#[aggregate(crate = sourcing, vis = pub)]
impl Dog {
    /// Returns the id of the dog of that name.
    #[id]
    pub fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    /// Registers a dog at the school.
    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            tricks: vec![format!("being {name}")],
        }
    }

    /// Teaches the dog a trick.
    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: String) {
        self.tricks.push(trick);
    }
}

/// A school for dogs.
#[application(crate = sourcing)]
pub struct School;

/// Repeats the tricks that dogs have learned.
#[process_application(crate = sourcing)]
pub struct Mirror;

#[process_application(crate = sourcing)]
impl Mirror {
    #[policy(Dog::TrickAdded)]
    fn mirror(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut image = Dog::register(&event.trick);
        image.add_trick(event.trick.clone());
        processing_event.collect_events(&mut image);
        Ok(())
    }
}

/// Records the tricks that dogs have learned.
#[projection(crate = sourcing)]
pub struct Notes;

#[projection(crate = sourcing)]
impl Notes {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let sql = format!("CREATE TABLE {} (trick TEXT NOT NULL)", tx.table("notes"));
        tx.execute(&sql, &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn note(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let sql = format!("INSERT INTO {} VALUES ($1)", tx.table("notes"));
        tx.execute(&sql, &[&event.trick])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_works_under_another_name() -> Result<()> {
        let system = System::new(pipes![[School, Mirror], [School, Notes]])?;
        let env = Env::new()
            .with("NOTES_PERSISTENCE_MODULE", "sqlite")
            .with("NOTES_SQLITE_DBNAME", ":memory:");
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        runner.start()?;
        let mut dog = Dog::register("Billy");
        dog.add_trick("sit".to_owned());
        runner.get::<School>()?.save(&mut dog)?;
        runner.wait_until_idle(Duration::from_secs(5))?;
        let mirror = runner.get::<Mirror>()?;
        let image = mirror.repository().get::<Dog>(Dog::create_id("sit"))?;
        assert_eq!(image.tricks, ["being sit", "sit"]);
        let notes = runner.get::<Notes>()?;
        let noted = notes.read(|tx| Ok(tx.query("SELECT trick FROM notes", &[])?.len()))?;
        assert_eq!(noted, 1);
        runner.stop()
    }
}
