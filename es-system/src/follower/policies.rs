//! The policies for which the position of a follower counts.
//!
//! Each step of an edge begins with a [`decision`], by what is recorded about the policies.

mod change;
mod decision;
mod membership;
mod missed;
mod replaying;
mod stepped_back;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use es_store::{Followed, PoliciesMove, PolicySet};

pub(super) use self::change::Change;
pub(super) use self::decision::{Decision, Program, StepBack};
pub(super) use self::membership::{CALL, Look, Membership, is_called};
pub(super) use self::missed::Missed;
pub(super) use self::stepped_back::SteppedBack;
use crate::policy::policy_set::{DeclaredPolicies, tag};

/// The policies of a program, as a follower compares them with those that are recorded.
pub(super) struct OwnPolicies {
    pub(super) declared: DeclaredPolicies,
    /// The fewest topics that cover all declared ones, as they are recorded.
    topics: BTreeSet<String>,
    /// The tag of these topics.
    pub(super) tag: String,
    pub(super) is_projection: bool,
}

impl OwnPolicies {
    pub(super) fn new(declared: DeclaredPolicies, is_projection: bool) -> Self {
        Self {
            topics: declared.topics().into_iter().map(str::to_owned).collect(),
            tag: tag(&declared.topics()),
            declared,
            is_projection,
        }
    }

    /// Returns the policies as a rebuild records them.
    pub(super) fn recorded(&self) -> PolicySet {
        PolicySet::new(self.tag.clone(), self.topics.iter().cloned())
    }

    /// Returns true if exactly these policies are recorded, as they are at almost every look.
    pub(super) fn are_recorded(&self, found: &Followed) -> bool {
        let mut live = found.topics.iter().filter(|row| row.covered.is_none());
        found.replay.is_none()
            && live.clone().count() == self.topics.len()
            && live.all(|row| self.topics.contains(&row.topic))
    }
}

/// The next work of an edge, as the recorded policies allow it.
pub(super) enum Admitted {
    /// It may move the position, with the policies.
    Follow(PoliciesMove),
    /// It replays these events, and then decides again.
    Replay(Missed),
    /// It has recorded a change, and decides again.
    Changed,
}
