//! An upstream whose log was restored, or whose place another server took: its follower stops in
//! front of the first batch of another history, and passes over nothing.

mod accepted;
mod alternating;
mod caches;
mod projections;
mod standby;

use std::sync::Arc;

use es_system::prelude::*;
use es_system::store::{StoreError, postgres, sqlite};
use es_system::testing::postgres::Database;
use es_system::testing::{Call, FaultyStores, Moment};
use rusqlite::Connection;
use tempfile::TempDir;
use tests::domain::{Counters, DogSchool};
use tests::{PATIENCE, files};

/// The stores of a school and of its followers.
enum Stores {
    Files(TempDir),
    Database(Box<Database>),
}

impl Stores {
    /// Returns empty stores of each kind that is available.
    fn all() -> Vec<Self> {
        let files = tempfile::tempdir().expect("a temporary folder");
        let database = es_system::testing::postgres::database();
        let database = database.map(|database| Self::Database(Box::new(database)));
        [Self::Files(files)].into_iter().chain(database).collect()
    }

    fn env(&self) -> Env {
        match self {
            Self::Files(dir) => files(dir.path()),
            Self::Database(database) => database.env(),
        }
    }

    /// Executes statements on the school's store. `{events}` stands for the table of its events,
    /// and `{position}` for the column of their positions.
    fn execute(&self, sql: &str) {
        match self {
            Self::Files(dir) => {
                let path = dir.path().join("DogSchool.sqlite");
                let sql = sql.replace("{events}", "stored_events");
                let connection = Connection::open(path).expect("the file is there");
                let done = connection.execute_batch(&sql.replace("{position}", "rowid"));
                done.expect("the statements are right");
            }
            Self::Database(database) => {
                let sql = sql.replace("{events}", "dogschool_events");
                let sql = sql.replace("{position}", "notification_id");
                let done = database.connect().batch_execute(&sql);
                done.expect("the statements are right");
            }
        }
    }

    /// Brings the school back to the state that it had at `position`, as a backup does.
    fn cut_back(&self, position: u64) {
        self.execute(&format!(
            "DELETE FROM {{events}} WHERE {{position}} > {position}"
        ));
        if let Self::Database(_) = self {
            self.execute(&format!(
                "SELECT setval(pg_get_serial_sequence('{{events}}', 'notification_id'), {position})"
            ));
        }
    }
}

/// Returns a factory of stores that the test may have fail.
fn faulty() -> Arc<FaultyStores> {
    Arc::new(FaultyStores::new(|application, role, env| {
        match env.get("PERSISTENCE_MODULE") {
            Some("sqlite") => sqlite::open(application, role, env),
            _ => postgres::open(application, role, env),
        }
    }))
}

/// The dogs whose tricks the school's log has.
#[derive(Clone, Copy)]
struct Dogs(&'static [&'static str]);

/// One hot aggregate.
const HOT: Dogs = Dogs(&["Billy"]);
/// Three aggregates, one after the other.
const ROUND_ROBIN: Dogs = Dogs(&["Billy", "Milly", "Scrappy"]);
/// An aggregate that the first history has not.
const ANOTHER: Dogs = Dogs(&["Fido"]);

impl Dogs {
    /// Registers those that are missing, and teaches `count` tricks, to one dog after the other.
    fn teach(self, school: &DogSchool, trick: &str, count: usize) -> Result<()> {
        let known = |name: &&&str| school.get_dog(name).is_ok();
        let missing: Vec<_> = self.0.iter().filter(|name| !known(name)).collect();
        missing
            .into_iter()
            .try_for_each(|name| school.register_dog(name).map(drop))?;
        let names = self.0.iter().cycle().take(count);
        names
            .into_iter()
            .try_for_each(|name| school.add_trick(name, trick).map(drop))
    }
}

/// The number of tricks in the first history.
const TRICKS: usize = 12;

/// A history that takes the place of the first one, which has `HOT` or `ROUND_ROBIN` dogs.
struct Other {
    name: &'static str,
    first: Dogs,
    then: Dogs,
    /// The number of events that are written after the log was cut back by five.
    written: usize,
}

const OTHERS: [Other; 6] = [
    Other {
        name: "longer",
        first: HOT,
        then: ANOTHER,
        written: 8,
    },
    Other {
        name: "shorter",
        first: HOT,
        then: HOT,
        written: 0,
    },
    Other {
        name: "hot and longer",
        first: HOT,
        then: HOT,
        written: 7,
    },
    Other {
        name: "hot and as long",
        first: HOT,
        then: HOT,
        written: 5,
    },
    Other {
        name: "round-robin and longer",
        first: ROUND_ROBIN,
        then: ROUND_ROBIN,
        written: 9,
    },
    Other {
        name: "round-robin and as long",
        first: ROUND_ROBIN,
        then: ROUND_ROBIN,
        written: 5,
    },
];

