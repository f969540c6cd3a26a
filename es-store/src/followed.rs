//! The record of a follower about one of its upstreams: the position, and the policies for which it
//! counts.
//!
//! A position means that everything up to it was offered to a set of policies. A *tag* stands for
//! such a set; the store compares tags and does not read them. A row for each *topic* tells what
//! the set contained. A topic that was added later may be offered the events before the position in
//! a *replay*, which has a position of its own.

use crate::error::StoreError;
use crate::operation::Operation;
use crate::set_aside::Waiting;
use crate::upstream_event::UpstreamEvent;

/// The record of a follower about one of its upstreams, as one query reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Followed {
    /// The position up to which events are processed; `None` if none is recorded.
    pub position: Option<u64>,
    /// The event that stood at the position when it was recorded; `None` if it is not known. It is
    /// not known, for example, if another program moved the position.
    pub event: Option<UpstreamEvent>,
    /// The tag of the policies that moved the position; `None` if it is not known.
    pub policies: Option<String>,
    /// The topics of the policies, in the order of their texts.
    pub topics: Vec<PolicyTopic>,
    /// The replay that is not finished, if there is one.
    pub replay: Option<Replay>,
    /// The events of the upstream that are set aside and wait.
    pub waiting: Waiting,
    /// The last operation that tells whether the follower is to process events: paused or resumed.
    pub standing: Option<Operation>,
    /// The last stop of the follower; `None` if it was resumed later.
    pub stopped: Option<Operation>,
    /// The head of the upstream when the follower began to follow it, if that is recorded. It is
    /// the position behind which the follower begins, if that was higher.
    pub began: Option<u64>,
}

impl Followed {
    /// Creates a record of a position alone; `None` if no position is recorded.
    pub fn new(position: Option<u64>) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }
}

/// A topic of a follower's policies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyTopic {
    /// The topic. It is not empty.
    pub topic: String,
    /// The position up to which events of the topic were processed before its policies were taken
    /// out; `None` while the topic is live.
    pub covered: Option<u64>,
}

impl PolicyTopic {
    /// Creates a topic that is live.
    pub fn live(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            covered: None,
        }
    }

    /// Creates a topic whose policies were taken out at the position `covered`.
    pub fn covered(topic: impl Into<String>, covered: u64) -> Self {
        Self {
            topic: topic.into(),
            covered: Some(covered),
        }
    }
}

/// A set of policies, all of which are live.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicySet {
    /// The tag that stands for the set. It is not empty.
    pub tag: String,
    /// The topics of the policies.
    pub topics: Vec<String>,
}

impl PolicySet {
    /// Creates a set of policies for these topics.
    pub fn new<T: Into<String>>(
        tag: impl Into<String>,
        topics: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            tag: tag.into(),
            topics: topics.into_iter().map(Into::into).collect(),
        }
    }
}

/// A replay: events that lie before the follower's position are offered to policies that were
/// added later.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replay {
    /// The position up to which events were offered to the added policies.
    pub position: u64,
    /// The event that stood at the position when it was recorded, if it is known.
    pub event: Option<UpstreamEvent>,
    /// The tag of the added policies.
    pub policies: String,
}

impl Replay {
    /// Creates a replay at a position whose event is not known.
    pub fn new(position: u64, policies: impl Into<String>) -> Self {
        Self {
            position,
            event: None,
            policies: policies.into(),
        }
    }
}

/// The change of policies that belongs to the move of a position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoliciesMove {
    /// The tag that must be recorded for the position at which the move starts; `None` if none may
    /// be.
    pub expected: Option<String>,
    /// The tag to record for the position at which the move ends. `None` ends a replay.
    pub new: Option<String>,
    /// The changes of the upstream's topics. May be empty.
    pub topics: Vec<TopicChange>,
}

impl PoliciesMove {
    /// Creates a change from one tag to another, or to the same one.
    pub fn new(expected: Option<String>, new: impl Into<String>) -> Self {
        Self {
            expected,
            new: Some(new.into()),
            topics: Vec::new(),
        }
    }

    /// Creates the change that ends the replay of the policies `expected`.
    pub fn end_of_replay(expected: impl Into<String>) -> Self {
        Self {
            expected: Some(expected.into()),
            new: None,
            topics: Vec::new(),
        }
    }

    /// Returns the same change with one more change of a topic.
    #[must_use]
    pub fn topic(mut self, change: TopicChange) -> Self {
        self.topics.push(change);
        self
    }

    pub(crate) fn check(&self, upstream: &str, of_replay: bool) -> Result<(), StoreError> {
        let invalid = |problem: &str| {
            let problem = format!("the policies of `{upstream}`: {problem}");
            Err(StoreError::Invalid(problem))
        };
        if self.new.is_none() && !(of_replay && self.expected.is_some()) {
            return invalid("only a replay that was started has an end");
        }
        let mut tags = self.expected.iter().chain(&self.new);
        if tags.any(String::is_empty) {
            return invalid("a tag is empty");
        }
        for change in &self.topics {
            if change.topic().is_empty() {
                return invalid("a topic is empty");
            }
            if let TopicChange::Put(PolicyTopic {
                covered: Some(covered),
                ..
            }) = change
                && i64::try_from(*covered).is_err()
            {
                return invalid(&format!("position {covered} is too large"));
            }
        }
        Ok(())
    }

    /// Returns all texts that are stored.
    #[cfg(feature = "postgres")]
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let tags = self.expected.iter().chain(&self.new);
        let tags = tags.map(String::as_str);
        tags.chain(self.topics.iter().map(TopicChange::topic))
    }
}

/// A change of one topic of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicChange {
    /// The topic is recorded, in place of what was recorded of it.
    Put(PolicyTopic),
    /// Nothing is recorded of the topic any more.
    Remove(String),
}

impl TopicChange {
    /// Returns the topic.
    pub fn topic(&self) -> &str {
        match self {
            Self::Put(topic) => &topic.topic,
            Self::Remove(topic) => topic,
        }
    }
}
