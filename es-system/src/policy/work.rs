//! What a follower does with the events of its upstreams.

use std::sync::Arc;

use es_store::Transaction;

use crate::error::BoxError;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;

/// What a follower does with events.
#[derive(Clone)]
pub enum Work {
    /// It collects new events.
    #[doc(hidden)]
    Policies(Arc<dyn Dispatch>),
    /// It changes tables.
    #[doc(hidden)]
    Projection(Arc<dyn Project>),
}

impl Work {
    /// The topics of the events that it wants, sorted; `None` is all.
    pub(crate) fn topics(&self) -> Option<Arc<[String]>> {
        match self {
            Self::Policies(policies) => policies.topics(),
            Self::Projection(projection) => projection.topics(),
        }
    }
}

/// The policies of one application object.
pub trait Dispatch: Send + Sync {
    /// The topics that have a policy, sorted; `None` if a policy takes everything else.
    fn topics(&self) -> Option<Arc<[String]>>;

    /// Runs the policy for one event. A panic of it is an error.
    fn dispatch(
        &self,
        received: &Received<'_>,
        processing_event: ProcessingEvent,
    ) -> Result<(), BoxError>;
}

/// What makes the tables of a projection.
pub(crate) type MakeTables = fn(&mut Transaction<'_>) -> Result<(), BoxError>;

/// The handlers of one projection.
pub trait Project: Send + Sync {
    /// The topics that have a handler, sorted; `None` if a handler takes everything else.
    fn topics(&self) -> Option<Arc<[String]>>;

    /// Runs the handler for one event. A panic of it is an error.
    ///
    /// # Errors
    /// What the handler returned.
    fn project(&self, received: &Received<'_>, tx: &mut Transaction<'_>) -> Result<(), BoxError>;

    /// What makes the tables.
    fn make_tables(&self) -> MakeTables;
}
