//! The switch from the old tables to the new ones.

use es_core::error_chain;
use es_store::{PoliciesSwitch, StoreError, Tables, Transaction};

use super::{Rebuild, Upstream, lock, while_in_use};
use crate::error::{Error, Result};
use crate::follower::aside::Aside;
use crate::follower::batch::{BATCH_EVENTS, Until};
use crate::follower::events::{EventSlice, Lane};
use crate::follower::failure::{EventFailure, Failure};
use crate::follower::history::History;
use crate::follower::projecting;

impl<'a> Rebuild<'a> {
    /// Takes the lock again if it was lost, and replaces the old tables with the new ones. Returns
    /// false if the old ones are too far ahead.
    ///
    /// Another owner of the lock may have ended this rebuild meanwhile. The switch knows, because
    /// it compares the number of the rebuild in its transaction.
    pub(super) fn hold_lock_and_switch(&mut self) -> Result<bool, Failure> {
        if let Err(error) = self.lock.check() {
            let (projection, error) = (self.processor.name(), error_chain(&error));
            tracing::warn!(projection, %error, "the lock of a rebuild was lost, and is taken again");
            self.lock = lock(self.processor)?;
        }
        Ok(while_in_use(|| self.switch())?)
    }

    /// Replaces the old tables if they have the events of no policy that the new ones lack.
    ///
    /// Concurrency: another program may change the policies after this look, or continue the
    /// rebuild. Then the switch finds others than those that it expects, and this looks again.
    fn switch(&mut self) -> Result<bool> {
        // A batch that was read before the switch does not know what the rebuild has set aside, so
        // it must not find the tag that it expects.
        let mut new = self.processor.policies.recorded();
        new.tag = format!("rebuild {} {}", self.number, new.tag);
        let policies = |upstream: &Upstream<'a>| {
            let found = upstream.edge.admit_switch(&upstream.begun)?;
            Ok(PoliciesSwitch::new(
                upstream.application.name(),
                found.topics,
                upstream.followed.policies.clone(),
                new.clone(),
            ))
        };
        let policies: Vec<_> = self.upstreams.iter().map(policies).collect::<Result<_>>()?;
        let asides: Vec<_> = (0..self.upstreams.len())
            .map(|index| self.aside(index))
            .collect::<Result<_>>()?;
        let mut failure = None;
        let catch_up = &mut |tx: &mut Transaction<'_>, index: usize, from, to| {
            let caught = self.catch_up(tx, index, &asides[index], (from, to));
            caught.unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        };
        let switched = self.tables.switch(self.number, &policies, catch_up);
        match failure {
            Some(error) => Err(error),
            None => self.switched(switched),
        }
    }

    fn switched(&mut self, switched: Result<bool, StoreError>) -> Result<bool> {
        if let Err(StoreError::PositionMoved { .. }) = &switched {
            for index in 0..self.upstreams.len() {
                self.look_again(index)?;
            }
        }
        switched.map_err(|e| self.processor.application.store_error(e))
    }

    /// Processes, in the transaction of the switch, the events that only the old tables have.
    /// Returns false if that has to be done in batches: there are too many of them, or one is to be
    /// set aside.
    fn catch_up(
        &self,
        tx: &mut Transaction<'_>,
        index: usize,
        aside: &Aside,
        (from, to): (u64, u64),
    ) -> Result<bool> {
        let upstream = self.upstreams[index].application;
        let (page, is_full) = self.processor.page(upstream, from, to, BATCH_EVENTS)?;
        let history = History {
            follower: self.processor.name(),
            upstream,
        };
        history.verify(&self.upstreams[index].followed, page.start.as_ref())?;
        if is_full {
            return Ok(false);
        }
        let lane = Lane::Rebuild(self.upstreams[index].policies(self.processor));
        let events = EventSlice {
            upstream,
            lane: &lane,
            from,
            page: &page.notifications,
            rest: None,
            aside: Some(aside),
            began: self.upstreams[index].begun.began,
        };
        let timeout = self.processor.application.policy_timeout()?;
        let batch_loop = self.batch_loop(Until::PageEnds);
        match projecting::run(batch_loop, self.projection, events.offered(), tx, timeout).1 {
            None => {
                let changes = aside.changes(events.page);
                let name = upstream.name();
                let changed = Tables::change_while_catching_up(tx, name, &changes);
                changed.map_err(|e| self.processor.application.store_error(e))?;
                Ok(true)
            }
            Some(EventFailure::Policy(Error::Policy(event)))
                if self.processor.work.rule(&event.topic).can_set_aside() =>
            {
                Ok(false)
            }
            Some(EventFailure::Newer(event)) => Err(Error::Policy(event)),
            Some(
                EventFailure::Store(error)
                | EventFailure::Refused { error, .. }
                | EventFailure::Policy(error),
            ) => Err(error),
        }
    }
}
