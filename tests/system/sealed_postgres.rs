//! Compressed and encrypted states in the files of a PostgreSQL server.

use std::path::{Path, PathBuf};

use es_system::prelude::*;
use es_system::testing::postgres::{Database, cluster};
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool};

use crate::sealed::{HUSH, hush_of, zlib_and_aes};

/// Returns the folder of the server's data and its error log, which are all files that it writes.
fn raw(database: &Database) -> [PathBuf; 2] {
    let mut raw = database.connect();
    let row = raw.query_one("SELECT current_setting('data_directory')", &[]);
    let data = PathBuf::from(row.expect("a superuser is told").get::<_, String>(0));
    let log = data.parent().expect("a folder").join("log");
    [data, log]
}

/// Returns the number of times that [`HUSH`] is in a file, or in all files of a folder and its
/// subfolders. A file may disappear meanwhile.
fn hush_in_all(path: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::read(path).map_or(0, |bytes| hush_of(&bytes));
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| hush_in_all(&path)).sum()
}

#[test]
fn with_a_cipher_no_value_of_an_event_or_a_snapshot_is_in_the_servers_files() -> Result<()> {
    for is_sealed in [true, false] {
        let Some(cluster) = cluster() else {
            return Ok(());
        };
        let database = cluster.database();
        let env = if is_sealed {
            zlib_and_aes(database.env())
        } else {
            database.env()
        };
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = MultiThreadedRunner::new(&system, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog(HUSH)?;
        school.add_trick(HUSH, HUSH)?;
        school.take_snapshot::<Dog>(Dog::create_id(HUSH), None)?;
        runner.wait_until_idle(PATIENCE)?;
        // The server may write a refused row to its log.
        school.register_dog(HUSH).expect_err("it is registered");
        let mut server = database.connect();
        server.batch_execute("CHECKPOINT").expect("a superuser may");
        let snapshots = server.query("SELECT FROM dogschool_snapshots", &[]);
        assert_eq!(snapshots.expect("its table is there").len(), 1);
        let raw = raw(&database);
        assert!(raw.iter().all(|path| path.exists()), "{raw:?}");
        let found: usize = raw.iter().map(|path| hush_in_all(path)).sum();
        // The plain text is in events and their snapshot, in tables and in the write-ahead log.
        assert_eq!((found == 0, found >= 6), (is_sealed, !is_sealed), "{found}");
    }
    Ok(())
}
