//! Policies that collect new events, on a [`ProcessingEvent`].

use std::sync::Arc;

use es_store::TopicFilter;

use crate::error::{BoxError, Result};
use crate::policy::begin::Begin;
use crate::policy::context::{Collecting, Context};
use crate::policy::kinds::{Bind, FollowerType};
use crate::policy::policy_set::DeclaredPolicies;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::Rules;
use crate::policy::table::{self, Policies};
use crate::policy::work::{Dispatch, Work};

impl Context for Collecting {
    type Of<'t> = ProcessingEvent;

    type Setup = ();
}

impl Bind for Collecting {
    fn bind<A: FollowerType<Context = Self>>(application: Arc<A>) -> Result<Work> {
        let policies = table::checked(A::policies())?;
        let rules = policies.rules(&application)?;
        Ok(Work::Policies(Arc::new(BoundPolicies {
            application,
            policies,
            rules,
        })))
    }
}

struct BoundPolicies<A> {
    application: Arc<A>,
    policies: Policies<A>,
    rules: Rules,
}

impl<A: FollowerType> Dispatch for BoundPolicies<A> {
    fn topics(&self) -> Option<TopicFilter> {
        self.policies.topics()
    }

    fn policies(&self) -> DeclaredPolicies {
        self.policies.set().clone()
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn begin(&self) -> Begin {
        self.policies.begin()
    }

    fn dispatch(
        &self,
        received: &Received<'_>,
        mut processing_event: ProcessingEvent,
    ) -> Result<(), BoxError> {
        self.policies
            .run(&self.application, received, &mut processing_event)?;
        Ok(processing_event.refused()?)
    }
}
