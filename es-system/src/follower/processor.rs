//! The application that processes events, shared by all edges of its follower.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use es_store::sync::lock;
use es_store::{Head, NotificationPage, NotificationQuery, PAGE_BYTES, TopicFilter};

use crate::application::Application;
use crate::application::kept::Kept;
use crate::error::{Error, ErrorKind, Result};
use crate::follower::events::{Lane, Page};
use crate::follower::failure::Failure;
use crate::follower::policies::OwnPolicies;
use crate::policy::work::Work;

/// An application, its work, and its running state.
pub(crate) struct Processor {
    pub(super) application: Application,
    pub(super) work: Work,
    /// The filter with which upstreams are read; `None` is no filter.
    pub(super) topics: Option<TopicFilter>,
    pub(super) policies: OwnPolicies,
    halt: Mutex<Halt>,
    finishing: AtomicBool,
    abandoned: AtomicBool,
    /// The aggregates that are kept between two batches. Concurrency: a batch takes all of them and
    /// puts them back after its commit, and whoever finds none starts with none. So no two batches
    /// ever have the same ones.
    kept: Mutex<Kept>,
    /// True if the store has a table of operations, once that was looked at.
    records_operations: OnceLock<bool>,
}

#[derive(Default)]
struct Halt {
    /// The error that stopped the follower, if it has stopped.
    stopped: Option<Error>,
    /// The number of times that a cause of failures was repaired.
    repairs: u64,
}

impl Processor {
    pub(super) fn new(application: Application, work: Work) -> Self {
        Self {
            topics: work.topics(),
            policies: OwnPolicies::new(work.policies(), work.is_projection()),
            application,
            work,
            halt: Mutex::default(),
            finishing: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            kept: Mutex::default(),
            records_operations: OnceLock::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.application.name()
    }

    pub(super) fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// Fails if the follower was abandoned, because none of its batches may commit any more.
    pub(super) fn refuse_abandoned(&self) -> Result<(), Failure> {
        if self.is_abandoned() {
            return Err(Failure::Abandoned);
        }
        Ok(())
    }

    /// Returns the next events of `upstream` that a policy wants: at most `limit`, and not many
    /// more bytes than a page may have. `left` is what the last batch has left of its page.
    ///
    /// The events that are left are the next ones if the recorded position is the one at which they
    /// begin. Nothing is recorded in front of an event that was read, so nothing is missing among
    /// them, and `head` was read later than they were.
    pub(super) fn next_page(
        &self,
        left: Option<Page>,
        lane: Lane,
        upstream: &Application,
        from: u64,
        head: Head,
        limit: usize,
    ) -> Result<Page> {
        if let Some(left) = left.and_then(|left| left.continuing(&lane, from)) {
            return Ok(left);
        }
        let (page, is_full) = self.page(upstream, from, head.position, limit)?;
        Ok(Page {
            lane,
            from,
            start: page.start,
            events: page.notifications,
            rest: (!is_full).then_some(head),
        })
    }

    /// Returns the events of `upstream` behind `from` and up to `to` that a policy wants, at most
    /// `limit`, with the event at `from`, and true if there may be more. A damaged row does not
    /// prevent the events before it from being processed; it is a failure of its own event.
    pub(super) fn page(
        &self,
        upstream: &Application,
        from: u64,
        to: u64,
        limit: usize,
    ) -> Result<(NotificationPage, bool)> {
        page(upstream, self.topics.as_ref(), (from, to), limit)
    }

    /// Returns true if operations can be recorded. A store of an earlier release that this program
    /// may not change has no table of them.
    pub(super) fn records_operations(&self) -> bool {
        let check = || self.application.on_store(|store| store.check_set_aside());
        *self.records_operations.get_or_init(|| check().is_ok())
    }

    /// Takes the aggregates that were kept by the batches before.
    pub(super) fn take_kept(&self) -> Kept {
        std::mem::take(&mut lock(&self.kept))
    }

    /// Keeps the aggregates of a batch that was committed.
    pub(super) fn keep(&self, kept: Kept) {
        let former = std::mem::replace(&mut *lock(&self.kept), kept);
        drop(former);
    }

    pub(super) fn stopped(&self) -> Option<Error> {
        self.halt().stopped.clone()
    }

    /// Returns the number of repairs so far. Read it before an attempt.
    pub(super) fn repairs(&self) -> u64 {
        self.halt().repairs
    }

    /// Stops the follower because of an attempt that began after `repairs` repairs. A repair since
    /// then prevents the stop, because the next attempt may succeed. Returns true if the follower
    /// has stopped.
    pub(super) fn stop(&self, error: Error, repairs: u64) -> bool {
        let mut halt = self.halt();
        let is_current = halt.repairs == repairs;
        if is_current {
            halt.stopped = Some(error);
        }
        is_current
    }

    /// Counts a repair of the cause of a failure. Returns true if the follower had stopped and
    /// continues now.
    pub(super) fn repaired(&self) -> bool {
        let mut halt = self.halt();
        halt.repairs += 1;
        halt.stopped.take().is_some()
    }

    fn halt(&self) -> MutexGuard<'_, Halt> {
        lock(&self.halt)
    }
}

