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

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use es_store::{Head, Notification, NotificationQuery, Recording, Tracking, UpstreamEvent};

use crate::batch::{self, Batch};
use crate::policy::{Dispatch, Received};
use crate::status::StatusCell;
use crate::{Application, Error, ErrorKind, ProcessingEvent, Result};

use failure::PolicyError;
pub(crate) use failure::{Failure, is_of_store};

/// A batch ends after so many events.
const BATCH_EVENTS: usize = 1_000;
/// A batch ends after so long.
const BATCH_TIME: Duration = Duration::from_millis(200);
/// A position that only skipped events have moved is written this often at the most.
const SKIP_INTERVAL: Duration = Duration::from_millis(100);

/// An application with the policies by which it follows others.
pub(crate) struct Follower {
    pub(crate) application: Application,
    pub(crate) upstreams: Vec<Application>,
    pub(crate) status: StatusCell,
    policies: Arc<dyn Dispatch>,
    topics: Arc<[String]>,
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
    /// Conflicts in a row: after two, one event at a time.
    conflicts: u32,
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
    pub(crate) fn new(
        application: Application,
        upstreams: Vec<Application>,
        policies: Arc<dyn Dispatch>,
    ) -> Self {
        let verified = vec![false; upstreams.len()];
        Self {
            topics: policies.topics(),
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
            policies,
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

    /// From now on no batch of this follower commits: its thread could not be stopped in time.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    /// Whether the upstream was looked at, and found to be the one that was followed before.
    pub(crate) fn has_verified(&self, upstream: usize) -> bool {
        self.progress().verified[upstream]
    }

    /// Processes one batch of one upstream.
    pub(crate) fn pull(&self, upstream: usize, skips: Skips) -> Result<Step, Failure> {
        let outcome = self.pull_batch(upstream, skips);
        self.note_conflicts(&outcome);
        outcome
    }

    fn pull_batch(&self, index: usize, skips: Skips) -> Result<Step, Failure> {
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
        let (page, limit) = self.page(upstream, from, head.position)?;
        if page.is_empty() {
            return self.skip(upstream, from, head, skips);
        }
        self.in_hand.upstream.store(index, Ordering::SeqCst);
        self.process(upstream, from, &page, (page.len() < limit).then_some(head))
    }

    /// The next events that a policy wants, and how many there are at the most. A damaged row does not keep those in
    /// front of it from being processed; itself it is a failure of its event.
    fn page(
        &self,
        upstream: &Application,
        from: u64,
        head: u64,
    ) -> Result<(Vec<Notification>, usize), Failure> {
        let select = |limit| {
            let query = NotificationQuery::after(from).up_to(head).limit(limit);
            let query = query.shared_topics(Some(self.topics.clone()));
            Ok((upstream.notification_log().query(&query)?, limit))
        };
        select(self.batch_limit()).or_else(|error: Error| {
            if error.kind() != ErrorKind::BadData {
                return Err(Failure::Store(error));
            }
            select(1).map_err(|error| Failure::Policy {
                error,
                recorded: false,
            })
        })
    }

    /// Runs the policies for a page and records what came of it. `rest` is the head of the upstream if nothing
    /// that a policy wants lies between the page and it.
    fn process(
        &self,
        upstream: &Application,
        from: u64,
        page: &[Notification],
        rest: Option<Head>,
    ) -> Result<Step, Failure> {
        let (batch, done, failure) = self.run_policies(upstream, page);
        let failure = match failure {
            Some(PolicyError::Store(error)) => return Err(Failure::Store(error)),
            Some(PolicyError::Own(error)) => Some(error),
            None => None,
        };
        let to = match (done.checked_sub(1), rest) {
            (Some(_), Some(head)) if done == page.len() => Some((head.position, at_head(head))),
            (Some(last), _) => Some((page[last].id, at(&page[last]))),
            (None, _) => None,
        };
        let mut recorded = false;
        if let Some((to, event)) = to {
            let events = batch.into_events();
            recorded = !events.is_empty();
            let tracking = Tracking::new(upstream.name(), from, to).at(event);
            self.record(&Recording::new(events).tracking(tracking))?;
        }
        match failure {
            None => Ok(Step::Moved { recorded }),
            Some(error) => Err(Failure::Policy { error, recorded }),
        }
    }

    /// Runs the policies, event by event, until the page or the batch ends, or one fails. Says how many
    /// events are done; what the failing one did is undone.
    fn run_policies(
        &self,
        upstream: &Application,
        page: &[Notification],
    ) -> (Batch, usize, Option<PolicyError>) {
        let (started, mut done, mut failure) = (Instant::now(), 0, None);
        let batch = Rc::new(RefCell::new(Batch::default()));
        let bound = batch::bind(self.application.instance(), &batch);
        for notification in page {
            if self.is_finishing() || (done > 0 && started.elapsed() > BATCH_TIME) {
                break;
            }
            self.in_hand
                .position
                .store(notification.id, Ordering::SeqCst);
            batch.borrow_mut().begin_event();
            let processing = ProcessingEvent::new(self.application.clone(), batch.clone());
            let received = Received {
                notification,
                mapper: upstream.mapper(),
            };
            let outcome = self.policies.dispatch(&received, processing);
            let store_failure = batch.borrow_mut().take_store_failure();
            failure = failure::of_policy(self, upstream, notification, outcome, store_failure);
            if failure.is_some() {
                batch.borrow_mut().undo_event();
                break;
            }
            done += 1;
        }
        self.in_hand.position.store(0, Ordering::SeqCst);
        drop(bound);
        (batch.take(), done, failure)
    }

    /// Moves the position past events that no policy wants.
    fn skip(
        &self,
        upstream: &Application,
        from: u64,
        head: Head,
        skips: Skips,
    ) -> Result<Step, Failure> {
        let last_skip = self.progress().last_skip;
        let since = last_skip.map_or(SKIP_INTERVAL, |last| last.elapsed());
        if skips == Skips::Later && since < SKIP_INTERVAL {
            return Ok(Step::Skipped(SKIP_INTERVAL - since));
        }
        let tracking = Tracking::new(upstream.name(), from, head.position).at(at_head(head));
        self.record(&Recording::new(Vec::new()).tracking(tracking))?;
        self.progress().last_skip = Some(Instant::now());
        Ok(Step::Moved { recorded: false })
    }

    fn record(&self, recording: &Recording) -> Result<(), Failure> {
        if self.abandoned.load(Ordering::SeqCst) {
            return Err(Failure::Abandoned);
        }
        self.application.record(recording)?;
        Ok(())
    }

    fn batch_limit(&self) -> usize {
        if self.progress().conflicts >= 2 {
            1
        } else {
            BATCH_EVENTS
        }
    }

    fn note_conflicts(&self, outcome: &Result<Step, Failure>) {
        let mut progress = self.progress();
        match outcome {
            Ok(Step::Moved { .. }) => progress.conflicts = 0,
            Err(failure) if failure.is_conflict() => progress.conflicts += 1,
            _ => {}
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(notification: &Notification) -> UpstreamEvent {
    UpstreamEvent {
        originator_id: notification.originator_id.clone(),
        originator_version: notification.originator_version,
    }
}

fn at_head(head: Head) -> UpstreamEvent {
    UpstreamEvent {
        originator_id: head.originator_id,
        originator_version: head.originator_version,
    }
}
