//! Followers with several upstreams, and policies that use other applications: what fails holds up nothing else.

mod busy;
mod down;
mod foreign;
mod status;
mod wrapping;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use es_system::prelude::*;
use es_system::store::{Head, ProcessRecorder, StoreError};
use tempfile::TempDir;
use tests::domain::{Counters, Dog};
use tests::wrapped::{Around, Wrapping};
use tests::{PATIENCE, files};

/// The time within which a follower has found out that it must stop.
const SOON: Duration = Duration::from_secs(20);

#[application]
struct North;

#[application]
struct South;

/// A log that cannot be read while it is down, and the number of times that it was tried then.
#[derive(Default)]
struct Outage {
    is_down: AtomicBool,
    tries: AtomicU64,
}

impl Around for Outage {
    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        if !self.is_down.load(Ordering::SeqCst) {
            return recorder.head();
        }
        self.tries.fetch_add(1, Ordering::SeqCst);
        Err(StoreError::read_only("faulty", "a read"))
    }
}

/// Counters that follow two upstreams, each on a file of its own, of which the northern one can be down.
struct TwoUpstreams<R> {
    runner: R,
    outage: Arc<Outage>,
    _dir: TempDir,
}

impl<R: Runner> TwoUpstreams<R> {
    fn start() -> Result<Self> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outage = Arc::new(Outage::default());
        let env = files(dir.path()).with_store(Arc::new(Wrapping {
            application: "North",
            around: outage.clone(),
        }));
        let system = System::new(pipes![[North, Counters], [South, Counters]])?;
        let mut runner = R::new(&system, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        Ok(Self {
            runner,
            outage,
            _dir: dir,
        })
    }

    /// From now on the northern log cannot be read, though it has two new events.
    fn break_north(&self) -> Result<()> {
        self.outage.is_down.store(true, Ordering::SeqCst);
        self.runner.get::<North>()?.save(&mut taught("Billy"))?;
        Ok(())
    }

    /// Has events saved in the south, and each processed before the next, until `end`. Returns how many dogs were taught.
    fn use_south_until(&self, end: Instant, mut seen: impl FnMut(&R) -> Result<()>) -> Result<u64> {
        let (south, counters) = (self.runner.get::<South>()?, self.runner.get::<Counters>()?);
        let mut dogs = 0;
        while Instant::now() < end {
            dogs += 1;
            south.save(&mut taught(&dogs.to_string()))?;
            wait_until("the south is processed", || {
                Ok(counters.get_count("sit")? == dogs)
            })?;
            seen(&self.runner)?;
        }
        Ok(dogs)
    }

    /// Mends the northern log, whose events are processed then, too.
    fn mend_north(&self, dogs: u64) -> Result<()> {
        self.outage.is_down.store(false, Ordering::SeqCst);
        self.runner.wait_until_idle(PATIENCE)?;
        let counters = self.runner.get::<Counters>()?;
        assert_eq!(counters.get_count("sit")?, dogs + 1);
        assert_eq!(counters.position_in("North")?, Some(2));
        assert_eq!(counters.position_in("South")?, Some(2 * dogs));
        Ok(())
    }
}

/// A dog that can sit.
fn taught(name: &str) -> Dog {
    let mut dog = Dog::register(name);
    dog.add_trick("sit");
    dog
}

/// Looks again and again, with a pause that leaves the processor to others.
fn wait_until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !holds()? {
        assert!(started.elapsed() < PATIENCE, "it never happens: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
