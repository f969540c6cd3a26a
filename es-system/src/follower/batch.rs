//! The loop over the events of a batch, which policies and handlers of projections share.
//!
//! It runs the policies event by event, until the page or the batch ends or one of them fails. The
//! two callers follow one rule, which makes a failure harmless to the events before it: *the
//! processed events are committed before anything else is decided about the one that failed*,
//! whatever the cause of the failure.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use es_core::__private::watch;
use es_store::Notification;

use crate::application::batch::{self, Batch};
use crate::application::forgotten;
use crate::error::BoxError;
use crate::follower::events::EventSlice;
use crate::follower::failure::{self, EventFailure};
use crate::follower::processor::Processor;
use crate::policy::received::Received;

/// The number of events after which a batch ends.
pub(super) const BATCH_EVENTS: usize = 1_000;
/// The time after which a batch ends.
const BATCH_TIME: Duration = Duration::from_millis(200);

/// Handles the events of a batch, one at a time.
pub(super) trait EventHandler {
    /// Runs the policy for one event.
    fn handle(
        &mut self,
        received: &Received<'_>,
        batch: &Rc<RefCell<Batch>>,
    ) -> Result<(), BoxError>;

    /// Returns the time limit of one policy, or `None` for no limit.
    fn policy_timeout(&self) -> Option<Duration> {
        None
    }
}

/// The condition that ends a batch.
#[derive(Clone, Copy)]
pub(super) enum Until {
    /// The page ends, the batch has taken its time, or the follower is finishing.
    Finished,
    /// The page ends, or the batch has taken its time.
    TimeIsOver,
    /// The page ends.
    PageEnds,
}

/// The result of running the policies for the first events of a page.
pub(super) struct LoopOutcome {
    /// The number of processed events.
    pub(super) done: usize,
    /// The events that their policies have collected. The changes of the failed policy are undone.
    pub(super) batch: Batch,
    /// The failure of the policy for the next event.
    pub(super) failed: Option<EventFailure>,
}

/// The result of a batch after the processed events were committed.
pub(super) struct Committed {
    /// The number of processed events.
    pub(super) done: usize,
    /// True if new events were recorded, which others may follow.
    pub(super) recorded: bool,
    /// The failure of the policy for the next event, which the caller must decide about.
    pub(super) failed: Option<EventFailure>,
}

/// The loop that runs the policies of a batch, with its settings.
#[derive(Clone, Copy)]
pub(super) struct BatchLoop<'a> {
    pub(super) processor: &'a Processor,
    /// The position of the event whose policy runs, for other threads to read; 0 is none.
    pub(super) in_hand: Option<&'a AtomicU64>,
    pub(super) until: Until,
}

impl BatchLoop<'_> {
    /// Runs the policies for `events`, one after the other.
    pub(super) fn run(
        self,
        events: EventSlice<'_>,
        handler: &mut impl EventHandler,
    ) -> LoopOutcome {
        let started = Instant::now();
        let mut done = 0;
        let mut failed = None;
        let batch = Rc::new(RefCell::new(Batch::default()));
        let bound = batch::bind(self.processor.application.instance(), &batch);
        for notification in events.page {
            if self.is_over(done, started) {
                break;
            }
            self.show_in_hand(notification.id);
            batch.borrow_mut().begin_event();
            failed = self.run_one(events, notification, handler, &batch);
            if failed.is_some() {
                batch.borrow_mut().undo_event();
                break;
            }
            done += 1;
        }
        self.show_in_hand(0);
        drop(bound);
        LoopOutcome {
            done,
            batch: batch.take(),
            failed,
        }
    }

    fn run_one(
        self,
        events: EventSlice<'_>,
        notification: &Notification,
        handler: &mut impl EventHandler,
        batch: &Rc<RefCell<Batch>>,
    ) -> Option<EventFailure> {
        let upstream = events.upstream;
        let received = Received {
            notification,
            upstream,
        };
        let started = Instant::now();
        let (returned, dropped) = watch(|| handler.handle(&received, batch));
        let returned = returned.and_then(|()| {
            let checked = forgotten::check(self.processor.name(), &dropped);
            checked.map_err(BoxError::from)
        });
        let elapsed = started.elapsed();
        let store_errors = batch.borrow_mut().take_store_errors();
        // Beyond the limit the server may have ended the transaction, which is an error of the next
        // statement. A store that failed may have taken all the time, and that is not the policy's
        // failure.
        if let Some(limit) = handler.policy_timeout().filter(|limit| elapsed >= *limit)
            && store_errors.failure.is_none()
        {
            let overdue = format!("it took {elapsed:?}, and POLICY_TIMEOUT is {limit:?}");
            let overdue = failure::policy_failure(self.processor.name(), received, overdue.into());
            return Some(EventFailure::Policy(overdue));
        }
        EventFailure::of(self.processor.name(), received, returned, store_errors)
    }

    fn is_over(self, done: usize, started: Instant) -> bool {
        let time_is_over = || done > 0 && started.elapsed() > BATCH_TIME;
        match self.until {
            Until::Finished => self.processor.is_finishing() || time_is_over(),
            Until::TimeIsOver => time_is_over(),
            Until::PageEnds => false,
        }
    }

    fn show_in_hand(self, position: u64) {
        if let Some(in_hand) = self.in_hand {
            in_hand.store(position, Ordering::SeqCst);
        }
    }
}
