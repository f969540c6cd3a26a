//! Followers that are killed while others write.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Instant;

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool};
use tests::mirror::Mirror;
use tests::{PATIENCE, files, teach, torture};

/// The signal of a process that aborts.
const SIGABRT: i32 = 6;

/// A child process, killed when it is dropped.
pub(crate) struct Killed {
    child: Child,
    /// The lines that it prints, if they are read.
    output: Option<BufReader<ChildStdout>>,
}

impl Killed {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_child"));
        let child = command.args(args).spawn().expect("the child starts");
        let output = None;
        Self { child, output }
    }

    /// Starts a child whose lines are read by [`line`](Self::line).
    pub(crate) fn start_heard(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_child"));
        let started = command.args(args).stdout(Stdio::piped()).spawn();
        let mut child = started.expect("the child starts");
        let output = child.stdout.take().map(BufReader::new);
        Self { child, output }
    }

    /// Returns the next line that the child prints, or an empty one when it has ended.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let output = self.output.as_mut().expect("it is heard");
        output.read_line(&mut line).expect("it can be read");
        line.trim_end_matches('\n').to_owned()
    }

    /// Sends SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Returns true if it still runs. A process that has ended by itself has failed.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn in_dir(dir: &Path) -> &str {
    dir.to_str().expect("text")
}

/// Returns a school where everybody can be taught.
fn school(dir: &Path) -> Result<DogSchool> {
    let school = DogSchool::new(files(dir))?;
    school.register_dog("Common")?;
    Ok(school)
}

fn wait_for_position(mirror: &Mirror, position: u64) -> Result<()> {
    let started = Instant::now();
    while mirror.position_in("DogSchool")?.unwrap_or(0) < position {
        assert!(
            started.elapsed() < PATIENCE,
            "position {position} is not reached"
        );
        std::thread::yield_now();
    }
    Ok(())
}

/// Returns the positions of all tricks in the school's log.
fn tricks(school: &DogSchool) -> Result<Vec<u64>> {
    let log = school.notification_log().select(1, usize::MAX)?;
    Ok(log
        .iter()
        .filter(|event| event.topic.ends_with("TrickAdded"))
        .map(|event| event.id)
        .collect())
}

/// Lets a follower finish, and checks that it has processed every event once and in order.
fn finishes_exactly_once(dir: &Path, school: &DogSchool, expected: u64) -> Result<()> {
    let mut runner =
        MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Mirror]])?, files(dir))?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    let tricks = tricks(school)?;
    assert_eq!(
        tricks.len() as u64,
        expected,
        "no save is lost, none is doubled"
    );
    assert_eq!(
        runner.get::<Mirror>()?.processed()?,
        tricks,
        "every event once, in order"
    );
    runner.stop()
}

#[test]
fn two_threads_and_two_processes_write_while_the_follower_is_killed_twice() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let each = 150 * torture() as u64;
    let school = school(dir.path())?;
    let mirror = Mirror::new(files(dir.path()))?;
    let count = each.to_string();
    let mut writers: Vec<_> = (0..2)
        .map(|_| Killed::start(&["writer", in_dir(dir.path()), &count]))
        .collect();
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..each).try_for_each(|_| teach(&school, "Common"))))
            .collect();
        for third in 1..=2 {
            let mut follower = Killed::start(&["follower", in_dir(dir.path())]);
            wait_for_position(&mirror, each * 4 * third / 3)?;
            follower.kill();
        }
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    writers
        .iter_mut()
        .for_each(|writer| assert!(writer.wait().success()));
    assert_eq!(school.get_dog("Common")?.version(), 1 + 4 * each);
    finishes_exactly_once(dir.path(), &school, 4 * each)
}

#[test]
fn two_live_instances_of_one_follower_process_each_event_once() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let all = 300 * torture() as u64;
    let school = school(dir.path())?;
    let mirror = Mirror::new(files(dir.path()))?;
    let mut instances = [0, 1].map(|_| Killed::start(&["follower", in_dir(dir.path())]));
    (0..all).try_for_each(|_| teach(&school, "Common"))?;
    wait_for_position(&mirror, all + 1)?;
    assert!(instances.iter_mut().all(Killed::is_running), "none gave up");
    finishes_exactly_once(dir.path(), &school, all)
}

#[test]
fn a_follower_may_die_at_every_step() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = school(dir.path())?;
    let mut all = 0;
    for point in ["head", "page", "policy", "before-record", "after-record"] {
        for n in 1..=2 * torture() as u64 {
            let mut dying = Killed::start(&["dies", in_dir(dir.path()), point, &n.to_string()]);
            while dying.is_running() {
                teach(&school, "Common")?;
                all += 1;
            }
            assert_eq!(
                dying.wait().signal(),
                Some(SIGABRT),
                "it has died at {point}"
            );
        }
    }
    assert!(school.contains(Dog::create_id("Common"))?);
    finishes_exactly_once(dir.path(), &school, all)
}
