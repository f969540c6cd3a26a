//! A projection without the prelude, between names that shadow the library's, with results of its
//! own.

#![deny(warnings)]

mod domain {
    use es_system::aggregate;

    #[aggregate]
    pub struct Dog {
        pub tricks: u64,
    }

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        pub fn register() -> Self {
            Self { tricks: 0 }
        }

        #[event(TrickAdded)]
        pub fn add_trick(&mut self) {
            self.tricks += 1;
        }
    }
}

#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Transaction;

#[derive(Debug)]
struct OwnError(#[allow(dead_code)] String);

impl std::fmt::Display for OwnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("own")
    }
}

impl std::error::Error for OwnError {}

impl From<es_system::SqlError> for OwnError {
    fn from(error: es_system::SqlError) -> Self {
        Self(error.to_string())
    }
}

#[es_system::projection(name = "Tricks")]
pub struct TrickTable;

#[es_system::projection]
impl TrickTable {
    const TABLE: &'static str = "tricks";

    fn tables(
        tx: &mut es_system::Transaction<'_>,
    ) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let sql = format!("CREATE TABLE {} (dog TEXT NOT NULL)", tx.table(Self::TABLE));
        tx.execute(&sql, &[])?;
        Ok(())
    }

    #[policy(domain::Dog::TrickAdded)]
    fn note(
        &self,
        event: &es_system::DomainEvent<domain::DogTrickAdded>,
        tx: &mut es_system::Transaction<'_>,
    ) -> std::result::Result<(), OwnError> {
        let sql = format!("INSERT INTO {} VALUES ($1)", tx.table(Self::TABLE));
        tx.execute(&sql, &[&event.originator_id])?;
        Ok(())
    }

    #[cfg(any())]
    #[policy(domain::Dog::Nowhere)]
    fn nowhere(&self, _: &Nothing, _: &mut es_system::Transaction<'_>) -> es_system::Result<()> {
        Ok(())
    }
}

#[es_system::application]
pub struct DogSchool;

#[test]
fn main() {
    use es_system::Runner;

    let env = es_system::Env::new()
        .with("TRICKS_PERSISTENCE_MODULE", "sqlite")
        .with("TRICKS_SQLITE_DBNAME", ":memory:");
    let system = es_system::System::new(es_system::pipes![[DogSchool, TrickTable]]).unwrap();
    let mut runner = es_system::SingleThreadedRunner::new(&system, env).unwrap();
    runner.start().unwrap();
    let mut dog = domain::Dog::register();
    dog.add_trick();
    runner.get::<DogSchool>().unwrap().save(&mut dog).unwrap();
    let table = runner.get::<TrickTable>().unwrap();
    let rows = table.read(|tx| Ok(tx.query("SELECT * FROM tricks", &[])?.len()));
    assert_eq!(rows.unwrap(), 1);
}
