//! What a policy hands back.

use std::cell::RefCell;
use std::rc::Rc;

use es_core::Aggregate;

use crate::aggregates::{Aggregates, Visitor};
use crate::batch::Batch;
use crate::{Application, Error, Result};

/// Collects the new events of a policy, to be recorded in one transaction with the position of the event that it
/// processes: so each event is processed exactly once.
///
/// Comes from the `ProcessingEvent` of the Python library `eventsourcing`.
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

    /// Takes the pending events of one aggregate (`&mut counter`), or of several (`(&mut a, &mut b)`), in
    /// this order.
    ///
    /// Afterwards the repository shows the aggregates as they are now, within the batch. If something cannot be
    /// collected (an event that cannot be encoded; an older copy of an aggregate that was
    /// collected already) the policy has failed, whatever it returns.
    pub fn collect_events(&mut self, mut aggregates: impl Aggregates) {
        let mut batch = self.batch.borrow_mut();
        let mut collect = Collect {
            application: &self.application,
            batch: &mut batch,
        };
        if let Err(error) = aggregates.__visit(&mut collect) {
            self.refused.get_or_insert(error);
        }
    }

    /// Why something could not be collected, if something could not.
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
        self.batch.collect(self.application, aggregate)
    }
}
