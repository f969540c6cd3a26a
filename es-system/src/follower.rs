//! Followers: applications that process the events of others with their policies.
//!
//! Exactly once. A batch starts at the *recorded* position, never at one that a process remembers.
//! Its new events and the move of the position are one transaction, which commits only if the
//! recorded position is still the one that the batch started at. So if two instances, in this
//! process or another, process the same events, one commits and the other drops its batch. An
//! instance that dies leaves either both changes or neither.
//!
//! The head of the upstream is read *before* the page. A page that is not full holds every event up
//! to that head, so the position may move to it, past events that no policy wants. If the head were
//! read after the page, it could lie above an event that was committed in between, and that event
//! would be skipped.
//!
//! A follower has an [`Edge`] for each application that it follows. An edge owns everything that is
//! known about following that one upstream. It takes one step at a time and never waits. The edges
//! of a follower share its [`Processor`].

mod admission;
mod aside;
mod batch;
mod collecting;
mod delay;
pub(crate) mod edge;
mod events;
mod failure;
pub(crate) mod history;
pub(crate) mod metrics;
mod moving;
mod operating;
mod policies;
mod processor;
mod projecting;
mod pulling;
mod reaction;
mod rebuild;
mod refusals;
mod reporting;
mod retrying;
mod rules;
pub(crate) mod status;
mod steering;
pub(crate) mod step;

use std::sync::Arc;

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::edge::Edge;
use crate::follower::processor::Processor;
use crate::follower::rebuild::Rebuild;
use crate::follower::status::{Condition, FollowerStatus};
use crate::policy::work::Work;
use crate::projection::progress::RebuildProgress;

/// An application that follows others, with an edge for each of them.
pub(crate) struct Follower {
    processor: Arc<Processor>,
    /// The edges, in the order in which the upstreams are defined.
    edges: Vec<Arc<Edge>>,
}

impl Follower {
    pub(crate) fn new(application: Application, upstreams: Vec<Application>, work: Work) -> Self {
        let processor = Arc::new(Processor::new(application, work));
        let edge = |upstream| Arc::new(Edge::new(processor.clone(), upstream));
        Self {
            edges: upstreams.into_iter().map(edge).collect(),
            processor,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.application().name()
    }

    pub(crate) fn application(&self) -> &Application {
        &self.processor.application
    }

    /// Returns true if it is a projection.
    pub(crate) fn is_projection(&self) -> bool {
        self.processor.work.is_projection()
    }

    pub(crate) fn edges(&self) -> &[Arc<Edge>] {
        &self.edges
    }

    /// Ends the current batch after the event in hand. No other batch is begun.
    pub(crate) fn finish(&self) {
        self.processor.finish();
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.processor.is_finishing()
    }

    /// Prevents every later commit of this follower, because its thread did not stop in time.
    pub(crate) fn abandon(&self) {
        self.processor.abandon();
    }

    /// Returns the upstream and the position of the event whose policy runs now and waits for no
    /// store.
    pub(crate) fn in_hand(&self) -> Option<(&str, u64)> {
        self.edges
            .iter()
            .find_map(|edge| Some((edge.upstream.name(), edge.in_hand()?)))
    }

    /// Returns the error that stopped the follower, if it has stopped.
    pub(crate) fn stopped(&self) -> Option<Error> {
        self.processor.stopped()
    }

    /// Returns the error of a store that is configured wrongly, from the third attempt on.
    pub(crate) fn misconfigured(&self) -> Option<Error> {
        self.edges.iter().find_map(|edge| edge.misconfigured())
    }

    /// Fails if a rule may set events aside, and the store cannot keep them. If the store cannot be
    /// read now, the steps of the edges find out.
    pub(crate) fn refuse_to_set_aside(&self) -> Result<()> {
        self.application().policy_limit()?;
        if !self.processor.work.can_set_aside() {
            return Ok(());
        }
        match self.application().on_store(|store| store.check_set_aside()) {
            Err(error) if error.is_of_configuration() => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the condition of the follower and of each of its edges, and the positions. They are
    /// in one store: if one cannot be read, the others are not tried.
    pub(crate) fn status(&self) -> FollowerStatus {
        let mut can_read = true;
        let status = |edge: &Arc<Edge>| {
            let status = edge.status(can_read);
            can_read = status.position.is_some();
            status
        };
        let edges: Vec<_> = self.edges.iter().map(status).collect();
        let worst = edges
            .iter()
            .map(|edge| &edge.condition)
            .max_by_key(|c| c.severity());
        FollowerStatus {
            follower: self.name().to_owned(),
            condition: worst.cloned().unwrap_or(Condition::Running),
            edges,
        }
    }

    /// Rebuilds the tables of the projection on this thread. Returns true if the follower had
    /// stopped and continues now.
    pub(crate) fn rebuild(&self, progress: &mut dyn FnMut(&RebuildProgress)) -> Result<bool> {
        Rebuild::begin(&self.processor, &self.edges)?.run(progress)?;
        let goes_on = self.processor.repaired();
        if goes_on {
            tracing::info!(follower = self.name(), "a follower goes on");
        }
        Ok(goes_on)
    }

    /// Drops the tables that an interrupted rebuild has made. Returns false if there were none.
    pub(crate) fn discard_rebuild(&self) -> Result<bool> {
        rebuild::discard(&self.processor)
    }
}
