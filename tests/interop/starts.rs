//! Processes of both sides that start on an empty database at the same moment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use es_system::prelude::*;
use serde_json::json;
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, torture};

use crate::peer::Peer;
use crate::shared::{Sealing, Shared, Store};

const OF_EACH: usize = 4;

/// A process of this library, ended when it is dropped.
struct Ours {
    process: Child,
    hear: BufReader<ChildStdout>,
}

impl Ours {
    /// Starts a process that waits for the command to begin.
    fn start(shared: &Shared, name: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_crash_child"))
            .args(["starts", name])
            .envs(shared.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let hear = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut ours = Self { process, hear };
        assert_eq!(ours.line(), "ready\n");
        ours
    }

    fn begin(&mut self) {
        let tell = self.process.stdin.as_mut().expect("it is piped");
        writeln!(tell, "begin").expect("it listens");
    }

    /// Returns the next line of its output, or an empty text if it has ended.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.hear.read_line(&mut line).expect("text");
        line
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `ES_TORTURE` multiplies the number of rounds.
pub fn processes_of_both_start_on_an_empty_database_at_the_same_moment(store: Store) -> Result<()> {
    (0..2 * torture()).try_for_each(|_| start_at_the_same_moment(store))
}

fn start_at_the_same_moment(store: Store) -> Result<()> {
    let Some(shared) = Shared::new(store, Sealing::Plain) else {
        return Ok(());
    };
    let name = |side: &str| (0..OF_EACH).map(|n| format!("{side} {n}")).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = (name("ours"), name("theirs"));
    let peers: Option<Vec<_>> = theirs.iter().map(|_| shared.python()).collect();
    let Some(mut python) = peers else {
        return Ok(());
    };
    // The time that a process takes to load is not part of the test.
    python
        .iter_mut()
        .for_each(|peer| drop(peer.ask(json!(["stop"]))));
    let mut rust: Vec<_> = ours.iter().map(|name| Ours::start(&shared, name)).collect();
    for (rust, python) in rust.iter_mut().zip(&mut python) {
        rust.begin();
        python.begin(&json!(["open"]));
    }
    for (peer, name) in python.iter_mut().zip(&theirs) {
        open_in_the_end(peer);
        peer.ask(json!(["register", name]));
        peer.ask(json!(["add_trick", name, "sit"]));
    }
    for (rust, name) in rust.iter_mut().zip(&ours) {
        assert_eq!(rust.line(), "taught\n", "{name} has failed");
        assert!(rust.process.wait().expect("its end").success(), "{name}");
    }
    is_all_there(&shared, &[ours, theirs].concat())
}

/// Opens the Python application, and tries again if it fails. The Python library creates its tables
/// and its first row as if no other process did so at the same time.
fn open_in_the_end(peer: &mut Peer) {
    let open = json!(["open"]);
    let mut outcome = peer.outcome(&open);
    for _ in 0..10 {
        match outcome {
            Ok(_) => return,
            Err(error) => {
                let is_of_creating = [
                    "CREATE",
                    "already exists",
                    "duplicate key",
                    "concurrently",
                    "deadlock",
                    "__migration__",
                    "locked",
                ];
                assert!(
                    is_of_creating.iter().any(|part| error.contains(part)),
                    "{error}"
                );
                eprintln!("Python starts again: {error}");
            }
        }
        peer.begin(&open);
        outcome = peer.outcome(&open);
    }
    panic!("Python cannot start: {outcome:?}");
}

fn is_all_there(shared: &Shared, names: &[String]) -> Result<()> {
    let runner: SingleThreadedRunner = shared.rust()?;
    runner.wait_until_idle(PATIENCE)?;
    let school = runner.get::<DogSchool>()?;
    for name in names {
        let dog: Dog = school.get_dog(name)?;
        assert_eq!(
            (dog.version(), &dog.tricks[..]),
            (2, &["sit".to_owned()][..]),
            "{name}"
        );
    }
    let log = school.notification_log().select(1, usize::MAX)?;
    assert_eq!(log.len(), 2 * names.len());
    assert_eq!(
        runner.get::<Counters>()?.get_count("sit")?,
        names.len() as u64
    );
    let mut python = shared.python().expect("it was there before");
    python.ask(json!(["open"]));
    assert_eq!(python.count("sit"), names.len() as u64);
    Ok(())
}
