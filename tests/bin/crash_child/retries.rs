//! Ledgers whose policies fail now and then, in processes that are killed at a point.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use es_system::operating::Operate;
use es_system::prelude::*;
use es_system::store::{
    Access, End, ProcessRecorder, Recorded, Recording, SetAsideChange, StoreError,
};
use tests::ledger::{Ledger, LedgerTable, OFTEN, Poison, Writer};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, settings};

/// Keeps a ledger until the process is killed. It halts when it has reached the point for the n-th
/// time.
pub(super) fn keep(dir: &Path, kind: &str, point: &str, n: u64) -> Result<()> {
    match kind {
        "process" => keep_ledger::<Ledger>(dir, point, n),
        _ => keep_ledger::<LedgerTable>(dir, point, n),
    }
}

fn keep_ledger<W: Writer>(dir: &Path, point: &str, n: u64) -> Result<()> {
    LEFT.store(n, Ordering::SeqCst);
    let point = point.to_owned();
    let around = Arc::new(Halting {
        point: point.clone(),
    });
    let application = "Ledger";
    let env = settings(dir).with("LEDGER_ON_ERROR", OFTEN);
    let env = env.with_store(Arc::new(Wrapping {
        application,
        around,
    }));
    let tasted = AtomicU64::new(n);
    let poison = Poison::tasted_by(move |trick| {
        if tasted.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) {
            return Err(Error::Usage(format!("{trick} fails now and then")));
        }
        if point == "policy" {
            halt_at_last();
        }
        Ok(())
    });
    let mut runner = MultiThreadedRunner::new(&W::system(&poison)?, env)?;
    runner.start()?;
    loop {
        runner.watch_for_errors(PATIENCE)?;
    }
}

static LEFT: AtomicU64 = AtomicU64::new(u64::MAX);

fn is_last() -> bool {
    LEFT.fetch_sub(1, Ordering::SeqCst) == 1
}

/// Tells whoever started this process that the point is reached.
fn tell() {
    println!("there");
    let _nobody_hears = std::io::stdout().flush();
}

/// Tells it, and does nothing more, if the point is reached for the n-th time.
fn halt_at_last() {
    if is_last() {
        tell();
        loop {
            std::thread::park();
        }
    }
}

struct Halting {
    point: String,
}

impl Halting {
    /// Runs `work`, which writes, and halts in front of it or behind it, or tells that it begins.
    fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        match &*self.point {
            "before" => halt_at_last(),
            "during" if is_last() => tell(),
            _ => {}
        }
        let done = work();
        if self.point == "after" {
            halt_at_last();
        }
        done
    }
}

impl Around for Halting {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let is_done = |change: &SetAsideChange| matches!(change, SetAsideChange::Done { .. });
        let is_put = |change: &SetAsideChange| matches!(change, SetAsideChange::Put { .. });
        let changes = &recording.set_aside;
        match &*self.point {
            "split-retry" if changes.iter().any(is_done) => {
                let mut effects = recording.clone();
                effects.set_aside.clear();
                recorder.record(&effects)?;
                halt_at_last();
                let mut removal = recording.clone();
                removal.events.clear();
                recorder.record(&removal)
            }
            "split-move" if changes.iter().any(is_put) => {
                let mut moved = recording.clone();
                moved.set_aside.clear();
                let recorded = recorder.record(&moved)?;
                halt_at_last();
                Ok(recorded)
            }
            _ if changes.is_empty() => recorder.record(recording),
            _ => self.around(|| recorder.record(recording)),
        }
    }

    fn transact(
        &self,
        recorder: &dyn ProcessRecorder,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        if access == Access::Read {
            return recorder.transact(access, work);
        }
        self.around(|| recorder.transact(access, work))
    }
}

/// Retries all that is set aside, together with other processes: when the file `go` is there.
pub(super) fn retry_list(dir: &Path, kind: &str) -> Result<()> {
    match kind {
        "process" => retry_all::<Ledger>(dir),
        _ => retry_all::<LedgerTable>(dir),
    }
}

fn retry_all<W: Writer>(dir: &Path) -> Result<()> {
    // The time of a policy that asks somebody else.
    let poison = Poison::tasted_by(|_| {
        std::thread::sleep(Duration::from_micros(500));
        Ok(())
    });
    let runner = SingleThreadedRunner::new(&W::system(&poison)?, settings(dir))?;
    println!("ready");
    let started = Instant::now();
    while !dir.join("go").exists() {
        assert!(started.elapsed() < PATIENCE, "nobody tells it to begin");
        std::thread::yield_now();
    }
    let retried = runner.retry::<W>("DogSchool", None)?;
    assert!(retried.failed.is_empty(), "{:?}", retried.failed);
    println!("{}", retried.done);
    Ok(())
}
