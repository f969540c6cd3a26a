//! The upstreams that policies of a projection may follow, and projections with fields of their
//! own.

use es_system::prelude::*;
use tests::domain::{Dog, DogEvent, DogSchool};

#[projection]
pub struct Lines {
    prefix: &'static str,
}

#[projection]
impl Lines {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let lines = tx.table("lines");
        tx.execute(&format!("CREATE TABLE {lines} (line TEXT NOT NULL)"), &[])?;
        Ok(())
    }

    #[policy(Dog::Registered, Dog::TrickAdded)]
    fn note(&self, event: &DomainEvent<DogEvent>, tx: &mut Transaction<'_>) -> Result<()> {
        match &event.payload {
            DogEvent::Registered(dog) => self.write(tx, &dog.name),
            DogEvent::TrickAdded(added) => self.write(tx, &added.trick),
        }
    }

    #[policy(_)]
    fn note_topic(&self, event: &UndecodedEvent, tx: &mut Transaction<'_>) -> Result<()> {
        self.write(tx, event.topic())
    }

    fn write(&self, tx: &mut Transaction<'_>, line: &str) -> Result<()> {
        let insert = format!("INSERT INTO {} (line) VALUES ($1)", tx.table("lines"));
        tx.execute(&insert, &[&format!("{}{line}", self.prefix)])?;
        Ok(())
    }

    fn lines(&self) -> Result<Vec<String>> {
        self.read(|tx| {
            let select = format!("SELECT line FROM {} ORDER BY line", tx.table("lines"));
            let rows = tx.query(&select, &[])?;
            rows.iter().map(|row| Ok(row.get("line")?)).collect()
        })
    }
}

#[aggregate(topic = "dogschool:Cat")]
struct Cat {}

#[aggregate]
impl Cat {
    #[event(Passed)]
    fn pass_by() -> Self {
        Self {}
    }
}

#[test]
fn a_projection_with_a_field_follows_several_events_and_everything_else() -> Result<()> {
    let env = Env::new().with_application("Lines", Settings::sqlite_in_memory());
    let pipes = pipes![[DogSchool, Lines = |env| Lines::new(env, "> ")]];
    let system = es_system::testing::in_memory_with(pipes, env)?;
    let school = system.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    school.save(&mut Cat::pass_by())?;
    let lines = system.get::<Lines>()?.lines()?;
    assert_eq!(lines, ["> Billy", "> dogschool:Cat.Passed", "> sit"]);
    Ok(())
}