/// Writes the first history, and has `R` process it. Returns the runner and its last position.
fn first_history<R: Runner>(other: &Other, env: Env) -> Result<(R, u64)> {
    let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    other.first.teach(&school, "sit", TRICKS)?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count("sit")?, TRICKS as u64);
    Ok((runner, school.notification_log().head()?))
}

/// Replaces the last five events of the log, with a program that shares nothing with the runner.
fn replace(stores: &Stores, other: &Other, head: u64) -> Result<()> {
    stores.cut_back(head - 5);
    let school = DogSchool::new(stores.env())?;
    let registered = other
        .then
        .0
        .iter()
        .filter(|name| school.get_dog(name).is_err());
    let tricks = other.written.saturating_sub(registered.count());
    if other.written > 0 {
        other.then.teach(&school, "stay", tricks)?;
    }
    school.close();
    Ok(())
}

/// Waits until the follower has stopped, and checks that it has processed nothing of the other
/// history.
fn assert_stops<R: Runner>(runner: &mut R, other: &Other, head: u64) -> Result<()> {
    let name = other.name;
    let error = runner.wait_until_idle(PATIENCE).expect_err(name);
    assert!(
        matches!(&error, Error::LogChanged { .. }),
        "{name}: {error}"
    );
    let problem = error.to_string();
    let is_shorter = format!("and position {head} is processed: version ");
    let differs = format!("was processed at position {head}, and now ");
    // A follower that runs may look while the other history is written.
    assert!(
        problem.contains(&is_shorter) || other.written > 0 && problem.contains(&differs),
        "{name}: {problem}"
    );
    assert!(
        problem.starts_with("Counters: the log of `DogSchool` is not"),
        "{name}: {problem}"
    );
    let counters = runner.get::<Counters>()?;
    assert_eq!(counters.position_in("DogSchool")?, Some(head), "{name}");
    assert_eq!(counters.get_count("stay")?, 0, "{name}");
    assert_eq!(counters.get_count("sit")?, TRICKS as u64, "{name}");
    Ok(())
}

#[test]
fn a_follower_that_starts_again_stops_in_front_of_another_history() -> Result<()> {
    fn flow<R: Runner>(stores: &Stores, other: &Other) -> Result<()> {
        let (runner, head) = first_history::<R>(other, stores.env())?;
        drop(runner);
        replace(stores, other, head)?;
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = R::new(&system, stores.env())?;
        runner.start()?;
        assert_stops(&mut runner, other, head)
    }
    for (number, other) in OTHERS.iter().enumerate() {
        for stores in Stores::all() {
            match number % 2 {
                0 => flow::<SingleThreadedRunner>(&stores, other)?,
                _ => flow::<MultiThreadedRunner>(&stores, other)?,
            }
        }
    }
    Ok(())
}

#[test]
fn a_follower_that_runs_stops_in_front_of_another_history() -> Result<()> {
    fn flow<R: Runner>(stores: &Stores, other: &Other) -> Result<()> {
        let faulty = faulty();
        let env = stores.env().with("POLL_INTERVAL", "0.05");
        let (mut runner, head) = first_history::<R>(other, env.with_store(faulty.clone()))?;
        // The follower's own store is away while the upstream is restored.
        let own = faulty.get("Counters").expect("it is open");
        let away = StoreError::driver("faulty", "reading", "nobody is there");
        own.fail(Call::Followed, 1, Moment::Before, away);
        replace(stores, other, head)?;
        // A log that is as long as before is looked at again with the next event, or the next look.
        if other.written == 5 {
            let school = runner.get::<DogSchool>()?;
            other.then.teach(&school, "stay", 1)?;
        }
        assert_stops(&mut runner, other, head)
    }
    for (number, other) in OTHERS.iter().enumerate() {
        for stores in Stores::all() {
            match number % 2 {
                0 => flow::<MultiThreadedRunner>(&stores, other)?,
                _ => flow::<SingleThreadedRunner>(&stores, other)?,
            }
        }
    }
    Ok(())
}

#[test]
fn a_follower_that_has_nothing_to_do_notices_that_its_upstream_has_lost_events() -> Result<()> {
    for stores in Stores::all() {
        let env = stores.env().with("POLL_INTERVAL", "0.05");
        let (runner, head) = first_history::<MultiThreadedRunner>(&OTHERS[3], env)?;
        replace(&stores, &OTHERS[3], head)?;
        // Nobody prompts the follower, and the log is as long as before.
        let error = runner.watch_for_errors(PATIENCE).expect_err("it stops");
        assert!(matches!(error, Error::LogChanged { .. }), "{error}");
    }
    Ok(())
}
