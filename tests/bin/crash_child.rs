//! A process that the crash tests start and kill.
//!
//! `writer DIR COUNT` teaches COUNT tricks. `aloud DIR COUNT` also acknowledges each of them.
//! `bare DIR SYNCHRONOUS COUNT` writes such events without the library, with this flush setting of
//! SQLite, and acknowledges each. `starts NAME` waits for a line, opens a school and its counters
//! in its environment, teaches a dog of this name, and counts. `follower DIR` follows until it is
//! killed. `dies DIR POINT N` follows, and dies when it reaches the point for the n-th time; the
//! points are head, page, policy, before-record and after-record. `replays DIR POINT N` is a
//! program whose added policy replays. When it reaches such a point, or the n-th policy, or has
//! something to record, it prints `there` and waits to be killed. If there is nothing to record it
//! prints `done` and ends. `projection DIR` keeps a table up
//! to date until it is killed, and `rebuild DIR` rebuilds it. `library DIR` writes books until it
//! is killed, and `librarian DIR NAME COUNT` gives it work and changes its aggregates by commands.
//! `retries DIR KIND POINT N` keeps a ledger whose policies fail now and then, prints `there` when
//! it reaches the point for the n-th time, and `retries-list DIR KIND` retries what is set aside
//! when it is told to; both are described in [`retries`].

#[path = "crash_child/retries.rs"]
mod retries;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use es_system::prelude::*;
use es_system::store::{
    Head, ProcessRecorder, Recorded, Recording, Role, StoreError, StoreFactory,
};
use tests::domain::{Counters, DogSchool};
use tests::library::Library;
use tests::mirror::{self, Mirror};
use tests::programs::{North, replays};
use tests::table::TrickTable;
use tests::wrapped::{self, Around, Wrapping};
use tests::{files, settings, teach};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["writer", dir, count] => write(dir, number(count)),
        ["aloud", dir, count] => write_aloud(dir, number(count)),
        ["bare", dir, synchronous, count] => write_bare(dir, synchronous, number(count)),
        ["starts", name] => start_when_told(name),
        ["follower", dir] => follow(files(dir.as_ref())),
        ["projection", dir] => keep_table(settings(dir.as_ref())),
        ["rebuild", dir] => rebuild(settings(dir.as_ref())),
        ["library", dir] => keep_library(settings(dir.as_ref())),
        ["librarian", dir, name, count] => command(settings(dir.as_ref()), name, number(count)),
        ["replays", dir, point, n] => replay(settings(dir.as_ref()), point, number(n)),
        ["retries", dir, kind, point, n] => retries::keep(dir.as_ref(), kind, point, number(n)),
        ["retries-list", dir, kind] => retries::retry_list(dir.as_ref(), kind),
        ["dies", dir, point, n] => die(dir, point, number(n)),
        _ => panic!("unknown arguments {args:?}"),
    };
    outcome.expect("the child does what it is told to");
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn write(dir: &str, count: u64) -> Result<()> {
    let school = DogSchool::new(settings(dir.as_ref()))?;
    (0..count).try_for_each(|_| teach(&school, "Common"))
}

/// Each acknowledgement is one line, written by one system call.
fn write_aloud(dir: &str, count: u64) -> Result<()> {
    let school = DogSchool::new(files(dir.as_ref()))?;
    for number in 1..=count {
        teach(&school, "Common")?;
        println!("saved {number}");
    }
    Ok(())
}

fn write_bare(dir: &str, synchronous: &str, count: u64) -> Result<()> {
    let file = Path::new(dir).join("DogSchool.sqlite");
    let connection = rusqlite::Connection::open(file).expect("the file is there");
    connection
        .pragma_update(None, "synchronous", synchronous)
        .expect("a setting");
    let insert = "INSERT INTO stored_events (originator_id, originator_version, topic, state) \
                  VALUES ('bare', ?1, 'dogschool:Dog.TrickAdded', '{}')";
    for number in 1..=count {
        connection
            .execute(insert, [number.cast_signed()])
            .expect("written");
        println!("saved {number}");
    }
    Ok(())
}

fn start_when_told(name: &str) -> Result<()> {
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("it is told");
    let env = Env::from_process();
    let mut runner = SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog(name)?;
    school.add_trick(name, "sit")?;
    println!("taught");
    Ok(())
}

