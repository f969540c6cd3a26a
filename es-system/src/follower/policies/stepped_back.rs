//! A follower that does not follow, because other policies are recorded than its own.

use super::decision::StepBack;
use crate::error::Error;

/// The reason why an edge does not follow for now.
#[derive(Debug, Clone)]
pub(in crate::follower) struct SteppedBack {
    /// The recorded position at which it has looked.
    pub(in crate::follower) position: u64,
    /// The topic for which it lacks a policy, or whose policy was taken out.
    pub(in crate::follower) topic: String,
    /// The error that tells what can be done.
    pub(in crate::follower) error: Error,
}

impl SteppedBack {
    /// Describes the reason of `follower`, which has looked at `upstream`.
    pub(in crate::follower) fn new(
        reason: StepBack,
        position: u64,
        (follower, upstream): (&str, &str),
        is_projection: bool,
    ) -> Self {
        let (topic, problem) = match reason {
            StepBack::Lacks(topic) => {
                let attribute = if is_projection {
                    "projection"
                } else {
                    "process_application"
                };
                let problem = format!(
                    "this program has no policy for `{topic}` of `{upstream}`, and another program \
                     has: it waits, so that no event is passed over. If the policy was taken out \
                     on purpose, write that: `#[{attribute}(retired(..))]`"
                );
                (topic, problem)
            }
            StepBack::TakenOut(topic) => {
                let problem = format!(
                    "another program, which was started later, has taken out the policy for \
                     `{topic}` of `{upstream}`: this one waits until the other one follows no more"
                );
                (topic, problem)
            }
            StepBack::TakenIn(topic) => {
                let problem = format!(
                    "another program, which was started later, has a policy for `{topic}` of \
                     `{upstream}`, which was taken out of this one: it waits until the other one \
                     follows no more"
                );
                (topic, problem)
            }
            StepBack::NewerReplay(line) => {
                let problem = format!(
                    "a newer program replays events of `{upstream}` in a way that this one does \
                     not know: `{line}`"
                );
                (line, problem)
            }
        };
        Self {
            position,
            topic,
            error: Error::configuration(follower, problem),
        }
    }
}
