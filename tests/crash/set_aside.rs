//! Followers that are killed while they set events aside and retry them, and processes that retry
//! one list at once: each event is written down once, those of a dog in their order.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use es_system::operating::Operate;
use es_system::prelude::*;
use es_system::store::{ProcessRecorder, Recorded, Recording, StoreError};
use tests::ledger::{ALWAYS, Ledger, LedgerTable, OFTEN, Poison, Writer, of, teach};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files, settings, shared, torture};

use crate::kills::{Killed, in_dir};
use crate::projections::{SIGKILL, stores};

/// The points at which a process is killed: at the end of a policy, and in front of, during and
/// behind a transaction that writes.
const POINTS: [&str; 4] = ["policy", "during", "before", "after"];

const DOGS: [&str; 3] = ["A", "B", "C"];

/// Records so many tricks of each dog in turn, behind those with the numbers up to `from`.
fn teach_each(env: &Env, from: usize, count: usize) -> Result<()> {
    let numbers = from + 1..=from + count;
    let tricks = numbers.flat_map(|number| DOGS.map(|dog| format!("{dog}{number}")));
    let tricks: Vec<_> = tricks.collect();
    let tricks: Vec<_> = tricks.iter().map(String::as_str).collect();
    teach(env, &tricks)
}

/// Starts a process that keeps a ledger, and kills it when it has reached the point for the n-th
/// time, and some time after that.
fn kill_in(dir: &str, [kind, point, what]: [&str; 3], n: u64, after: Duration) -> Result<()> {
    let mut child = Killed::start_heard(&["retries", dir, kind, point, &n.to_string()]);
    assert_eq!(child.line(), "there", "{what}");
    let told = Instant::now();
    while told.elapsed() < after {
        std::hint::spin_loop();
    }
    child.kill();
    assert_eq!(child.wait().signal(), Some(SIGKILL), "it was at work");
    Ok(())
}

/// Lets a ledger finish, whose policies fail now and then. Returns what it has written.
fn finish<W: Writer>(env: &Env) -> Result<Vec<String>> {
    let tasted = AtomicU64::new(0);
    let poison = Poison::tasted_by(move |trick| {
        let nth = tasted.fetch_add(1, Ordering::SeqCst);
        match nth % 3 {
            0 => Err(Error::Usage(format!("{trick} fails now and then"))),
            _ => Ok(()),
        }
    });
    let env = env.clone().with("LEDGER_ON_ERROR", OFTEN);
    let mut runner = MultiThreadedRunner::new(&W::system(&poison)?, env)?;
    runner.start()?;
    let ledger = runner.get::<W>()?;
    let started = Instant::now();
    loop {
        runner.wait_until_idle(PATIENCE)?;
        if ledger.waiting()?.is_empty() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{:?}", ledger.waiting()?);
    }
    let written = ledger.written()?;
    runner.stop()?;
    Ok(written)
}

fn is_exact(written: &[String], count: usize) -> bool {
    DOGS.iter().all(|dog| {
        let expected = (1..=count).map(|number| format!("{dog}{number}"));
        of(dog, written).into_iter().eq(expected)
    })
}

/// Kills a ledger again and again, each time at another point.
fn is_exact_with_kills<W: Writer>(kind: &str) -> Result<()> {
    for place in stores() {
        let dir = shared(&place);
        let env = settings(dir.path());
        let kills = 5 * torture();
        for nth in 0..kills {
            teach_each(&env, 4 * nth, 4)?;
            let point = POINTS[nth % POINTS.len()];
            let after = match point {
                "during" => Duration::from_micros(nth as u64 * 130 % 3_000),
                _ => Duration::ZERO,
            };
            let n = 1 + nth as u64 * 7 % 5;
            kill_in(in_dir(dir.path()), [kind, point, place.name], n, after)?;
        }
        let written = finish::<W>(&env)?;
        assert!(
            is_exact(&written, 4 * kills),
            "{}, {kind}: {written:?}",
            place.name
        );
    }
    Ok(())
}

#[test]
fn a_process_application_that_is_killed_while_it_retries_and_sets_aside_is_exact() -> Result<()> {
    is_exact_with_kills::<Ledger>("process")
}

#[test]
fn a_projection_that_is_killed_while_it_retries_and_sets_aside_is_exact() -> Result<()> {
    is_exact_with_kills::<LedgerTable>("projection")
}

/// Returns what is written after a kill at the point, by a program that records in two parts.
fn written_in_two_parts(point: &str) -> Result<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for place in stores() {
        let dir = shared(&place);
        let env = settings(dir.path());
        teach_each(&env, 0, 4)?;
        kill_in(
            in_dir(dir.path()),
            ["process", point, place.name],
            1,
            Duration::ZERO,
        )?;
        all.push(finish::<Ledger>(&env)?);
    }
    Ok(all)
}

#[test]
fn the_control_that_removes_an_event_after_its_effects_doubles_it() -> Result<()> {
    for written in written_in_two_parts("split-retry")? {
        let all = written.len();
        assert!(all > 12, "the control must fail: {written:?}");
    }
    Ok(())
}

