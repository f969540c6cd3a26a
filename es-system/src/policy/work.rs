//! The work that a follower does for each event of its upstreams.

use std::sync::Arc;

use es_store::{TopicFilter, Transaction};

use crate::error::BoxError;
use crate::policy::begin::Begin;
use crate::policy::on_error::OnError;
use crate::policy::policy_set::DeclaredPolicies;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::Rules;

/// The work that a follower does for each event.
#[derive(Clone)]
pub enum Work {
    /// The policies of a process application, which collect new events.
    #[doc(hidden)]
    Policies(Arc<dyn Dispatch>),
    /// The handlers of a projection, which change tables.
    #[doc(hidden)]
    Projection(Arc<dyn Project>),
}

impl Work {
    /// Returns the filter of the events to process, or `None` for all.
    pub(crate) fn topics(&self) -> Option<TopicFilter> {
        match self {
            Self::Policies(policies) => policies.topics(),
            Self::Projection(projection) => projection.topics(),
        }
    }

    /// Returns the topics by which the policies are recorded.
    pub(crate) fn policies(&self) -> DeclaredPolicies {
        match self {
            Self::Policies(policies) => policies.policies(),
            Self::Projection(projection) => projection.policies(),
        }
    }

    /// Returns the rule for the event `topic`, whose policy fails or which cannot be decoded.
    pub(crate) fn rule(&self, topic: &str) -> OnError {
        self.rules().rule(topic)
    }

    /// Returns the rule for the event `topic`, which is newer than this program. `None` is to wait
    /// for a newer program.
    pub(crate) fn rule_of_newer(&self, topic: &str) -> Option<OnError> {
        self.rules().rule_of_newer(topic)
    }

    /// Returns true if one of the rules may set an event aside.
    pub(crate) fn can_set_aside(&self) -> bool {
        self.rules().can_set_aside()
    }

    /// Returns the maximum number of events that are set aside.
    pub(crate) fn failures_max(&self) -> u64 {
        self.rules().failures_max()
    }

    /// Returns the position up to which a new follower leaves out the events of an upstream with
    /// this head. It may be above the head.
    pub(crate) fn begins_behind(&self, head: u64) -> u64 {
        let begin = match self {
            Self::Policies(policies) => policies.begin(),
            Self::Projection(projection) => projection.begin(),
        };
        begin.position(head)
    }

    fn rules(&self) -> &Rules {
        match self {
            Self::Policies(policies) => policies.rules(),
            Self::Projection(projection) => projection.rules(),
        }
    }

    /// Returns true if the policies are those of a projection.
    pub(crate) fn is_projection(&self) -> bool {
        matches!(self, Self::Projection(_))
    }
}

/// The policies of one application object.
pub trait Dispatch: Send + Sync {
    /// Returns the filter of the events that have a policy, or `None` if a policy handles all other
    /// events.
    fn topics(&self) -> Option<TopicFilter>;

    /// Returns the topics by which the policies are recorded.
    fn policies(&self) -> DeclaredPolicies;

    /// Returns the rules for events at which a policy fails.
    fn rules(&self) -> &Rules;

    /// Returns the event with which a new follower begins.
    fn begin(&self) -> Begin;

    /// Runs the policy for one event. A panic of the policy becomes an error.
    fn dispatch(
        &self,
        received: &Received<'_>,
        processing_event: ProcessingEvent,
    ) -> Result<(), BoxError>;
}

/// The function that creates the tables of a projection.
pub(crate) type MakeTables = fn(&mut Transaction<'_>) -> Result<(), BoxError>;

/// The handlers of one projection.
pub trait Project: Send + Sync {
    /// Returns the filter of the events that have a handler, or `None` if a handler handles all
    /// other events.
    fn topics(&self) -> Option<TopicFilter>;

    /// Returns the topics by which the handlers are recorded.
    fn policies(&self) -> DeclaredPolicies;

    /// Returns the rules for events at which a handler fails.
    fn rules(&self) -> &Rules;

    /// Returns the event with which a new follower begins.
    fn begin(&self) -> Begin;

    /// Runs the handler for one event. A panic of the handler becomes an error.
    ///
    /// # Errors
    /// Returns the error of the handler.
    fn project(&self, received: &Received<'_>, tx: &mut Transaction<'_>) -> Result<(), BoxError>;

    /// Returns the function that creates the tables.
    fn make_tables(&self) -> MakeTables;
}
