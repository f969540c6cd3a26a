//! The decision whether a program may follow an upstream with the policies that it has.
//!
//! A position means that everything up to it was offered to a set of policies. The set is recorded:
//! a row for each topic, and with the position the tag of the set that moved it. Each move is a
//! compare-and-set on position and tag. So every program that moves the position has the recorded
//! set at that moment, neither more topics nor fewer:
//!
//! - A program that lacks a live topic steps back, because the position would pass events that the
//!   topic's policy has not been offered.
//! - A program with more topics first makes them live. If that comes between another program's read
//!   and its commit, the tag differs and the commit fails, although the position is the same. If
//!   the position has moved before, this commit fails, and the program decides again.
//! - Events of an added topic in front of the position are missed. They are replayed, or left out
//!   because the policy says so, or the program does not begin.
//!
//! While a replay is recorded nobody moves the position. A program that has the topics of the
//! replay helps to finish it, any other one steps back. The rows stay as they are until the end of
//! the replay, so they tell what was missed, and a kill at each step leaves a replay that can be
//! continued. If policies of a replay are taken out, the replay ends, and the rows get what was
//! done.
//!
//! Two programs do not fight about a topic that one of them has taken out. The one that was started
//! last decides: after its start a program adds each topic once, and takes topics out until it has
//! followed. Later it steps back, until the other one follows no more.

use std::collections::BTreeSet;

use es_store::Followed;

use super::change::Change;
use super::missed::{Coverage, Missed};
use super::replaying::Replaying;
use crate::policy::policy_set::{Added, DeclaredPolicies, DeclaredTopic};

/// The result of a decision.
#[derive(Debug, Clone)]
pub(in crate::follower) enum Decision {
    /// The program has the recorded policies, and may move the position.
    Follow,
    /// Nothing is recorded or processed yet. The first batch records the change.
    Begin(Change),
    /// The change is recorded. Then the program decides again.
    Record(Change),
    /// Events are replayed. Then the program decides again.
    Replay(Missed),
    /// If one of the events is recorded, somebody has to decide what becomes of it. Otherwise the
    /// next decision holds.
    Ask(Missed, Box<Decision>),
    /// This program does not follow for now.
    StepBack(StepBack),
}

/// The reason why a program steps back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::follower) enum StepBack {
    /// It has no policy for this topic, which another program follows.
    Lacks(String),
    /// Another program has taken out its policy for this topic while it ran.
    TakenOut(String),
    /// Another program has taken in this topic, which it had taken out, while it ran.
    TakenIn(String),
    /// It cannot read this line about a replay.
    NewerReplay(String),
}

impl StepBack {
    /// Returns true if the program may follow again when the other one does not any more.
    pub(in crate::follower) fn may_end(&self) -> bool {
        matches!(self, Self::TakenOut(_) | Self::TakenIn(_))
    }
}

/// A program that decides.
#[derive(Debug, Clone, Copy)]
pub(in crate::follower) struct Program<'a> {
    pub(in crate::follower) policies: &'a DeclaredPolicies,
    /// True if the events of an added topic cannot be replayed.
    pub(in crate::follower) is_projection: bool,
    /// The topics that it has followed or replayed since its start.
    pub(in crate::follower) joined: &'a BTreeSet<String>,
    /// True if it has followed with exactly its topics since its start.
    pub(in crate::follower) has_followed: bool,
}

impl<'a> Program<'a> {
    /// Decides by what is recorded.
    pub(in crate::follower) fn decide(self, found: &Followed) -> Decision {
        if found.topics.is_empty() && found.replay.is_none() {
            return self.begin(found);
        }
        let replay = found.replay.as_ref();
        let replaying = match replay
            .map(|replay| Replaying::parse(&replay.policies))
            .transpose()
        {
            Ok(replaying) => replaying,
            Err(line) => return Decision::StepBack(StepBack::NewerReplay(line)),
        };
        if let Some(reason) = self.lacks(found, replaying.as_ref()) {
            return Decision::StepBack(reason);
        }
        let position = found.position.unwrap_or(0);
        let live = found.topics.iter().filter(|row| row.covered.is_none());
        let live = live.map(|row| &*row.topic);
        let retired: Vec<_> = live.filter(|topic| !self.policies.has(topic)).collect();
        let retires = !retired.is_empty();
        let change = Change::new(found.topics.clone()).covered(retired.into_iter(), position);
        let case = Case {
            program: self,
            position,
            coverage: Coverage::new(change.rows()),
        };
        match (replay, replaying) {
            (Some(replay), Some(replaying)) => {
                case.in_replay(change, retires, replay.position, &replaying)
            }
            _ => case.without_replay(change, retires),
        }
    }

    /// Decides where no policies are recorded. A program that does not record its policies has
    /// moved the position if there is one. They are taken to be the same.
    fn begin(self, found: &Followed) -> Decision {
        let change = Change::new(Vec::new()).live(self.policies.topics());
        match found.position {
            None | Some(0) => Decision::Begin(change),
            Some(_) => Decision::Record(change),
        }
    }

