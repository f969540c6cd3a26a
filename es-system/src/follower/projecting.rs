//! Batches of a projection: its handlers run in the transaction that moves the position.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use es_store::{PoliciesMove, SetAside, StoreError, Transaction};

use crate::application::batch::Batch;
use crate::error::BoxError;
use crate::follower::batch::{BatchLoop, Committed, EventHandler, LoopOutcome};
use crate::follower::events::{EventSlice, Offered};
use crate::follower::failure::{CommitFailure, EventFailure, Failure};
use crate::follower::processor::Processor;
use crate::policy::received::Received;
use crate::policy::work::Project;

/// The tables that the handlers change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The tables that users query.
    Live,
    /// The new tables of a rebuild.
    Rebuild,
}

struct TransactionHandler<'a, 't> {
    processor: &'a Processor,
    projection: &'a dyn Project,
    tx: &'a mut Transaction<'t>,
    policy_timeout: Duration,
}

impl EventHandler for TransactionHandler<'_, '_> {
    fn handle(&mut self, received: &Received<'_>, _: &Rc<RefCell<Batch>>) -> Result<(), BoxError> {
        let returned = self.projection.project(received, self.tx);
        // A failed statement fails its handler even if the handler ignored the error.
        match (returned, self.tx.failure()) {
            (Ok(()), Some(failure)) => Err(self.processor.application.store_error(failure).into()),
            (Err(error), Some(failure)) => {
                self.processor.application.store_error(failure);
                Err(error)
            }
            (returned, None) => returned,
        }
    }

    fn policy_timeout(&self) -> Option<Duration> {
        Some(self.policy_timeout)
    }
}

/// Runs the handlers for `events` in one transaction, which also moves the position past the
/// processed ones.
///
/// If a handler fails, its transaction rolls back the events before it, too. Those run again in a
/// transaction of their own, and the failing event comes first in the next batch.
pub(super) fn process(
    batch_loop: BatchLoop<'_>,
    projection: &dyn Project,
    target: Target,
    mut events: EventSlice<'_>,
) -> Result<Committed, CommitFailure> {
    loop {
        let (done, failed) = in_one_transaction(batch_loop, projection, target, events)?;
        if done == 0 || failed.is_none() {
            return Ok(Committed {
                done,
                recorded: 0,
                failed,
            });
        }
        events = events.first(done);
    }
}

/// Runs the handlers for `events` in `tx`, which the caller ends.
pub(super) fn run(
    batch_loop: BatchLoop<'_>,
    projection: &dyn Project,
    events: Offered<'_>,
    tx: &mut Transaction<'_>,
    policy_timeout: Duration,
) -> (usize, Option<EventFailure>) {
    if let Some(in_hand) = batch_loop.in_hand {
        tx.__show_statements(in_hand.in_store.clone());
    }
    let mut handler = TransactionHandler {
        processor: batch_loop.processor,
        projection,
        tx,
        policy_timeout,
    };
    let LoopOutcome { done, failed, .. } = batch_loop.run(events, Batch::default(), &mut handler);
    (done, failed)
}

/// Commits if no handler fails.
fn in_one_transaction(
    batch_loop: BatchLoop<'_>,
    projection: &dyn Project,
    target: Target,
    events: EventSlice<'_>,
) -> Result<(usize, Option<EventFailure>), CommitFailure> {
    let processor = batch_loop.processor;
    let application = &processor.application;
    let policy_timeout = application.policy_timeout()?;
    let tables = application.tables()?;
    let mut ran = None;
    let work = &mut |tx: &mut Transaction<'_>| {
        let (done, failed) = run(batch_loop, projection, events.offered(), tx, policy_timeout);
        let is_kept = failed.is_none() && done > 0 && !processor.is_abandoned();
        ran = Some((done, failed));
        is_kept.then(|| events.recording(done))
    };
    let start = events.tracking(0);
    let committed = match target {
        Target::Live => tables.process(&start, work),
        Target::Rebuild => tables.process_rebuild(&start, work),
    };
    outcome(processor, committed, ran)
}

/// Runs the handler for an event that is set aside, and removes its row in the same transaction.
pub(super) fn retry(
    batch_loop: BatchLoop<'_>,
    projection: &dyn Project,
    offered: Offered<'_>,
    (row, policies): (&SetAside, &PoliciesMove),
) -> Result<Committed, CommitFailure> {
    let processor = batch_loop.processor;
    let policy_timeout = processor.application.policy_timeout()?;
    let tables = processor.application.tables()?;
    let mut ran = None;
    let work = &mut |tx: &mut Transaction<'_>| {
        let (done, failed) = run(batch_loop, projection, offered, tx, policy_timeout);
        let is_kept = failed.is_none() && done > 0 && !processor.is_abandoned();
        ran = Some((done, failed));
        is_kept
    };
    let committed = tables.retry(&row.upstream, row.position, Some(policies), work);
    let (done, failed) = outcome(processor, committed, ran)?;
    Ok(Committed {
        done,
        recorded: 0,
        failed,
    })
}

/// Returns the result of a transaction in which handlers have run.
fn outcome(
    processor: &Processor,
    committed: Result<(), StoreError>,
    ran: Option<(usize, Option<EventFailure>)>,
) -> Result<(usize, Option<EventFailure>), CommitFailure> {
    let application = &processor.application;
    match (committed, ran) {
        (_, Some((done, Some(failed)))) => Ok((done, Some(failed))),
        (Ok(()), _) if processor.is_abandoned() => Err(CommitFailure::Other(Failure::Abandoned)),
        (Ok(()), ran) => Ok((ran.map_or(0, |(done, _)| done), None)),
        // One of the events violates a constraint that is checked at the commit.
        (Err(error @ StoreError::Statement { .. }), Some((done @ 1.., None))) => {
            Err(CommitFailure::Refused {
                error: application.store_error(error),
                events: done,
            })
        }
        (Err(error), _) => Err(application.store_error(error).into()),
    }
}
