//! An event that is set aside, as it is shown.

use es_core::Timestamp;
use es_store::SetAside;
use serde::Serialize;

use crate::application::Application;
use crate::cli::output::Paint;

/// A row of the record.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    follower: String,
    upstream: String,
    position: u64,
    sequence: String,
    topic: String,
    id: String,
    aggregate_version: u64,
    /// The number of failures; 0 if it only waits behind another event.
    attempts: u32,
    /// The time of the next attempt; `null` if it waits for an operator, or behind another event.
    due: Option<Timestamp>,
    first: Timestamp,
    last: Timestamp,
    error: String,
    decision: Option<Decision>,
}

/// The decision about an event.
#[derive(Debug, Serialize)]
struct Decision {
    /// `skipped` or `discarded`.
    kind: &'static str,
    who: String,
    when: Timestamp,
}

impl Row {
    pub(super) fn new(follower: &Application, row: SetAside) -> Self {
        let decision = row.decision.map(|decision| Decision {
            kind: decision.kind.text(),
            who: decision.who,
            when: decision.when,
        });
        Self {
            follower: follower.name().to_owned(),
            upstream: row.upstream,
            position: row.position,
            sequence: row.sequence,
            topic: row.topic,
            id: row.originator_id.to_string(),
            aggregate_version: row.originator_version,
            attempts: row.attempts,
            due: row.due,
            first: row.first,
            last: row.last,
            error: follower.opened(&row.error),
            decision,
        }
    }

    /// Returns the cells of a line of the list.
    pub(super) fn cells(&self) -> Vec<String> {
        vec![
            self.follower.clone(),
            self.upstream.clone(),
            self.position.to_string(),
            self.topic.clone(),
            format!("{} v{}", self.id, self.aggregate_version),
            self.attempts.to_string(),
            self.state(),
        ]
    }

    /// Returns the state of the event in words.
    fn state(&self) -> String {
        match (&self.decision, self.due) {
            (Some(decision), _) => {
                let Decision { kind, who, when } = decision;
                format!("{kind} by {who} at {when}")
            }
            (None, _) if self.attempts == 0 => "behind another".to_owned(),
            (None, Some(due)) => format!("due at {due}"),
            (None, None) => "waits for an operator".to_owned(),
        }
    }

    /// Returns all that is known, with a line for each part.
    pub(super) fn text(&self, paint: Paint) -> String {
        let Self {
            follower,
            upstream,
            position,
            topic,
            id,
            aggregate_version,
            attempts,
            first,
            last,
            ..
        } = self;
        let state = self.state();
        let error = match self.error.as_str() {
            "" => "none".to_owned(),
            error => paint.bad(error),
        };
        format!(
            "{follower} <- {upstream}, position {position}: {state}\n\
             event: {topic} of {id} v{aggregate_version}\n\
             set aside: {first}\n\
             attempts: {attempts}, the last at {last}\n\
             error: {error}\n"
        )
    }
}