    /// Returns the reason to step back if another program has taken a topic in or out between the
    /// records `before` and `found`, against the policies of this one.
    pub(in crate::follower) fn changed_by_another(
        self,
        before: &Followed,
        found: &Followed,
    ) -> Option<StepBack> {
        let (was, is) = (Coverage::new(&before.topics), Coverage::new(&found.topics));
        let declared = self.policies.declared.iter().map(|one| &one.topic);
        let mut taken_out = declared.filter(|topic| was.is_live(topic) && !is.is_live(topic));
        if let Some(topic) = taken_out.next() {
            return Some(StepBack::TakenOut(topic.clone()));
        }
        let live = found.topics.iter().filter(|row| row.covered.is_none());
        let mut taken_in = live
            .map(|row| &row.topic)
            .filter(|topic| self.policies.retires(topic) && !self.policies.has(topic));
        let taken_in = taken_in.find(|topic| !was.is_live(topic));
        taken_in.map(|topic| StepBack::TakenIn(topic.clone()))
    }

    /// Returns the reason to step back if another program follows or replays a topic that this one
    /// neither has nor takes out.
    fn lacks(self, found: &Followed, replaying: Option<&Replaying>) -> Option<StepBack> {
        let live = found.topics.iter().filter(|row| row.covered.is_none());
        let live = live.map(|row| &*row.topic);
        let replayed = replaying.into_iter().flat_map(Replaying::topics);
        let lacking = |topic: &str| {
            let retires = self.policies.retires(topic);
            match self.policies.has(topic) {
                false if !retires => Some(StepBack::Lacks(topic.to_owned())),
                false if self.has_followed => Some(StepBack::TakenIn(topic.to_owned())),
                _ => None,
            }
        };
        live.chain(replayed).find_map(lacking)
    }
}

/// A decision of a program that lacks no topic.
struct Case<'a> {
    program: Program<'a>,
    position: u64,
    /// The recorded topics, without those that are taken out.
    coverage: Coverage,
}

impl<'a> Case<'a> {
    fn without_replay(self, change: Change, retires: bool) -> Decision {
        let added = self.added(None);
        if added.is_empty() && !retires {
            return Decision::Follow;
        }
        if let Some(taken_out) = self.taken_out(&added) {
            return taken_out;
        }
        let is_replayed = |topic: &&DeclaredTopic| self.rule(topic) == Some(Added::Replay);
        let change = if added.iter().any(is_replayed) {
            let rule = |topic: &&DeclaredTopic| self.rule(topic).unwrap_or(Added::Now);
            let added = added.iter().map(|topic| (topic.topic.clone(), rule(topic)));
            let replaying = Replaying {
                added: added.collect(),
            };
            change.begin(self.missed_by(&replaying).start(), replaying)
        } else {
            change.live(self.program.policies.topics())
        };
        self.ask(&added, Decision::Record(change))
    }

    fn in_replay(self, change: Change, retires: bool, at: u64, replaying: &Replaying) -> Decision {
        let policies = self.program.policies;
        if replaying.topics().any(|topic| !policies.has(topic)) {
            return Decision::Record(change.covered(replaying.replayed(), at).end());
        }
        let added = self.added(Some(replaying));
        if let Some(taken_out) = self.taken_out(&added) {
            return taken_out;
        }
        let next = if at >= self.position {
            Decision::Record(change.live(replaying.topics()).end())
        } else if retires {
            Decision::Record(change)
        } else {
            Decision::Replay(self.missed_by(replaying))
        };
        self.ask(&added, next)
    }

    /// Returns the topics of the program that are neither live nor part of the replay.
    fn added(&self, replaying: Option<&Replaying>) -> Vec<&'a DeclaredTopic> {
        let is_known = |topic: &str| {
            let is_replayed = replaying.is_some_and(|replaying| replaying.covers(topic));
            is_replayed || self.coverage.is_live(topic)
        };
        let declared = self.program.policies.declared.iter();
        declared.filter(|one| !is_known(&one.topic)).collect()
    }

    /// Returns the decision if another program has taken out one of the topics.
    fn taken_out(&self, added: &[&DeclaredTopic]) -> Option<Decision> {
        let mut topics = added.iter().map(|added| &added.topic);
        let taken_out = topics.find(|topic| self.program.joined.contains(*topic))?;
        Some(Decision::StepBack(StepBack::TakenOut(taken_out.clone())))
    }

    /// Returns what becomes of the events that an added topic has missed, or `None` if nobody has
    /// decided that. A topic that was taken out before goes on where it ended. If it ended at the
    /// position, it has missed none.
    fn rule(&self, topic: &DeclaredTopic) -> Option<Added> {
        if self.coverage.of(&topic.topic) >= self.position {
            return Some(Added::Now);
        }
        match topic.added {
            None | Some(Added::Replay) if self.program.is_projection => None,
            None if self.coverage.knows(&topic.topic) => Some(Added::Replay),
            rule => rule,
        }
    }

    /// Asks about the events of those `added` topics that have no rule.
    fn ask(self, added: &[&DeclaredTopic], next: Decision) -> Decision {
        let has_none = |topic: &&DeclaredTopic| self.rule(topic).is_none();
        if !added.iter().any(&has_none) {
            return next;
        }
        let asked = added
            .iter()
            .map(|topic| (topic.topic.clone(), has_none(topic)));
        let asked = asked.collect();
        Decision::Ask(Missed::new(self.coverage, asked), Box::new(next))
    }

    fn missed_by(&self, replaying: &Replaying) -> Missed {
        let added = replaying.added.iter();
        let added = added.map(|(topic, added)| (topic.clone(), *added == Added::Replay));
        Missed::new(self.coverage.clone(), added.collect())
    }
}
