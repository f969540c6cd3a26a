//! The topics of a replay, as they are recorded with its position.

use es_core::source;

use crate::policy::policy_set::{Added, covers};

/// The topics of a replay, each with what is done with its earlier events.
///
/// The text has a line for the epoch, such as `epoch 01a2224b-4093-718f-9133-c262870f9bb9`, and
/// then a line for each topic: `replay Dog.Renamed`, or `now Dog.`. Earlier releases have written
/// no epoch.
///
/// Concurrency: the text is the tag of the replay. The epoch is a fresh id, so no two replays have
/// the same tag, and a batch that was read in one replay is not recorded in another. Without it,
/// another replay may have the same topics at the same position, though some events between were
/// offered in the meantime: by a replay of fewer topics, which were taken out again. The tag of the
/// follower's own position needs no epoch. Its batches offer the events behind the position to the
/// topics of the tag, and before the position moves nobody offers these events. If a topic was
/// taken in and out between, it is recorded that it ends at this position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::follower) struct Replaying {
    pub(in crate::follower) added: Vec<(String, Added)>,
}

impl Replaying {
    /// Reads the recorded text. Fails with a line that a newer program has written.
    pub(in crate::follower) fn parse(text: &str) -> Result<Self, String> {
        let is_topic = |line: &&str| !line.starts_with("epoch ");
        let topic = |line: &str| match line.split_once(' ') {
            Some(("replay", topic)) => Ok((topic.to_owned(), Added::Replay)),
            Some(("now", topic)) => Ok((topic.to_owned(), Added::Now)),
            _ => Err(line.to_owned()),
        };
        let added = text.lines().filter(is_topic).map(topic);
        let added = added.collect::<Result<_, _>>()?;
        Ok(Self { added })
    }

    /// Returns the text with which a replay of these topics is begun. It has an epoch of its own.
    pub(in crate::follower) fn begin(&self) -> String {
        let topic = |(topic, added): &(String, Added)| match added {
            Added::Now => format!("now {topic}"),
            Added::Replay => format!("replay {topic}"),
        };
        let epoch = format!("epoch {}", source::fresh_id());
        let lines: Vec<_> = std::iter::once(epoch)
            .chain(self.added.iter().map(topic))
            .collect();
        lines.join("\n")
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
