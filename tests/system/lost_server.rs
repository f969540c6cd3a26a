//! A whole system works while its connections are cut and its server is restarted. No event is lost
//! or doubled, and the process need not be restarted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use es_system::prelude::*;
use es_system::testing::postgres::{Cluster, Database, cluster};
use es_system::{Condition, FollowerStatus};
use tests::domain::{Counters, DogSchool};
use tests::{PATIENCE, torture};

use crate::sealed::zlib_and_aes;

/// The kinds of connections, by their last statement.
const KINDS: [(&str, &str); 3] = [
    ("writer", "query LIKE '%append_v3%' OR query LIKE '%COMMIT'"),
    (
        "reader",
        "query LIKE 'SELECT%' AND query NOT LIKE '%append_v3%'",
    ),
    ("listener", "query LIKE 'LISTEN%'"),
];

/// One dog that all writers teach, so that they conflict, and one for each writer.
const DOGS: [&str; 4] = ["Common", "Billy", "Milly", "Scrappy"];

/// The state that the writers share.
#[derive(Default)]
struct Work {
    is_over: AtomicBool,
    saved: AtomicU64,
}

impl Work {
    /// Teaches a dog of its own and the common one in turn, until the work is over. A command that
    /// failed has saved nothing, because of the server or of another writer, and is repeated. A
    /// command with an unknown outcome is not.
    fn teach(&self, school: &DogSchool, own: &str) {
        let mut dogs = [own, DOGS[0]].into_iter().cycle().peekable();
        while !self.is_over.load(Ordering::SeqCst) {
            let Some(dog) = dogs.peek() else { return };
            match school.add_trick(dog, "sit") {
                Ok(()) => {
                    self.saved.fetch_add(1, Ordering::SeqCst);
                    dogs.next();
                }
                Err(error) => {
                    let kind = error.kind();
                    let is_known = matches!(kind, ErrorKind::Conflict | ErrorKind::Store);
                    assert!(is_known, "{error}");
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Waits until more events are saved and processed than now.
    fn goes_on(&self, database: &Database, after: &str) {
        let mut raw = database.connect();
        let mut position = || -> i64 {
            let sql = "SELECT max(notification_id) FROM counters_tracking WHERE application_name = 'DogSchool'";
            let row = raw.query_one(sql, &[]).expect("the server is there");
            row.get::<_, Option<i64>>(0).unwrap_or(0)
        };
        let saved = self.saved.load(Ordering::SeqCst);
        let processed = position();
        let since = Instant::now();
        while self.saved.load(Ordering::SeqCst) == saved || position() == processed {
            assert!(since.elapsed() < PATIENCE, "nothing goes on after {after}");
            std::thread::yield_now();
        }
    }
}

/// Cuts the connections of one kind, at least one.
fn cut(database: &Database, application: &str, kind: &str, which: &str) {
    let sql = format!(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = $1 AND datname = current_database() AND ({which})"
    );
    let mut raw = database.connect();
    let since = Instant::now();
    let mut cut = || -> i64 {
        let row = raw.query_one(&sql, &[&application]);
        row.expect("the server is there").get(0)
    };
    while cut() == 0 {
        assert!(
            since.elapsed() < PATIENCE,
            "{application} has no {kind} to be cut"
        );
        std::thread::yield_now();
    }
}

/// Cuts every kind of connection and restarts the server in every way, and waits each time until
/// work continues.
fn disturb(cluster: &Cluster, database: &Database, work: &Work) {
    work.goes_on(database, "the start");
    for _ in 0..2 * torture() {
        for application in ["DogSchool", "Counters"] {
            for (kind, which) in KINDS {
                // Nobody follows the counters.
                if (application, kind) != ("Counters", "listener") {
                    cut(database, application, kind, which);
                    work.goes_on(database, kind);
                }
            }
        }
        for (how, stop) in [
            ("a stop", Cluster::stop as fn(&Cluster)),
            ("a crash", Cluster::crash),
        ] {
            stop(cluster);
            cluster.resume();
            work.goes_on(database, how);
        }
    }
}

/// Ends the work when it is dropped, so that a failed assertion leaves no writer behind.
struct Over<'a>(&'a Work);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_system_outlives_its_connections_and_its_server_and_counts_exactly() -> Result<()> {
    let Some(cluster) = cluster() else {
        return Ok(());
    };
    let database = cluster.database();
    let env = zlib_and_aes(database.env());
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;
    DOGS.iter().try_for_each(|dog| school.register_dog(dog))?;
    let work = Work::default();
    std::thread::scope(|scope| {
        let _over = Over(&work);
        for own in &DOGS[1..] {
            scope.spawn(|| work.teach(&school, own));
        }
        disturb(&cluster, &database, &work);
    });

    runner.wait_until_idle(PATIENCE)?;
    let saved = work.saved.load(Ordering::SeqCst);
    assert_eq!(counters.get_count("sit")?, saved);
    let taught = DOGS.map(|dog| school.get_dog(dog).map(|dog| dog.tricks.len() as u64));
    let taught: Vec<u64> = taught.into_iter().collect::<Result<_>>()?;
    assert_eq!(taught.iter().sum::<u64>(), saved);
    let log = school.notification_log().select(1, usize::MAX)?;
    assert_eq!(log.len() as u64, saved + DOGS.len() as u64);
    assert!(log.is_sorted_by(|a, b| a.id < b.id));
    let is_running = |one: &FollowerStatus| matches!(one.condition, Condition::Running);
    let statuses = runner.status();
    assert!(statuses.iter().all(is_running), "{statuses:?}");
    runner.stop()
}
