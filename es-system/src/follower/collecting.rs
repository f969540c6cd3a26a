//! Batches of a process application: the events that its policies collect are recorded with the
//! position.

use std::cell::RefCell;
use std::rc::Rc;

use es_store::Recording;

use crate::application::batch::{Batch, Collected};
use crate::application::snapshots;
use crate::error::BoxError;
use crate::follower::batch::{BatchLoop, Committed, EventHandler, LoopOutcome};
use crate::follower::events::EventSlice;
use crate::follower::failure::CommitFailure;
use crate::follower::processor::Processor;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::work::Dispatch;

struct CollectingHandler<'a> {
    processor: &'a Processor,
    policies: &'a dyn Dispatch,
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
}

/// Runs the policies for `events`, and records the events that they collect.
pub(super) fn process(
    batch_loop: BatchLoop<'_>,
    policies: &dyn Dispatch,
    events: EventSlice<'_>,
) -> Result<Committed, CommitFailure> {
    let processor = batch_loop.processor;
    let mut handler = CollectingHandler {
        processor,
        policies,
    };
    let LoopOutcome {
        done,
        batch,
        failed,
    } = batch_loop.run(events, &mut handler);
    let mut recorded = false;
    if done > 0 {
        let mut collected = batch.into_collected();
        let new = std::mem::take(&mut collected.events);
        recorded = !new.is_empty();
        let recording = Recording::new(new).tracking(events.tracking(done));
        processor.refuse_abandoned().map_err(CommitFailure::Other)?;
        if let Err(error) = processor.application.record(&recording) {
            processor.application.forget(&recording.events);
            return Err(CommitFailure::of(error, done));
        }
        after_commit(processor, collected);
    }
    Ok(Committed {
        done,
        recorded,
        failed,
    })
}

/// Caches the aggregates of a batch and records its snapshots, after its events are committed.
fn after_commit(processor: &Processor, collected: Collected) {
    if let Some(cache) = processor.application.cache() {
        collected
            .aggregates
            .into_iter()
            .for_each(|saved| cache.put(saved));
    }
    snapshots::record(&processor.application, &collected.snapshots);
}
