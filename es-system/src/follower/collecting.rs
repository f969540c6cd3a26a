//! Batches of a process application: the events that its policies collect are recorded with the
//! position.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use es_store::{Recorded, Recording, StoredEvent};

use crate::application::batch::{Batch, Collected};
use crate::application::{saved_inside, snapshots};
use crate::error::BoxError;
use crate::follower::batch::{BatchLoop, Committed, EventHandler, LoopOutcome};
use crate::follower::events::Offered;
use crate::follower::failure::CommitFailure;
use crate::follower::processor::Processor;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::work::Dispatch;

struct CollectingHandler<'a> {
    processor: &'a Processor,
    policies: &'a dyn Dispatch,
    policy_limit: Option<Duration>,
}

impl EventHandler for CollectingHandler<'_> {
    fn handle(
        &mut self,
        received: &Received<'_>,
        batch: &Rc<RefCell<Batch>>,
    ) -> Result<(), BoxError> {
        let application = self.processor.application.clone();
        let processing_event = ProcessingEvent::new(application, batch.clone());
        self.policies.dispatch(received, processing_event)
    }

    fn policy_timeout(&self) -> Option<Duration> {
        self.policy_limit
    }
}

/// Runs the policies for the events, and records the events that they collect, together with what
/// `done_with` returns for the number of processed events.
pub(super) fn process(
    batch_loop: BatchLoop<'_>,
    policies: &dyn Dispatch,
    offered: Offered<'_>,
    done_with: impl FnOnce(usize) -> Recording,
) -> Result<Committed, CommitFailure> {
    let processor = batch_loop.processor;
    let mut handler = CollectingHandler {
        processor,
        policies,
        policy_limit: processor.application.policy_limit()?,
    };
    let batch = Batch::keeping(
        processor.application.mapper().clone(),
        processor.take_kept(),
    );
    let LoopOutcome {
        done,
        batch,
        failed,
    } = batch_loop.run(offered, batch, &mut handler);
    let mut recorded = 0;
    if done > 0 {
        let mut collected = batch.into_collected();
        let new = std::mem::take(&mut collected.events);
        recorded = new.len();
        let mut recording = done_with(done);
        recording.events = new;
        processor.refuse_abandoned().map_err(CommitFailure::Other)?;
        match processor.application.record(&recording) {
            Ok(recorded) => after_commit(processor, collected, &recording.events, &recorded),
            Err(error) => {
                let application = &processor.application;
                application.forget(&recording.events);
                let own = saved_inside::explain(application, &collected.saved_inside, &error);
                return Err(match own {
                    Some(error) => CommitFailure::Refused {
                        error,
                        events: done,
                    },
                    None => CommitFailure::of(error, done),
                });
            }
        }
    }
    Ok(Committed {
        done,
        recorded,
        failed,
    })
}

/// Caches and keeps the aggregates of a batch and records its snapshots, after its events are
/// committed. Aggregates are put back here alone, so nothing is kept of a batch that was not
/// committed.
fn after_commit(
    processor: &Processor,
    collected: Collected,
    events: &[StoredEvent],
    recorded: &Recorded,
) {
    let Collected {
        changed,
        snapshots,
        mut kept,
        ..
    } = collected;
    let application = &processor.application;
    if let Some(cache) = application.cache() {
        for id in &changed {
            match kept.cached(id) {
                Some(saved) => cache.put(saved),
                None => cache.forget(id),
            }
        }
    }
    snapshots::record(application, &snapshots);
    kept.settle(application.mapper(), events, &recorded.positions);
    if kept.needs_head() {
        // Without it nothing is kept, and the batch is recorded.
        let Ok(head) = application.head() else { return };
        kept.know(head);
    }
    processor.keep(kept);
}
