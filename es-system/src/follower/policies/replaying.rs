//! The topics of a replay, as they are recorded with its position.

use std::fmt;

use crate::policy::policy_set::{Added, covers};

/// The topics of a replay, each with what is done with its earlier events.
///
/// The text has a line for each topic: `replay Dog.Renamed`, or `now Dog.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::follower) struct Replaying {
    pub(in crate::follower) added: Vec<(String, Added)>,
}

impl Replaying {
    /// Reads the recorded text. Fails with a line that a newer program has written.
    pub(in crate::follower) fn parse(text: &str) -> Result<Self, String> {
        let line = |line: &str| match line.split_once(' ') {
            Some(("replay", topic)) => Ok((topic.to_owned(), Added::Replay)),
            Some(("now", topic)) => Ok((topic.to_owned(), Added::Now)),
            _ => Err(line.to_owned()),
        };
        let added = text.lines().map(line).collect::<Result<_, _>>()?;
        Ok(Self { added })
    }

    pub(in crate::follower) fn topics(&self) -> impl Iterator<Item = &str> {
        self.added.iter().map(|(topic, _)| &**topic)
    }

    /// Returns true if the events of `topic` take part.
    pub(in crate::follower) fn covers(&self, topic: &str) -> bool {
        self.topics().any(|of| covers(of, topic))
    }

    /// Returns the topics whose earlier events are offered.
    pub(in crate::follower) fn replayed(&self) -> impl Iterator<Item = &str> {
        let is_replayed = |(_, added): &&(String, Added)| *added == Added::Replay;
        let replayed = self.added.iter().filter(is_replayed);
        replayed.map(|(topic, _)| &**topic)
    }
}

impl fmt::Display for Replaying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (topic, added)) in self.added.iter().enumerate() {
            let word = match added {
                Added::Now => "now",
                Added::Replay => "replay",
            };
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{word} {topic}")?;
        }
        Ok(())
    }
}
