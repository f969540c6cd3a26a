//! The object with which a policy collects new events.

use std::cell::RefCell;
use std::rc::Rc;

use es_core::{Aggregate, AggregateId};
use es_store::{Recording, Role};

use crate::application::aggregates::{Aggregates, Visitor};
use crate::application::batch::{self, Batch, ChangedAggregate};
use crate::application::{Application, lending, saving, snapshots};
use crate::error::{Error, Result};

/// Collects the new events of a policy. They are recorded in one transaction with the position of
/// the event that the policy processes, so each event is processed exactly once.
///
/// The idea comes from the `ProcessingEvent` of the Python library `eventsourcing`.
pub struct ProcessingEvent {
    application: Application,
    batch: Rc<RefCell<Batch>>,
    refused: Option<Error>,
}

impl ProcessingEvent {
    pub(crate) fn new(application: Application, batch: Rc<RefCell<Batch>>) -> Self {
        Self {
            application,
            batch,
            refused: None,
        }
    }

    /// Collects the pending events of one aggregate (`&mut counter`), or of several
    /// (`(&mut a, &mut b)`) in this order.
    ///
    /// Afterwards the repository returns these aggregates in their current state, within the batch.
    /// If something cannot be collected, the policy has failed, whatever it returns. Examples are
    /// an event that cannot be encoded, and an older copy of an aggregate that was collected
    /// already.
    pub fn collect_events(&mut self, mut aggregates: impl Aggregates) {
        // What another save has sent is not recorded a second time.
        if let Err(error) = saving::settle(&self.application, &mut aggregates) {
            self.refused.get_or_insert(error);
            return;
        }
        let mut batch = self.batch.borrow_mut();
        let mut collect = Collect {
            application: &self.application,
            batch: &mut batch,
        };
        if let Err(error) = aggregates.__visit(&mut collect) {
            self.refused.get_or_insert(error);
        }
    }

    /// Fails if something could not be collected, with the error of the first failure.
    pub(crate) fn refused(self) -> Result<()> {
        self.refused.map_or(Ok(()), Err)
    }
}

impl std::fmt::Debug for ProcessingEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessingEvent")
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

struct Collect<'a> {
    application: &'a Application,
    batch: &'a mut Batch,
}

impl Visitor for Collect<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let application = self.application;
        let recording = Recording::new(saving::encode(application, aggregate)?);
        recording
            .check(application.recorder()?.id_type(), Role::Follower)
            .map_err(|e| application.store_error(e))?;
        let events = recording.events;
        let Some(first) = events.first().map(|event| event.originator_version) else {
            return Ok(());
        };
        let root = aggregate.__root_mut();
        let id = root.id().clone();
        self.refuse_stale(&id, first)?;
        root.__saved_up_to(root.version());
        let changed = ChangedAggregate {
            version: aggregate.__root().version(),
            snapshot: snapshots::due(application, aggregate, first),
        };
        let bytes = batch::bytes_of(&events);
        self.batch.add(id, events, changed);
        lending::lend_changed(self.batch, aggregate.__root_mut(), first, bytes);
        Ok(())
    }
}

impl Collect<'_> {
    /// Refuses the second of two changed copies of one aggregate. It would conflict with the first
    /// each time the batch runs, so the failure is the policy's and not the store's.
    fn refuse_stale(&self, id: &AggregateId, first: u64) -> Result<()> {
        match self.batch.version_of(id) {
            Some(version) if first != version + 1 => Err(Error::Usage(format!(
                "{}: version {first} of aggregate {id} was collected already: after `collect_events` get the \
                 aggregate from the repository again, instead of using an older copy",
                self.application.name()
            ))),
            _ => Ok(()),
        }
    }
}
