//! The work of operators on single events: they skip the one in front of which a follower stands,
//! and have those that are set aside tried again or given up.
//!
//! Concurrency: whoever asks does the work, beside the followers that run. Each change is fenced by
//! the record as that of a follower is: a move by the position at which it starts, and a retry by
//! the row that it removes.

use es_core::Timestamp;
use es_store::{
    Decision as Decided, DecisionKind, Followed, Head, Notification, Operation, OperationKind,
    PoliciesMove, Recording, SetAside, SetAsideChange, SetAsideQuery, StoredEvent, Tracking,
    UpstreamEvent,
};

use crate::error::{Error, ErrorKind, Result};
use crate::follower::Follower;
use crate::follower::aside::sequence;
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;
use crate::follower::refusals::Refusals;
use crate::follower::retrying::{Retried, Retrying};

/// The maximum number of times that a retry of one event begins again because another program was
/// first.
const CONTENTIONS: u32 = 100;

/// The outcome of retries.
#[derive(Debug, Default)]
pub(crate) struct RetryOutcome {
    /// The number of events that were processed.
    pub(crate) done: u64,
    /// The events that have failed again, with their errors. The events of their sequences behind
    /// them were not tried.
    pub(crate) failed: Vec<(u64, Error)>,
}

impl Follower {
    /// Passes over the event at `position` of `upstream`, in front of which the follower stands.
    ///
    /// # Errors
    /// Fails if the follower stands in front of another event, which the error names, and if
    /// another program has other policies.
    pub(crate) fn skip(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        let edge = self.edge(upstream)?;
        let found = self.application().followed(upstream)?;
        let head = edge
            .history()
            .verify_head(&found, edge.upstream().head()?)?;
        let policies = edge.policies_of_move(&found)?;
        let next = match &head {
            Some(head) => edge.next_wanted(&found, head, position)?,
            None => None,
        };
        let (event, identity) = match next {
            Some((event, identity)) if event.id == position => (event, identity),
            Some((event, _)) => {
                let next = event.id;
                return Err(self.stands(upstream, &format!("in front of position {next}")));
            }
            None => return Err(self.stands(upstream, "behind the last event that it follows")),
        };
        let now = Timestamp::now();
        let mut row = SetAside::new(upstream, sequence(&event), &event, now).decided(Decided::new(
            DecisionKind::Skipped,
            who,
            now,
        ));
        row.digest = identity.digest;
        let change = SetAsideChange::Put {
            event: Box::new(row),
            behind: None,
        };
        let tracking = Tracking::new(upstream, found.position.unwrap_or(0), position)
            .policies(policies)
            .at(identity);
        let recording = edge
            .beginning(&found, position)?
            .tracking(tracking)
            .set_aside(change)
            .operation(Operation::new(OperationKind::Skipped, upstream, who, now).at(position));
        self.application().record(&recording)?;
        Ok(())
    }

    /// Gives up the event at `position` of `upstream`, which is set aside. The next event of its
    /// sequence is tried.
    ///
    /// # Errors
    /// Fails if it is not set aside, or not any more.
    pub(crate) fn discard(&self, upstream: &str, position: u64, who: &str) -> Result<()> {
        self.edge(upstream)?;
        self.waiting_at(upstream, position)?;
        let now = Timestamp::now();
        let change = SetAsideChange::Decide {
            upstream: upstream.to_owned(),
            position,
            decision: Decided::new(DecisionKind::Discarded, who, now),
        };
        let operation = Operation::new(OperationKind::Discarded, upstream, who, now).at(position);
        let recording = Recording::default().set_aside(change).operation(operation);
        self.application().record(&recording)?;
        Ok(())
    }

