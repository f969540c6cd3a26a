//! An edge that changes the recorded policies is not settled.

use std::sync::Arc;

use es_store::{Env, PolicyTopic, Role, TopicFilter};

use super::super::*;
use crate::application::Application;
use crate::error::BoxError;
use crate::follower::processor::Processor;
use crate::policy::begin::Begin;
use crate::policy::policy_set::DeclaredPolicies;
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::Rules;
use crate::policy::work::{Dispatch, Work};

#[derive(Default)]
struct NoPolicies {
    rules: Rules,
}

impl Dispatch for NoPolicies {
    fn topics(&self) -> Option<TopicFilter> {
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

#[test]
fn an_edge_that_has_just_recorded_a_change_is_not_settled() {
    let open = |name, role| Application::open(name, role, Env::new());
    let upstream = open("School", Role::Leader).expect("a store in memory");
    let application = open("Shop", Role::Follower).expect("a store in memory");
    let work = Work::Policies(Arc::new(NoPolicies::default()));
    let edge = Edge::new(Arc::new(Processor::new(application, work)), upstream);
    edge.state().membership.is_settled = true;
    let found = edge.follower().followed("School").expect("it is read");
    let change = Change::new(Vec::new()).live(["Dog.Renamed"]);
    let admitted = edge.carry_out(Decision::Record(change), &found);
    assert!(matches!(admitted, Ok(Admitted::Changed)));
    let recorded = edge.follower().followed("School").expect("it is read");
    assert_eq!(recorded.topics, [PolicyTopic::live("Dog.Renamed")]);
    assert!(!edge.is_settled());
}
