//! The set of a program's policies, told by the topics of the events that they handle.
//!
//! A topic of the set is that of an event (`Dog.Renamed`), that of an aggregate with a dot behind
//! it for all its events (`Dog.`), or `*` for all events.

use std::collections::BTreeSet;

use es_core::Aggregate;
use es_store::{Digest, TopicFilter};

/// The topic of all events.
pub(crate) const ALL: &str = "*";

/// The events that a policy handles which was added to a follower that had processed some already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The events that are recorded behind the follower's position.
    Now,
    /// All events. Those in front of the position are replayed.
    Replay,
}

/// A topic of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredTopic {
    pub(crate) topic: String,
    /// The rule of the policy, if it has one.
    pub(crate) added: Option<Added>,
}

impl DeclaredTopic {
    pub(crate) fn new(topic: String) -> Self {
        let added = None;
        Self { topic, added }
    }
}

/// The topics of the policies that a program has, and of those that were taken out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredPolicies {
    pub(crate) declared: Vec<DeclaredTopic>,
    pub(crate) retired: Vec<String>,
}

impl DeclaredPolicies {
    /// Returns true if a policy handles all events of `topic`.
    pub(crate) fn has(&self, topic: &str) -> bool {
        let mut declared = self.declared.iter();
        declared.any(|declared| covers(&declared.topic, topic))
    }

    /// Returns true if the policies for `topic` were taken out.
    pub(crate) fn retires(&self, topic: &str) -> bool {
        self.retired.iter().any(|retired| covers(retired, topic))
    }

    /// Returns the fewest topics that cover all declared ones.
    pub(crate) fn topics(&self) -> BTreeSet<&str> {
        widest(self.declared.iter().map(|declared| &*declared.topic))
    }
}

/// Returns the topic of all events of the aggregate `E`.
pub(crate) fn all_of<E: Aggregate>() -> String {
    format!("{}.", E::TOPIC)
}

/// Returns true if `topic` is among the events of `of`, or is the same.
pub(crate) fn covers(of: &str, topic: &str) -> bool {
    if of == ALL || of == topic {
        return true;
    }
    match (of.strip_suffix('.'), topic.rsplit_once('.')) {
        (Some(of), Some((aggregate, event))) => of == aggregate && !event.is_empty(),
        _ => false,
    }
}

/// Returns those of `topics` that no other one of them covers.
pub(crate) fn widest<'a>(topics: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let all: BTreeSet<_> = topics.collect();
    let is_covered = |topic: &str| all.iter().any(|of| *of != topic && covers(of, topic));
    all.iter()
        .copied()
        .filter(|topic| !is_covered(topic))
        .collect()
}

/// Returns the one of `topics` that tells most about the event `topic`, if one covers it: the event
/// itself, else its aggregate, else all events.
pub(crate) fn closest<'a>(topics: impl Iterator<Item = &'a str>, topic: &str) -> Option<&'a str> {
    let distance = |of: &&str| match *of {
        of if of == topic => 0,
        ALL => 2,
        _ => 1,
    };
    topics.filter(|of| covers(of, topic)).min_by_key(distance)
}

/// Returns the filter that selects the events of `topics`, or `None` for all events.
pub(crate) fn filter<'a>(topics: impl Iterator<Item = &'a str>) -> Option<TopicFilter> {
    let (mut events, mut aggregates) = (Vec::new(), Vec::new());
    for topic in topics {
        match topic.strip_suffix('.') {
            _ if topic == ALL => return None,
            Some(aggregate) => aggregates.push(aggregate),
            None => events.push(topic),
        }
    }
    events.sort_unstable();
    Some(TopicFilter::new(events).of_aggregates(aggregates))
}

/// Returns the tag that stands for a set of topics.
pub(crate) fn tag(topics: &BTreeSet<&str>) -> String {
    let topics: Vec<_> = topics.iter().copied().collect();
    Digest::of(&topics.join("\n"), &[]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_covers_its_own_events_and_no_others() {
        for covered in ["shop:Dog.", "shop:Dog.Renamed"] {
            assert!(covers("shop:Dog.", covered), "{covered}");
        }
        let others = [
            "shop:Dog",
            "shop:DogBox.Renamed",
            "shop:Dog.Box.Renamed",
            "shop:Dog.Box.",
            "shop:Cat.",
            "*",
            "",
        ];
        for other in others {
            assert!(!covers("shop:Dog.", other), "{other}");
            assert!(covers(ALL, other), "{other}");
        }
        assert!(covers("shop:Dog.Renamed", "shop:Dog.Renamed"));
        assert!(!covers("shop:Dog.Renamed", "shop:Dog."));
    }

    #[test]
    fn a_topic_covers_the_events_that_its_filter_selects() {
        let topics = ["a.B", "a.", "a.b.", "*"];
        let events = ["a.B", "a.C", "a.b.C", "b.C", "a", ".", "a."];
        for topic in topics {
            let filter = filter([topic].into_iter());
            for event in events.into_iter().filter(|event| !event.ends_with('.')) {
                let selected = filter.as_ref().is_none_or(|filter| filter.selects(event));
                assert_eq!(covers(topic, event), selected, "{topic} {event}");
            }
        }
    }

    #[test]
    fn the_widest_topics_stand_for_all_and_the_closest_one_for_an_event() {
        let topics = ["Dog.A", "Cat.A", "Dog.", "Dog.B"];
        let widest = widest(topics.into_iter());
        assert_eq!(widest.into_iter().collect::<Vec<_>>(), ["Cat.A", "Dog."]);
        let closest = |event| closest(["*", "Dog.A", "Dog."].into_iter(), event);
        let expected = [Some("Dog.A"), Some("Dog."), Some("*")];
        assert_eq!(["Dog.A", "Dog.B", "Cat.A"].map(closest), expected);
    }
}