    /// Tries events of `upstream` that are set aside, now and on this thread: the sequence of the
    /// event at `position`, or all. The events of a sequence are tried in order, until one fails.
    ///
    /// # Errors
    /// Fails if no event is set aside at `position`, and if a store fails. The record keeps
    /// what was done before.
    pub(crate) fn retry(
        &self,
        upstream: &str,
        position: Option<u64>,
        who: &str,
    ) -> Result<RetryOutcome> {
        let edge = self.edge(upstream)?;
        let found = self.application().followed(upstream)?;
        edge.refuse_to_step_back(&found)?;
        let sequences = match position {
            Some(position) => vec![self.waiting_at(upstream, position)?.sequence],
            None => {
                let rows = self.set_aside(&SetAsideQuery::of(upstream).firsts())?;
                rows.into_iter().map(|row| row.sequence).collect()
            }
        };
        let tag = self.processor.policies.tag.clone();
        let policies = PoliciesMove::new(found.policies.clone(), tag);
        let retrying = Retrying {
            processor: &self.processor,
            upstream: edge.upstream(),
            in_hand: None,
            counters: &edge.counters,
            began: found.began,
            policies: &policies,
        };
        let mut outcome = RetryOutcome::default();
        for sequence in sequences {
            self.retry_sequence(retrying, sequence, who, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn retry_sequence(
        &self,
        retrying: Retrying<'_>,
        sequence: String,
        who: &str,
        outcome: &mut RetryOutcome,
    ) -> Result<()> {
        let upstream = retrying.upstream.name();
        let first = SetAsideQuery::of(upstream)
            .firsts()
            .sequences(vec![sequence]);
        let mut refusals = Refusals::default();
        let (mut last, mut contentions) = (0, 0);
        loop {
            let Some(row) = self.set_aside(&first)?.into_iter().next() else {
                return Ok(());
            };
            if row.position != last {
                // Whoever was first has made progress.
                (last, contentions) = (row.position, 0);
            }
            let now = Timestamp::now();
            let retried =
                Operation::new(OperationKind::Retried, upstream, who, now).at(row.position);
            match retrying.retry(&row, &mut refusals, Some(retried)) {
                Ok(Retried::Done { .. }) => outcome.done += 1,
                Ok(Retried::Failed { error }) => {
                    outcome.failed.push((row.position, error));
                    return Ok(());
                }
                Err(Failure::Retry { pause, .. })
                    if pause.is_contention() && contentions < CONTENTIONS =>
                {
                    contentions += 1;
                }
                Err(failure) => return Err(failure.into_error(self.name())),
            }
        }
    }

    /// Returns the edge to an application that is followed.
    pub(super) fn edge(&self, upstream: &str) -> Result<&Edge> {
        let mut edges = self.edges.iter();
        let edge = edges.find(|edge| edge.upstream().name() == upstream);
        edge.map(|edge| &**edge).ok_or_else(|| {
            let name = self.name();
            Error::Usage(format!("`{name}` does not follow `{upstream}`"))
        })
    }

    pub(super) fn set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>> {
        self.application()
            .on_store(|store| store.select_set_aside(query))
    }

    fn waiting_at(&self, upstream: &str, position: u64) -> Result<SetAside> {
        let found = self.set_aside(&SetAsideQuery::of(upstream).waiting().at(position))?;
        found.into_iter().next().ok_or_else(|| {
            let name = self.name();
            Error::Usage(format!(
                "{name}: no event at position {position} of `{upstream}` is set aside and waits"
            ))
        })
    }

    fn stands(&self, upstream: &str, place: &str) -> Error {
        let name = self.name();
        Error::Usage(format!(
            "`{name}` stands {place} of `{upstream}`: only the event in front of which it stands \
             can be skipped"
        ))
    }
}

impl Edge {
    /// Returns the first event behind the position that a policy wants, with its identity. If it is
    /// the one at `position`, its row may be damaged; then its topic is empty.
    fn next_wanted(
        &self,
        found: &Followed,
        head: &Head,
        position: u64,
    ) -> Result<Option<(Notification, UpstreamEvent)>> {
        let from = found.position.unwrap_or(0);
        let page = |to| self.processor.page(self.upstream(), from, to, 1);
        let (page, _) = match page(head.position) {
            Err(error) if error.kind() == ErrorKind::BadData && position > from => {
                let (before, _) = page(position - 1)?;
                if before.notifications.is_empty() {
                    return self.damaged(position, error);
                }
                (before, false)
            }
            page => page?,
        };
        self.history().verify(found, page.start.as_ref())?;
        let next = page.notifications.into_iter().next();
        Ok(next.map(|next| {
            let identity = UpstreamEvent::from(&next.event);
            (next, identity)
        }))
    }

    /// Returns the event at `position`, whose topic or state cannot be read, because of `error`.
    fn damaged(
        &self,
        position: u64,
        error: Error,
    ) -> Result<Option<(Notification, UpstreamEvent)>> {
        let found = self.upstream().on_store(|store| store.event_at(position))?;
        let identity = found.ok_or(error)?;
        let (id, version) = (identity.originator_id.clone(), identity.originator_version);
        let event = StoredEvent::new(id, version, "", Vec::new());
        Ok(Some((Notification::new(position, event), identity)))
    }
}

#[cfg(test)]
mod tests;
