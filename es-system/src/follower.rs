//! One follower at work: pull a page, run the policies, record what came of it with the position.
//!
//! Exactly once. A batch starts at the position that is *recorded*, never at one that a process remembers. Its new
//! events and the move of the position are one transaction, which takes place only if the recorded position is still
//! the one that the batch started at. So of two instances that processed the same events, in this process or
//! another, one commits and the other drops its batch; and an instance that dies leaves either both or neither.
//!
//! The head of the upstream is read *before* the page. A page that is not full holds everything up to that head, so
//! the position may move to it, past events that no policy wants. A head that was read after the page could
//! be above an event that was committed in between, and the event would be skipped.

mod failure;
mod positions;
mod processing;
mod projecting;
mod rebuild;
mod refusals;
pub(crate) mod status;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use es_store::Head;

use crate::application::Application;
use crate::error::Result;
use crate::follower::status::StatusCell;
use crate::policy::work::Work;

pub(crate) use failure::Failure;
use refusals::Refusals;

/// An application with the policies by which it follows others.
pub(crate) struct Follower {
    pub(crate) application: Application,
    pub(crate) upstreams: Vec<Application>,
    pub(crate) status: StatusCell,
    work: Work,
    /// The filter with which upstreams are read; `None` is no filter.
    topics: Option<Arc<[String]>>,
    progress: Mutex<Progress>,
    stopping: AtomicBool,
    abandoned: AtomicBool,
    in_hand: InHand,
}

/// The event whose policy runs: the index of its upstream, and its position; 0 is none.
#[derive(Default)]
struct InHand {
    upstream: AtomicUsize,
    position: AtomicU64,
}

/// What a follower remembers of its own work. None of it decides what is processed.
#[derive(Default)]
struct Progress {
    /// Which upstreams were looked at, and found to be the ones that were followed before.
    verified: Vec<bool>,
    /// What the record has refused, since it last took something.
    refusals: Refusals,
    /// When a position that only skipped events had moved was last written.
    last_skip: Option<Instant>,
}

/// What one pull has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Everything is processed.
    UpToDate,
    /// Only events that no policy wants are new; their position is to be written after this time.
    Skipped(Duration),
    /// The position has moved, and there may be more.
    Moved {
        /// Whether new events were recorded, which others may follow.
        recorded: bool,
    },
}

/// Whether a position that only skipped events have moved is written at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skips {
    /// At most every 100 ms: nobody waits for it.
    Later,
    /// At once: somebody waits for it.
    Now,
}

impl Follower {
    pub(crate) fn new(application: Application, upstreams: Vec<Application>, work: Work) -> Self {
        let verified = vec![false; upstreams.len()];
        Self {
            topics: work.topics(),
            progress: Mutex::new(Progress {
                verified,
                ..Progress::default()
            }),
            status: StatusCell::default(),
            stopping: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            in_hand: InHand::default(),
            application,
            upstreams,
            work,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.application.name()
    }

    /// Ends the batch behind the event in hand; no other is begun.
    pub(crate) fn finish(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The upstream and the position of the event whose policy runs now.
    pub(crate) fn in_hand(&self) -> Option<(&str, u64)> {
        let position = self.in_hand.position.load(Ordering::SeqCst);
        let upstream = self
            .upstreams
            .get(self.in_hand.upstream.load(Ordering::SeqCst))?;
        (position > 0).then(|| (upstream.name(), position))
    }

    /// From now on no batch of this follower begins to commit: its thread could not be stopped in time.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    /// Whether the upstream was looked at, and found to be the one that was followed before.
    pub(crate) fn has_verified(&self, upstream: usize) -> bool {
        self.progress().verified[upstream]
    }

    /// Processes one batch of one upstream.
    pub(crate) fn pull(&self, index: usize, skips: Skips) -> Result<Step, Failure> {
        let upstream = &self.upstreams[index];
        let (_, from) = self.position_in(index)?;
        let head = upstream
            .recorder()?
            .head()
            .map_err(|e| upstream.store_error(e))?;
        self.verify(index, from, head.as_ref())?;
        let Some(head) = head.filter(|head| head.position > from) else {
            return Ok(Step::UpToDate);
        };
        let step = self.process_up_to(index, from, head, skips)?;
        self.progress().refusals = Refusals::default();
        Ok(step)
    }

    fn process_up_to(
        &self,
        index: usize,
        from: u64,
        head: Head,
        skips: Skips,
    ) -> Result<Step, Failure> {
        let upstream = &self.upstreams[index];
        let (page, limit) = self.page(upstream, from, head.position)?;
        if page.is_empty() {
            return self.skip(upstream, from, head, skips);
        }
        self.in_hand.upstream.store(index, Ordering::SeqCst);
        let rest = (page.len() < limit).then_some(head);
        match &self.work {
            Work::Policies(policies) => self.process(&**policies, upstream, from, &page, rest),
            Work::Projection(projection) => {
                self.project(&**projection, upstream, from, &page, rest)
            }
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
