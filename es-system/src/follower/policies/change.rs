//! The changes of what is recorded about the policies of a follower.

use es_store::{Followed, PoliciesMove, PolicyTopic, Replay, TopicChange, Tracking};

use super::missed::Coverage;
use super::replaying::Replaying;
use crate::policy::policy_set::{covers, tag, widest};

/// A change of the recorded topics and of the replay, at a position that does not move.
#[derive(Debug, Clone)]
pub(in crate::follower) struct Change {
    /// The topics as they are recorded after the change.
    rows: Vec<PolicyTopic>,
    replay: ReplayChange,
}

#[derive(Debug, Clone)]
enum ReplayChange {
    None,
    Begin { at: u64, replaying: Replaying },
    End,
}

impl Change {
    /// Creates the change of nothing.
    pub(in crate::follower) fn new(rows: Vec<PolicyTopic>) -> Self {
        Self {
            rows,
            replay: ReplayChange::None,
        }
    }

    /// Makes `topics` live. The topics that they cover need no record of their own any more.
    pub(in crate::follower) fn live<'a>(
        mut self,
        topics: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let topics: Vec<_> = topics.into_iter().collect();
        let all = self.live_topics().chain(topics.iter().copied());
        let live: Vec<_> = widest(all).into_iter().map(PolicyTopic::live).collect();
        let is_covered = |row: &PolicyTopic| live.iter().any(|of| covers(&of.topic, &row.topic));
        let mut rows = live.clone();
        rows.extend(self.rows.into_iter().filter(|row| !is_covered(row)));
        self.rows = rows;
        self
    }

    /// Records that the events of `topics` were offered up to `position`, and no later ones.
    pub(in crate::follower) fn covered<'a>(
        mut self,
        topics: impl Iterator<Item = &'a str>,
        position: u64,
    ) -> Self {
        for topic in topics {
            let before = Coverage::new(&self.rows);
            let known = self.rows.iter().position(|row| row.topic == *topic);
            let covered = match known.map(|index| self.rows.remove(index)) {
                Some(PolicyTopic { covered: None, .. }) => position,
                _ if before.is_live(topic) => continue,
                _ => before.of(topic).max(position),
            };
            self.rows.push(PolicyTopic::covered(topic, covered));
        }
        self
    }

    /// Begins a replay behind the position `at`.
    pub(in crate::follower) fn begin(self, at: u64, replaying: Replaying) -> Self {
        let replay = ReplayChange::Begin { at, replaying };
        Self { replay, ..self }
    }

    /// Ends the replay that is recorded.
    pub(in crate::follower) fn end(self) -> Self {
        Self {
            replay: ReplayChange::End,
            ..self
        }
    }

    /// Returns the topics as they are recorded after the change.
    pub(in crate::follower) fn rows(&self) -> &[PolicyTopic] {
        &self.rows
    }

    /// Returns true if there is a replay after the change.
    pub(in crate::follower) fn replays(&self, found: &Followed) -> bool {
        match self.replay {
            ReplayChange::None => found.replay.is_some(),
            ReplayChange::Begin { .. } => true,
            ReplayChange::End => false,
        }
    }

    /// Returns the policies with which a move of the position records the change.
    ///
    /// The tag stands for all rows, and not for the live topics alone. Others may take a topic in
    /// and out again while the position stands. A change that was decided before is refused then,
    /// because the row that they have left is in the tag.
    pub(in crate::follower) fn policies(&self, found: &Followed) -> PoliciesMove {
        let rows: Vec<_> = self.rows.iter().map(text).collect();
        let mut tag = tag(&rows.iter().map(String::as_str).collect());
        if self.replays(found) {
            // A batch that was read before the replay began expects another tag.
            tag = format!("replay {tag}");
        }
        let policies = PoliciesMove::new(found.policies.clone(), tag);
        self.changes(found).fold(policies, PoliciesMove::topic)
    }

    /// Returns the moves that record the change, from the position that was found to the same one.
    pub(in crate::follower) fn trackings(&self, upstream: &str, found: &Followed) -> Vec<Tracking> {
        let position = found.position.unwrap_or(0);
        let here = Tracking::new(upstream, position, position).policies(self.policies(found));
        let replay = match (&self.replay, &found.replay) {
            (ReplayChange::Begin { at, replaying }, _) => {
                let policies = PoliciesMove::new(None, replaying.begin());
                Some(Tracking::replay(upstream, 0, *at, policies))
            }
            (
                ReplayChange::End,
                Some(Replay {
                    position, policies, ..
                }),
            ) => {
                let policies = PoliciesMove::end_of_replay(policies.clone());
                Some(Tracking::replay(upstream, *position, *position, policies))
            }
            _ => None,
        };
        std::iter::once(here).chain(replay).collect()
    }

    /// Returns true if the events of `topic` are offered after the change, in order or in a replay.
    pub(in crate::follower) fn has(&self, topic: &str) -> bool {
        let replaying = match &self.replay {
            ReplayChange::Begin { replaying, .. } => Some(replaying),
            ReplayChange::None | ReplayChange::End => None,
        };
        self.live_topics().any(|live| covers(live, topic))
            || replaying.is_some_and(|replaying| replaying.covers(topic))
    }

    fn live_topics(&self) -> impl Iterator<Item = &str> {
        let live = self.rows.iter().filter(|row| row.covered.is_none());
        live.map(|row| &*row.topic)
    }

    fn changes(&self, found: &Followed) -> impl Iterator<Item = TopicChange> {
        let is_new = |row: &&PolicyTopic| !found.topics.contains(row);
        let put = self.rows.iter().filter(is_new).cloned();
        let is_gone = |row: &&PolicyTopic| self.rows.iter().all(|other| other.topic != row.topic);
        let removed = found.topics.iter().filter(is_gone);
        let removed = removed.map(|row| TopicChange::Remove(row.topic.clone()));
        removed.chain(put.map(TopicChange::Put))
    }
}

/// Returns the text of a row in a tag. That of a live topic is the topic alone.
fn text(row: &PolicyTopic) -> String {
    match row.covered {
        None => row.topic.clone(),
        Some(covered) => format!("{} {covered}", row.topic),
    }
}
