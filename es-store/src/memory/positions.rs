//! The positions of a follower in memory.

use std::collections::{BTreeMap, HashMap};

use crate::error::StoreError;
use crate::followed::{Followed, PolicyTopic, Replay, TopicChange};
use crate::tracking::{Tracking, replay_row};
use crate::upstream_event::UpstreamEvent;

/// The positions up to which an application has followed others.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// The positions by the names of their rows, which are those of an SQL database.
    rows: HashMap<String, Position>,
    /// The topics of the policies for each upstream, with the positions that they cover.
    topics: HashMap<String, BTreeMap<String, Option<u64>>>,
}

#[derive(Debug, Default)]
struct Position {
    at: u64,
    /// An event of the upstream, and the position for which it was recorded.
    event: Option<(u64, UpstreamEvent)>,
    /// The tag of policies, and the position for which it was recorded.
    policies: Option<(u64, String)>,
}

impl Position {
    fn event(&self) -> Option<&UpstreamEvent> {
        let (said_for, event) = self.event.as_ref()?;
        (*said_for == self.at).then_some(event)
    }

    fn policies(&self) -> Option<&String> {
        let (said_for, policies) = self.policies.as_ref()?;
        (*said_for == self.at).then_some(policies)
    }
}

impl Positions {
    /// Returns the position up to which `upstream` is processed.
    pub(super) fn tracked(&self, upstream: &str) -> Option<u64> {
        self.rows.get(upstream).map(|position| position.at)
    }

    /// Returns everything that is recorded about following `upstream`.
    pub(super) fn followed(&self, upstream: &str) -> Followed {
        let position = self.rows.get(upstream);
        let topics = self.topics.get(upstream).into_iter().flatten();
        let replay = self.rows.get(&replay_row(upstream));
        Followed {
            position: position.map(|one| one.at),
            event: position.and_then(Position::event).cloned(),
            policies: position.and_then(Position::policies).cloned(),
            topics: topics
                .map(|(topic, covered)| PolicyTopic {
                    topic: topic.clone(),
                    covered: *covered,
                })
                .collect(),
            replay: replay.and_then(|replay| {
                Some(Replay {
                    position: replay.at,
                    event: replay.event().cloned(),
                    policies: replay.policies()?.clone(),
                })
            }),
            ..Followed::default()
        }
    }

    /// Refuses a move that does not start at the recorded position, or expects other policies.
    pub(super) fn check(&self, tracking: &Tracking) -> Result<(), StoreError> {
        let row = self.rows.get(&*tracking.row());
        let found = row.map_or(0, |row| row.at);
        let policies = row.and_then(Position::policies);
        let are_expected = tracking
            .policies
            .as_ref()
            .is_none_or(|change| change.expected.as_ref() == policies);
        if found == tracking.from && are_expected {
            return Ok(());
        }
        let (upstream, expected) = (&tracking.upstream, tracking.from);
        Err(StoreError::position_moved(upstream, expected, found))
    }

    /// Returns true if the record is what it is after the move.
    pub(super) fn has_moved(&self, tracking: &Tracking) -> bool {
        let row = self.rows.get(&*tracking.row());
        if tracking.ends_replay() {
            return row.is_none();
        }
        let new = tracking.policies.as_ref().and_then(|one| one.new.as_ref());
        row.is_some_and(|row| row.at == tracking.to && (new.is_none() || row.policies() == new))
    }

    /// Carries out a move that was checked.
    pub(super) fn set(&mut self, tracking: &Tracking) {
        let Tracking {
            to, at, policies, ..
        } = tracking;
        if tracking.ends_replay() {
            self.rows.remove(&*tracking.row());
        } else {
            let row = self.rows.entry(tracking.row().into_owned()).or_default();
            row.at = *to;
            if let Some(event) = at {
                row.event = Some((*to, event.clone()));
            }
            if let Some(tag) = policies.as_ref().and_then(|one| one.new.clone()) {
                row.policies = Some((*to, tag));
            }
        }
        let topics = self.topics.entry(tracking.upstream.clone()).or_default();
        for change in policies.iter().flat_map(|one| &one.topics) {
            match change {
                TopicChange::Put(topic) => topics.insert(topic.topic.clone(), topic.covered),
                TopicChange::Remove(topic) => topics.remove(topic),
            };
        }
    }
}
