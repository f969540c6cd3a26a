//! The events that a rebuild passes without their handlers: those about which it was decided, and
//! those that it sets aside by the rules of the user.
//!
//! The events that it sets aside are recorded beside those of the tables that are queried. In the
//! switch they take the place of those that wait, because the new tables have had all other events.
//! So a retry applies no event that a rebuild has applied.

use es_store::SetAsideQuery;

use super::Rebuild;
use crate::error::{Error, Result, RetryLater};
use crate::follower::aside::{self, Aside, Failed};
use crate::follower::events::EventSlice;
use crate::follower::failure::Failure;
use crate::follower::rules;

impl<'a> Rebuild<'a> {
    /// Reads what the next events of an upstream are passed for.
    pub(super) fn aside(&self, index: usize) -> Result<Aside> {
        let this = &self.upstreams[index];
        let application = &self.processor.application;
        let (name, failed) = (this.application.name(), this.failed.clone());
        let failed = failed.filter(|failed| failed.position > this.position());
        Aside::of_rebuild(application, name, this.position(), failed)
    }

    /// Returns the first of `events`, up to the first one that would have to be set aside beyond
    /// the limit. Fails if there are none.
    pub(super) fn allowed<'b>(
        &self,
        index: usize,
        events: EventSlice<'b>,
        aside: &'b Aside,
    ) -> Result<EventSlice<'b>, Failure> {
        let events = EventSlice {
            aside: Some(aside),
            ..events
        };
        if !events.page.iter().any(|event| aside.has(event)) {
            return Ok(events);
        }
        let application = &self.processor.application;
        let upstream = self.upstreams[index].application.name();
        let waiting = SetAsideQuery::of_rebuild(upstream).waiting();
        let waiting = application.on_store(|store| store.select_set_aside(&waiting))?;
        let waiting = waiting.len() as u64;
        let most = self.processor.work.failures_max();
        let allowed = aside.within(most.saturating_sub(waiting), events.page);
        if allowed == 0 {
            return Err(Failure::Stop(aside::is_full(
                application,
                upstream,
                waiting,
            )));
        }
        let allowed = if aside.has_failed() { 1 } else { allowed };
        Ok(events.first(allowed))
    }

    /// Has the next batch set the failed event aside, if its rule says so, and returns true,
    /// because there is more to do. Any other failure ends the rebuild or has its batch run again,
    /// because somebody waits for it.
    pub(super) fn apply_rule(&mut self, index: usize, failure: Failure) -> Result<bool, Failure> {
        let work = &self.processor.work;
        let (event, rule) = match &failure {
            Failure::Policy(Error::Policy(event)) => (event, Some(work.rule(&event.topic))),
            Failure::Newer(event) => (event, work.rule_of_newer(&event.topic)),
            _ => return Err(failure),
        };
        let asked = RetryLater::delay_of(&*event.error);
        let Some(due_in) = rule.and_then(|rule| rules::in_rebuild(rule, asked)) else {
            return Err(failure);
        };
        self.upstreams[index].failed = Some(Failed {
            position: event.position,
            error: self.processor.application.sealed(&*event.error),
            due_in,
        });
        Ok(true)
    }
}