#[test]
fn the_control_that_moves_on_before_it_sets_an_event_aside_loses_it() -> Result<()> {
    for written in written_in_two_parts("split-move")? {
        let all = written.len();
        assert!(all < 12, "the control must fail: {written:?}");
    }
    Ok(())
}

/// Sets all tricks aside: one of each dog has failed, and the others wait behind it.
fn set_all_aside<W: Writer>(env: &Env) -> Result<()> {
    let poison = Poison::default();
    for dog in DOGS {
        poison.set(&format!("{dog}1"), ALWAYS);
    }
    let env = env.clone().with("LEDGER_ON_ERROR", "set_aside");
    let mut runner = MultiThreadedRunner::new(&W::system(&poison)?, env)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert!(runner.get::<W>()?.written()?.is_empty());
    runner.stop()
}

fn three_processes_retry<W: Writer>(kind: &str) -> Result<()> {
    /// The tricks of the dog that has more than the others.
    const MANY: usize = 160;
    for place in stores() {
        let dir = shared(&place);
        let env = settings(dir.path());
        teach_each(&env, 0, 20)?;
        let more: Vec<_> = (21..=MANY).map(|number| format!("A{number}")).collect();
        teach(&env, &more.iter().map(String::as_str).collect::<Vec<_>>())?;
        set_all_aside::<W>(&env)?;
        let start = || Killed::start_heard(&["retries-list", in_dir(dir.path()), kind]);
        let mut processes = [start(), start(), start()];
        for process in &mut processes {
            assert_eq!(process.line(), "ready");
        }
        std::fs::write(dir.path().join("go"), "").expect("the folder can be written");
        let mut done = Vec::new();
        for process in &mut processes {
            let line = process.line();
            let number: usize = line.parse().unwrap_or_else(|_| {
                panic!("{}, {kind}: a process has failed: {line}", place.name);
            });
            done.push(number);
            assert!(process.wait().success());
        }
        assert_eq!(done.iter().sum::<usize>(), MANY + 40, "{done:?}");
        let ledger = SingleThreadedRunner::new(&W::system(&Poison::default())?, env)?;
        let ledger = ledger.get::<W>()?;
        assert!(ledger.waiting()?.is_empty());
        let written = ledger.written()?;
        for (dog, count) in DOGS.into_iter().zip([MANY, 20, 20]) {
            let expected = (1..=count).map(|number| format!("{dog}{number}"));
            let expected: Vec<_> = expected.collect();
            assert_eq!(of(dog, &written), expected, "{}, {kind}", place.name);
        }
    }
    Ok(())
}

#[test]
fn three_processes_retry_one_list_of_a_process_application_at_once() -> Result<()> {
    three_processes_retry::<Ledger>("process")
}

#[test]
fn three_processes_retry_one_list_of_a_projection_at_once() -> Result<()> {
    three_processes_retry::<LedgerTable>("projection")
}

/// The unchanged recorder.
struct Fenced;

impl Around for Fenced {}

/// The control: the removal of a row need not find it.
struct Unfenced;

impl Around for Unfenced {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        match recorder.record(recording) {
            Err(StoreError::SetAsideChanged { .. }) => {
                let mut effects = recording.clone();
                effects.set_aside.clear();
                recorder.record(&effects)
            }
            done => done,
        }
    }
}

/// Returns what is written when a retry commits that was begun before another program has retried
/// everything.
fn written_by_two<A: Around>(around: A) -> Result<Vec<String>> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    teach_each(&env, 0, 2)?;
    set_all_aside::<Ledger>(&env)?;
    let (holds, held) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let wrapping = Wrapping {
        application: "Ledger",
        around: Arc::new(around),
    };
    let late = env.clone().with_store(Arc::new(wrapping));
    let late = std::thread::spawn(move || -> Result<u64> {
        let (holds, may_go_on) = (
            std::sync::Mutex::new(holds),
            std::sync::Mutex::new(may_go_on),
        );
        let poison = Poison::tasted_by(move |trick| {
            if trick == "A1" && holds.lock().expect("no panic").send(()).is_ok() {
                let word = may_go_on.lock().expect("no panic");
                let _the_test_may_have_ended = word.recv_timeout(PATIENCE);
            }
            Ok(())
        });
        let runner = SingleThreadedRunner::new(&Ledger::system(&poison)?, late)?;
        Ok(runner.retry::<Ledger>("DogSchool", None)?.done)
    });
    held.recv_timeout(PATIENCE)
        .expect("it holds the first event");
    let runner = SingleThreadedRunner::new(&Ledger::system(&Poison::default())?, env)?;
    assert_eq!(runner.retry::<Ledger>("DogSchool", None)?.done, 6);
    drop((go_on, held));
    late.join().expect("no panic")?;
    runner.get::<Ledger>()?.written()
}

#[test]
fn of_two_retries_of_one_event_one_commits() -> Result<()> {
    let written = written_by_two(Fenced)?;
    assert!(is_exact(&written, 2), "{written:?}");
    Ok(())
}

#[test]
fn the_control_that_need_not_find_the_row_doubles_the_event() -> Result<()> {
    let written = written_by_two(Unfenced)?;
    let first = written.iter().filter(|trick| *trick == "A1");
    assert_eq!(first.count(), 2, "the control must fail: {written:?}");
    Ok(())
}