/// Returns the events of `upstream` behind the first position and up to the second one that
/// `topics` selects, as [`Processor::page`] does.
pub(super) fn page(
    upstream: &Application,
    topics: Option<&TopicFilter>,
    (from, to): (u64, u64),
    limit: usize,
) -> Result<(NotificationPage, bool)> {
    let select = |limit| -> Result<_> {
        let query = NotificationQuery::after(from)
            .up_to(to)
            .limit(limit)
            .byte_limit(PAGE_BYTES)
            .filter(topics.cloned());
        let page = upstream.notification_log().page(&query)?;
        let is_full = query.is_filled_by(&page.notifications);
        Ok((page, is_full))
    };
    match select(limit) {
        Err(error) if error.kind() == ErrorKind::BadData => select(1),
        page => page,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use es_store::{Env, Role};

    use super::*;
    use crate::error::BoxError;
    use crate::policy::begin::Begin;
    use crate::policy::policy_set::DeclaredPolicies;
    use crate::policy::processing_event::ProcessingEvent;
    use crate::policy::received::Received;
    use crate::policy::rules::Rules;
    use crate::policy::work::Dispatch;

    #[derive(Default)]
    struct NoPolicies {
        rules: Rules,
    }

    impl Dispatch for NoPolicies {
        fn topics(&self) -> Option<TopicFilter> {
            None
        }

        fn policies(&self) -> DeclaredPolicies {
            DeclaredPolicies::default()
        }

        fn rules(&self) -> &Rules {
            &self.rules
        }

        fn begin(&self) -> Begin {
            Begin::default()
        }

        fn dispatch(&self, _: &Received<'_>, _: ProcessingEvent) -> Result<(), BoxError> {
            Ok(())
        }
    }

    fn processor() -> Processor {
        let application = Application::open("Shop", Role::Follower, Env::new());
        let work = Work::Policies(Arc::new(NoPolicies::default()));
        Processor::new(application.expect("a store in memory"), work)
    }

    fn failure() -> Error {
        Error::Usage("no column named price".to_owned())
    }

    #[test]
    fn a_follower_that_has_stopped_goes_on_when_it_is_mended() {
        let processor = processor();
        assert!(!processor.repaired(), "it had not stopped");
        assert!(processor.stop(failure(), processor.repairs()));
        assert!(processor.stopped().is_some());
        assert!(processor.repaired());
        assert!(processor.stopped().is_none());
    }

    #[test]
    fn an_attempt_that_failed_on_what_was_mended_meanwhile_stops_nothing() {
        let processor = processor();
        let before = processor.repairs();
        assert!(!processor.repaired());
        assert!(!processor.stop(failure(), before));
        assert!(processor.stopped().is_none());
    }
}
