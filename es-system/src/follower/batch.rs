//! The loop over the events of a batch, which policies and handlers of projections share.
//!
//! It runs the policies event by event, until the page or the batch ends or one of them fails. The
//! two callers follow one rule, which makes a failure harmless to the events before it: *the
//! processed events are committed before anything else is decided about the one that failed*,
//! whatever the cause of the failure.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use es_core::__private::watch;
use es_store::sync::{Flag, lock};
use es_store::{Notification, PAGE_BYTES};

use crate::application::batch::{self, Batch};
use crate::application::forgotten;
use crate::error::BoxError;
use crate::follower::events::Offered;
use crate::follower::failure::{self, EventFailure};
use crate::follower::processor::Processor;
use crate::policy::received::Received;

/// The number of events after which a batch ends.
pub(super) const BATCH_EVENTS: usize = 1_000;
/// The time after which a batch ends, without the time that its policies have waited for
/// aggregates that are kept.
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
    /// The page ends, the batch has taken its time or collected as many bytes as a page may have,
    /// or the follower is finishing.
    Finished,
    /// The page ends, or the batch has taken its time or collected as many bytes.
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
    /// The number of new events that were recorded.
    pub(super) recorded: usize,
    /// The failure of the policy for the next event, which the caller must decide about.
    pub(super) failed: Option<EventFailure>,
}

/// The event whose policy runs, as other threads see it.
#[derive(Default)]
pub(super) struct InHand {
    /// The position of the event, and the moment at which its policy began.
    event: Mutex<Option<(u64, Instant)>>,
    /// The flag that is raised while the policy waits for a store.
    pub(super) in_store: Flag,
}

impl InHand {
    /// Returns the position of the event, unless its policy waits for a store.
    pub(super) fn get(&self) -> Option<u64> {
        let (position, _) = self.event()?;
        (!self.in_store.is_up()).then_some(position)
    }

    /// Returns the position of the event, and the moment at which its policy began.
    pub(super) fn event(&self) -> Option<(u64, Instant)> {
        *lock(&self.event)
    }

    fn show(&self, position: Option<u64>) {
        *lock(&self.event) = position.map(|position| (position, Instant::now()));
    }
}

/// The loop that runs the policies of a batch, with its settings.
#[derive(Clone, Copy)]
pub(super) struct BatchLoop<'a> {
    pub(super) processor: &'a Processor,
    /// The event whose policy runs, for other threads to read.
    pub(super) in_hand: Option<&'a InHand>,
    pub(super) until: Until,
}

