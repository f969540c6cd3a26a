//! Reads of the stores of a runner, to see that they can be read.
//!
//! Concurrency: a store that is away may take its own time limits to fail, which are longer than a
//! probe may wait. So each read has a thread of its own, which nobody waits for longer than it
//! wants to. An application has one such thread at most: who asks while it reads gets its result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use es_core::__private::panic_message;
use es_store::sync::lock;

use crate::application::Application;
use crate::error::{Error, Result};
use crate::runner;

/// The reads of all applications of a network.
#[derive(Default)]
pub(super) struct StoreReads(OnceLock<Vec<Arc<StoreRead>>>);

/// The result of a read.
pub(super) enum Answer {
    /// The store was read. Each application that is followed, with the number of its events that
    /// are set aside.
    Read(Vec<SetAsideCount>),
    /// The store cannot be read.
    Failed(Error),
    /// The store has not answered for this time.
    Silent(Duration),
}

/// The number of events of an application that a follower has set aside.
#[derive(Debug, Clone)]
pub(super) struct SetAsideCount {
    pub(super) upstream: String,
    pub(super) count: u64,
}

struct StoreRead {
    application: Application,
    /// The applications that it follows.
    upstreams: Vec<String>,
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Default)]
struct State {
    /// The moment at which the present read began, if there is one.
    began: Option<Instant>,
    /// The number of reads that are finished.
    finished: u64,
    /// The result of the last one.
    last: Option<Result<Vec<SetAsideCount>>>,
}

impl StoreReads {
    /// Reads all stores at the same time, and waits for at most `limit`. Returns the name of each
    /// application and its answer. `applications` returns them with those that they follow.
    pub(super) fn ask(
        &self,
        applications: impl FnOnce() -> Vec<(Application, Vec<String>)>,
        limit: Duration,
    ) -> Vec<(String, Answer)> {
        let new = || applications().into_iter().map(StoreRead::new).collect();
        let reads = self.0.get_or_init(new);
        let begun: Vec<_> = reads.iter().map(|read| (read, read.begin())).collect();
        let deadline = runner::deadline(limit);
        let answer = |(read, before): (&Arc<StoreRead>, u64)| {
            let name = read.application.name().to_owned();
            (name, read.wait(before, deadline))
        };
        begun.into_iter().map(answer).collect()
    }
}

impl StoreRead {
    fn new((application, upstreams): (Application, Vec<String>)) -> Arc<Self> {
        Arc::new(Self {
            application,
            upstreams,
            state: Mutex::default(),
            finished: Condvar::new(),
        })
    }

    /// Begins to read, unless a read is on its way. Returns the number of reads that were finished
    /// before.
    fn begin(self: &Arc<Self>) -> u64 {
        let mut state = lock(&self.state);
        let before = state.finished;
        if state.began.is_some() {
            return before;
        }
        state.began = Some(Instant::now());
        drop(state);
        let this = self.clone();
        let name = format!("health {}", self.application.name());
        let spawned = thread::Builder::new()
            .name(name)
            .spawn(move || this.finish(this.read()));
        if let Err(error) = spawned {
            let problem = format!("no thread can be started for it: {error}");
            self.finish(Err(Error::configuration(self.application.name(), problem)));
        }
        before
    }

    fn read(&self) -> Result<Vec<SetAsideCount>> {
        let read = || {
            self.application.head()?;
            let count = |upstream: &String| {
                let followed = self.application.followed(upstream)?;
                Ok(SetAsideCount {
                    upstream: upstream.clone(),
                    count: followed.waiting.count,
                })
            };
            self.upstreams.iter().map(count).collect()
        };
        // Without a result nobody would ever read again.
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
            Err(Error::Defect {
                application: self.application.name().to_owned(),
                message: panic_message(panic),
            })
        })
    }

    fn finish(&self, result: Result<Vec<SetAsideCount>>) {
        let mut state = lock(&self.state);
        state.began = None;
        state.finished += 1;
        state.last = Some(result);
        drop(state);
        self.finished.notify_all();
    }

    /// Waits until more reads are finished than `before`.
    fn wait(&self, before: u64, deadline: Instant) -> Answer {
        let left = deadline.saturating_duration_since(Instant::now());
        let reads = |state: &mut State| state.finished == before;
        let waited = self
            .finished
            .wait_timeout_while(lock(&self.state), left, reads);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.finished == before {
            let silent = state.began.map(|began| began.elapsed());
            return Answer::Silent(silent.unwrap_or_default());
        }
        match &state.last {
            Some(Ok(counts)) => Answer::Read(counts.clone()),
            Some(Err(error)) => Answer::Failed(error.clone()),
            None => Answer::Read(Vec::new()),
        }
    }
}
