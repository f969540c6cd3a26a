//! The events in front of a position that added policies have not been offered.

use es_store::{PolicyTopic, TopicFilter};

use crate::policy::policy_set::{closest, covers, filter};

/// The position of a topic that is live, above all others.
const LIVE: u64 = u64::MAX;

/// The recorded topics, as positions up to which events were offered.
#[derive(Debug, Clone, Default)]
pub(in crate::follower) struct Coverage(Vec<(String, u64)>);

impl Coverage {
    pub(in crate::follower) fn new(rows: &[PolicyTopic]) -> Self {
        let covered = |row: &PolicyTopic| (row.topic.clone(), row.covered.unwrap_or(LIVE));
        Self(rows.iter().map(covered).collect())
    }

    /// Returns the position up to which all events of `topic` were offered; 0 is none.
    pub(in crate::follower) fn of(&self, topic: &str) -> u64 {
        let covering = self.0.iter().filter(|(of, _)| covers(of, topic));
        covering.map(|(_, position)| *position).max().unwrap_or(0)
    }

    pub(in crate::follower) fn is_live(&self, topic: &str) -> bool {
        self.of(topic) == LIVE
    }

    /// Returns true if a topic is recorded that covers `topic`, live or not.
    pub(in crate::follower) fn knows(&self, topic: &str) -> bool {
        self.0.iter().any(|(of, _)| covers(of, topic))
    }
}

/// The events of added topics that were not offered. An added topic that is not wanted keeps its
/// events from those that cover it.
#[derive(Debug, Clone)]
pub(in crate::follower) struct Missed {
    coverage: Coverage,
    /// The added topics, with true for those that are wanted.
    added: Vec<(String, bool)>,
}

impl Missed {
    pub(in crate::follower) fn new(coverage: Coverage, added: Vec<(String, bool)>) -> Self {
        Self { coverage, added }
    }

    /// Returns the position before the first of the events.
    pub(in crate::follower) fn start(&self) -> u64 {
        let starts = self.wanted().map(|topic| self.coverage.of(topic));
        starts.min().unwrap_or(0)
    }

    /// Returns the filter that selects the events, and others.
    pub(in crate::follower) fn filter(&self) -> Option<TopicFilter> {
        filter(self.wanted())
    }

    /// Returns true if the event of `topic` at `position` is one of them.
    pub(in crate::follower) fn contains(&self, topic: &str, position: u64) -> bool {
        let closest = self.added_for(topic);
        let is_wanted = closest.is_some_and(|one| self.wanted().any(|wanted| wanted == one));
        is_wanted && position > self.coverage.of(topic)
    }

    /// Returns the added topic to which the event of `topic` belongs.
    pub(in crate::follower) fn added_for(&self, topic: &str) -> Option<&str> {
        closest(self.added.iter().map(|(added, _)| &**added), topic)
    }

    /// Returns true if the events of `topic` are offered in order, or belong to the added topics.
    pub(in crate::follower) fn knows(&self, topic: &str) -> bool {
        let mut added = self.added.iter();
        self.coverage.is_live(topic) || added.any(|(added, _)| covers(added, topic))
    }

    fn wanted(&self) -> impl Iterator<Item = &str> {
        let wanted = self.added.iter().filter(|(_, is_wanted)| *is_wanted);
        wanted.map(|(topic, _)| &**topic)
    }
}