impl BatchLoop<'_> {
    /// Runs the policies for the events, one after the other. `batch` has collected nothing yet.
    pub(super) fn run(
        self,
        offered: Offered<'_>,
        batch: Batch,
        handler: &mut impl EventHandler,
    ) -> LoopOutcome {
        let started = Instant::now();
        let mut done = 0;
        let mut failed = None;
        let batch = Rc::new(RefCell::new(batch));
        let in_store = self.in_hand.map(|in_hand| in_hand.in_store.clone());
        let in_store = in_store.unwrap_or_default();
        let application = &self.processor.application;
        let bound = batch::bind(
            (application.instance(), application.name()),
            &batch,
            in_store,
        );
        for notification in offered.events {
            if self.is_over(done, started, &batch.borrow()) {
                break;
            }
            if offered.aside.is_some_and(|aside| aside.has(notification)) {
                done += 1;
                continue;
            }
            self.show_in_hand(Some(notification.id));
            batch.borrow_mut().begin_event();
            failed = self.run_one(offered, notification, handler, &batch);
            if failed.is_some() {
                let dropped = batch.borrow_mut().undo_event();
                drop(dropped);
                break;
            }
            done += 1;
        }
        self.show_in_hand(None);
        drop(bound);
        LoopOutcome {
            done,
            batch: batch.take(),
            failed,
        }
    }

    fn run_one(
        self,
        offered: Offered<'_>,
        notification: &Notification,
        handler: &mut impl EventHandler,
        batch: &Rc<RefCell<Batch>>,
    ) -> Option<EventFailure> {
        let upstream = offered.upstream;
        let received = Received {
            notification,
            upstream,
            began: offered.began,
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

    fn is_over(self, done: usize, started: Instant, batch: &Batch) -> bool {
        let worked = || started.elapsed().saturating_sub(batch.waited());
        let is_long = || done > 0 && (worked() > BATCH_TIME || batch.bytes() >= PAGE_BYTES);
        match self.until {
            Until::Finished => self.processor.is_finishing() || is_long(),
            Until::TimeIsOver => is_long(),
            Until::PageEnds => false,
        }
    }

    fn show_in_hand(self, position: Option<u64>) {
        if let Some(in_hand) = self.in_hand {
            in_hand.show(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use es_core::AggregateId;
    use es_store::{Env, Role, StoredEvent};

    use super::*;
    use crate::application::Application;
    use crate::application::batch::ChangedAggregate;
    use crate::follower::events::{Lane, Page};
    use crate::policy::begin::Begin;
    use crate::policy::policy_set::DeclaredPolicies;
    use crate::policy::processing_event::ProcessingEvent;
    use crate::policy::rules::Rules;
    use crate::policy::work::{Dispatch, Work};

    #[derive(Default)]
    struct NoPolicies {
        rules: Rules,
    }

    impl Dispatch for NoPolicies {
        fn topics(&self) -> Option<es_store::TopicFilter> {
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

    /// Collects an event of the size that its event has, or loads one.
    struct Copy {
        loads: bool,
    }

    impl EventHandler for Copy {
        fn handle(
            &mut self,
            received: &Received<'_>,
            batch: &Rc<RefCell<Batch>>,
        ) -> Result<(), BoxError> {
            if self.loads {
                let loaded = received.notification.state.len();
                batch.borrow_mut().loaded(loaded);
                return Ok(());
            }
            let entry = ChangedAggregate {
                version: 1,
                snapshot: None,
            };
            let events = vec![received.notification.event.clone()];
            let id = AggregateId::from(received.notification.id.to_string());
            batch.borrow_mut().add(id, events, entry);
            Ok(())
        }
    }

    /// Runs a batch over events of these sizes. Returns the number of processed events.
    fn done(sizes: &[usize], loads: bool, until: Until) -> usize {
        let open = |name, role| Application::open(name, role, Env::new());
        let upstream = open("School", Role::Leader).expect("a store in memory");
        let application = open("Shop", Role::Follower).expect("a store in memory");
        let work = Work::Policies(std::sync::Arc::new(NoPolicies::default()));
        let processor = Processor::new(application, work);
        let event = |(position, size): (u64, &usize)| {
            let event = StoredEvent::new("one", position, "shop:Copied", vec![0; *size]);
            Notification::new(position, event)
        };
        let page = Page {
            lane: Lane::Live(es_store::PoliciesMove::new(None, "tag")),
            from: 0,
            start: None,
            events: (1..).zip(sizes).map(event).collect(),
            rest: None,
        };
        let batch_loop = BatchLoop {
            processor: &processor,
            in_hand: None,
            until,
        };
        batch_loop
            .run(
                page.slice(&upstream, None).offered(),
                Batch::default(),
                &mut Copy { loads },
            )
            .done
    }

    #[test]
    fn a_batch_ends_with_the_event_by_which_new_and_loaded_events_reach_the_limit_of_bytes() {
        let third = PAGE_BYTES / 3;
        let cases = [
            (vec![third; 10], 4),
            (vec![PAGE_BYTES; 3], 1),
            (vec![PAGE_BYTES - 1, 0, 0, 1, 0], 4),
            (vec![0; 7], 7),
        ];
        for (sizes, expected) in cases {
            for loads in [false, true] {
                assert_eq!(done(&sizes, loads, Until::Finished), expected, "{sizes:?}");
                assert_eq!(
                    done(&sizes, loads, Until::TimeIsOver),
                    expected,
                    "{sizes:?}"
                );
                assert_eq!(done(&sizes, loads, Until::PageEnds), sizes.len());
            }
        }
    }
}
