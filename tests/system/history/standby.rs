//! A standby that lacks the last commits takes the place of the upstream's server.

use std::time::{Duration, Instant};

use es_system::prelude::*;
use es_system::testing::postgres::{Cluster, Database, cluster};
use tests::domain::{Counters, DogSchool};
use tests::{PATIENCE, files};

use super::{Dogs, HOT, ROUND_ROBIN};

/// Two servers that follow each other, and the settings of a school on them. Its counters have a
/// file.
struct Servers {
    primary: Cluster,
    standby: Cluster,
    database: Database,
    folder: tempfile::TempDir,
}

impl Servers {
    fn new() -> Option<Self> {
        let primary = cluster()?;
        let database = primary.database();
        // The tables are made before the copy.
        drop(DogSchool::new(database.env()).expect("it opens"));
        Some(Self {
            standby: primary.standby(),
            primary,
            database,
            folder: tempfile::tempdir().expect("a temporary folder"),
        })
    }

    /// Returns settings with which a school finds whichever server can be written.
    fn env(&self) -> Env {
        let (one, other) = (self.database.env(), self.database.on(&self.standby).env());
        let hosts = [&one, &other].map(|env| env.get("POSTGRES_HOST").expect("a host").to_owned());
        let mut env = files(self.folder.path()).with("POLL_INTERVAL", "0.05");
        for key in ["DBNAME", "PORT", "USER", "PASSWORD"] {
            let key = format!("POSTGRES_{key}");
            env = env.with(key.as_str(), one.get(&key).expect("it is set"));
        }
        env.with("DOGSCHOOL_PERSISTENCE_MODULE", "postgres")
            .with("POSTGRES_HOST", hosts.join(","))
    }

    /// Waits until the standby has an event at `position`.
    fn wait_for_standby(&self, position: u64) {
        let copy = self.database.on(&self.standby);
        let began = Instant::now();
        let is_there = || {
            let mut raw = copy.connect();
            let head = "SELECT coalesce(max(notification_id), 0) FROM dogschool_events";
            let head: i64 = raw.query_one(head, &[]).expect("a head").get(0);
            head.unsigned_abs() >= position
        };
        while !is_there() {
            assert!(began.elapsed() < PATIENCE, "the standby does not follow");
            std::thread::yield_now();
        }
    }
}

fn flow<R: Runner>(dogs: Dogs, restarts: bool) -> Result<()> {
    let Some(servers) = Servers::new() else {
        return Ok(());
    };
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = R::new(&system, servers.env())?;
    runner.start()?;
    dogs.teach(&*runner.get::<DogSchool>()?, "sit", 7)?;
    servers.wait_for_standby(runner.get::<DogSchool>()?.notification_log().head()?);
    servers.standby.stop();
    dogs.teach(&*runner.get::<DogSchool>()?, "sit", 5)?;
    runner.wait_until_idle(PATIENCE)?;
    let head = runner.get::<DogSchool>()?.notification_log().head()?;

    let running = (!restarts).then_some(runner);
    servers.primary.crash();
    servers.standby.resume();
    servers.standby.promote();
    let elsewhere = DogSchool::new(servers.database.on(&servers.standby).env())?;
    dogs.teach(&elsewhere, "stay", 9)?;
    let runner = match running {
        Some(runner) => runner,
        None => {
            let mut again = R::new(&system, servers.env())?;
            again.start()?;
            again
        }
    };

    let began = Instant::now();
    let error = loop {
        match runner.wait_until_idle(Duration::from_secs(1)) {
            Err(error @ Error::LogChanged { .. }) => break error,
            outcome => assert!(began.elapsed() < PATIENCE, "{outcome:?}"),
        }
    };
    let problem = error.to_string();
    assert!(
        problem.contains(&format!("was processed at position {head}, and now "))
            || problem.contains(&format!("position {head} is processed")),
        "{problem}"
    );
    let counters = runner.get::<Counters>()?;
    assert_eq!(counters.position_in("DogSchool")?, Some(head));
    assert_eq!(
        (counters.get_count("sit")?, counters.get_count("stay")?),
        (12, 0)
    );
    Ok(())
}

#[test]
fn a_follower_that_runs_stops_when_a_standby_without_the_last_events_takes_over() -> Result<()> {
    flow::<MultiThreadedRunner>(HOT, false)?;
    flow::<SingleThreadedRunner>(ROUND_ROBIN, false)
}

#[test]
fn a_follower_that_starts_again_stops_in_front_of_a_standby_without_the_last_events() -> Result<()>
{
    flow::<MultiThreadedRunner>(ROUND_ROBIN, true)?;
    flow::<SingleThreadedRunner>(HOT, true)
}