/// Follows until the process is killed.
fn follow(env: Env) -> Result<()> {
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Mirror]])?, env)?;
    runner.start()?;
    loop {
        runner.watch_for_errors(tests::PATIENCE)?;
    }
}

/// Keeps the table up to date until the process is killed.
fn keep_table(env: Env) -> Result<()> {
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, TrickTable]])?, env)?;
    runner.start()?;
    loop {
        runner.watch_for_errors(tests::PATIENCE)?;
    }
}

fn keep_library(env: Env) -> Result<()> {
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Library]])?, env)?;
    runner.start()?;
    loop {
        runner.watch_for_errors(tests::PATIENCE)?;
    }
}

/// Each trick is taught after its rate was set, and the policy sees at least that rate.
fn command(env: Env, name: &str, count: u64) -> Result<()> {
    let (school, library) = (DogSchool::new(env.clone())?, Library::new(env)?);
    for number in 1..=count {
        library.set_rate(name, number)?;
        library.add_line("red", &format!("{name} {number}"))?;
        let trick = format!("{name} {number}");
        school.retry(|| school.add_trick("Common", &trick))?;
    }
    Ok(())
}

fn rebuild(env: Env) -> Result<()> {
    let system = System::new(pipes![[DogSchool, TrickTable]])?;
    SingleThreadedRunner::new(&system, env)?.rebuild::<TrickTable>(|_| {})
}

fn die(dir: &str, point: &str, n: u64) -> Result<()> {
    LEFT.store(n, Ordering::SeqCst);
    let around = Arc::new(Dying {
        point: point.to_owned(),
    });
    if point == "policy" {
        mirror::hook_everywhere(|_| count_down());
    }
    // The page and the head are read from the school's recorder; all other calls go to the
    // mirror's.
    let application = if matches!(point, "head" | "page") {
        "DogSchool"
    } else {
        "Mirror"
    };
    follow(files(dir.as_ref()).with_store(Arc::new(Wrapping {
        application,
        around,
    })))
}

static LEFT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Aborts the process when the point is reached for the n-th time.
fn count_down() {
    if LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
        std::process::abort();
    }
}

struct Dying {
    point: String,
}

impl Around for Dying {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        if self.point == "before-record" {
            count_down();
        }
        let recorded = recorder.record(recording)?;
        if self.point == "after-record" {
            count_down();
        }
        Ok(recorded)
    }

    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        if self.point == "head" {
            count_down();
        }
        recorder.head()
    }

    fn before_select_notifications(&self) {
        if self.point == "page" {
            count_down();
        }
    }
}

/// Replays, and halts at the point.
fn replay(env: Env, point: &str, n: u64) -> Result<()> {
    if point == "policy" {
        LEFT.store(n, Ordering::SeqCst);
        mirror::hook_everywhere(|_| {
            if LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
                halt();
            }
        });
    }
    let env = env.with_store(Arc::new(Halting(point.to_owned())));
    let system = System::new(pipes![[North, replays::Second]])?;
    let mut runner = MultiThreadedRunner::new(&system, env)?;
    runner.start()?;
    runner.wait_until_idle(tests::PATIENCE)?;
    if HAS_RECORDED.load(Ordering::SeqCst) {
        halt();
    }
    println!("done");
    Ok(())
}

/// True as soon as a replay records something. Its thread halts afterwards.
static HAS_RECORDED: AtomicBool = AtomicBool::new(false);

/// Tells whoever started this process, and does nothing more.
fn halt() {
    println!("there");
    loop {
        std::thread::park();
    }
}

/// Stores of which one halts at a point.
struct Halting(String);

impl StoreFactory for Halting {
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
        let recorder = wrapped::open(application, role, env)?;
        let point = self.0.clone();
        Ok(match application {
            "North" => wrapped::wrap(recorder, Arc::new(HaltingUpstream { point })),
            _ => wrapped::wrap(recorder, Arc::new(HaltingFollower { point })),
        })
    }
}

struct HaltingUpstream {
    point: String,
}

impl Around for HaltingUpstream {
    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        if self.point == "head" {
            halt();
        }
        recorder.head()
    }

    fn before_select_notifications(&self) {
        if self.point == "page" {
            halt();
        }
    }
}

struct HaltingFollower {
    point: String,
}

impl Around for HaltingFollower {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        if self.point != "after-record" {
            halt();
        }
        HAS_RECORDED.store(true, Ordering::SeqCst);
        let recorded = recorder.record(recording)?;
        halt();
        Ok(recorded)
    }
}
