//! The events of a page that a batch passes without their policies, because they are set aside.
//!
//! An event is set aside when its policy has failed, or when an earlier event of its sequence
//! waits. It is recorded in the transaction that moves the position past it.
//!
//! Concurrency: the sequences that wait are read after the position. A sequence that begins to wait
//! later was set aside by a move of the position, so the batch fails. A sequence that has ended
//! meanwhile is noticed by the record, because each change names the row that has to be the first.

use std::collections::HashMap;
use std::time::Duration;

use es_core::Timestamp;
use es_store::{Notification, SetAside, SetAsideChange, SetAsideQuery, UpstreamEvent, Waiting};

use crate::application::Application;
use crate::error::{Error, Result};

/// An event that is to be set aside, because its policy has failed.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) position: u64,
    /// The text of the error, as it is recorded.
    pub(super) error: String,
    /// The time until the next attempt; `None` if the event waits for an operator.
    pub(super) due_in: Option<Duration>,
}

/// The events of a page that are set aside.
pub(super) struct Aside {
    /// The name of the upstream in the record.
    upstream: String,
    /// The sequences that wait, with the positions of their first events.
    firsts: HashMap<String, u64>,
    /// The first event of the page, if its policy has failed.
    failed: Option<Failed>,
    /// The events about which it is decided that they are passed over, by their positions.
    decided: HashMap<u64, UpstreamEvent>,
    now: Timestamp,
}

impl Aside {
    /// Reads which of these events belong to sequences that wait in `application`. `failed` is the
    /// first event, if its policy has failed. Returns `None` if nothing is set aside.
    pub(super) fn read(
        application: &Application,
        upstream: &str,
        waiting: Waiting,
        events: &[Notification],
        failed: Option<&Failed>,
    ) -> Result<Option<Self>> {
        if waiting.count == 0 && failed.is_none() {
            return Ok(None);
        }
        let mut firsts = HashMap::new();
        if waiting.count > 0 {
            let mut sequences: Vec<_> = events.iter().map(sequence).collect();
            sequences.sort_unstable();
            sequences.dedup();
            let query = SetAsideQuery::of(upstream).firsts().sequences(sequences);
            let found = application.on_store(|store| store.select_set_aside(&query))?;
            firsts.extend(found.into_iter().map(|row| (row.sequence, row.position)));
        }
        let first = events.first();
        let failed = failed.filter(|failed| {
            first.is_some_and(|first| {
                first.id == failed.position && !firsts.contains_key(&sequence(first))
            })
        });
        let aside = Self {
            upstream: upstream.to_owned(),
            firsts,
            failed: failed.cloned(),
            decided: HashMap::new(),
            now: Timestamp::now(),
        };
        Ok(events.iter().any(|event| aside.has(event)).then_some(aside))
    }

    /// Reads what a rebuild of the tables of `application` passes behind the position `from`:
    /// events about which it was decided, and those of sequences that wait in the rebuild.
    pub(super) fn of_rebuild(
        application: &Application,
        upstream: &str,
        from: u64,
        failed: Option<Failed>,
    ) -> Result<Self> {
        let select = |query| application.on_store(|store| store.select_set_aside(&query));
        let mut decided = SetAsideQuery::of(upstream).decided();
        decided.above = Some(from);
        let decided = select(decided)?.into_iter();
        let firsts = select(SetAsideQuery::of_rebuild(upstream).firsts())?.into_iter();
        Ok(Self {
            upstream: upstream.to_owned(),
            firsts: firsts.map(|row| (row.sequence, row.position)).collect(),
            failed,
            decided: decided.map(|row| (row.position, row.event())).collect(),
            now: Timestamp::now(),
        })
    }

    /// Returns true if the event is passed without its policy.
    pub(super) fn has(&self, event: &Notification) -> bool {
        self.is_decided(event)
            || self.is_failed(event)
            || self.firsts.contains_key(&sequence(event))
    }

    /// Returns the number of these events that are passed without their policies.
    pub(super) fn count(&self, events: &[Notification]) -> usize {
        events.iter().filter(|event| self.has(event)).count()
    }

    /// Returns true if the first event is set aside, because its policy has failed. It is recorded
    /// alone.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Returns the number of events in front of the first one for which there is no room, if only
    /// `room` more may wait.
    pub(super) fn within(&self, room: u64, events: &[Notification]) -> usize {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let is_put = |event: &Notification| self.has(event) && !self.is_decided(event);
        let mut put = (0..events.len()).filter(|&index| is_put(&events[index]));
        put.nth(room).unwrap_or(events.len())
    }

    /// Returns the changes that set aside those of `events` that are passed.
    pub(super) fn changes(&self, events: &[Notification]) -> Vec<SetAsideChange> {
        events
            .iter()
            .filter_map(|event| self.change(event))
            .collect()
    }

    fn change(&self, event: &Notification) -> Option<SetAsideChange> {
        if self.is_decided(event) {
            return None;
        }
        let sequence = sequence(event);
        let behind = self.firsts.get(&sequence).copied();
        let row = SetAside::new(&*self.upstream, sequence, event, self.now);
        let row = match (behind, &self.failed) {
            (Some(_), _) => row,
            (None, Some(failed)) if failed.position == event.id => {
                let due = failed.due_in.map(|pause| self.now + pause);
                row.failed(&*failed.error, due)
            }
            (None, _) => return None,
        };
        let event = Box::new(row);
        Some(SetAsideChange::Put { event, behind })
    }

    /// Returns true if it was decided about just this event.
    fn is_decided(&self, event: &Notification) -> bool {
        let decided = self.decided.get(&event.id);
        decided.is_some_and(|decided| decided.may_be(&UpstreamEvent::from(&event.event)))
    }

    fn is_failed(&self, event: &Notification) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|failed| failed.position == event.id)
    }
}

/// Returns the sequence of an event: its aggregate, whose events are processed in order.
pub(super) fn sequence(event: &Notification) -> String {
    event.originator_id.to_string()
}

/// Returns the error of a follower that may set aside no more events.
pub(super) fn is_full(application: &Application, upstream: &str, count: u64) -> Error {
    let problem = format!(
        "{count} events of `{upstream}` are set aside, and FAILURES_MAX allows no more: retry or \
         discard some of them, or allow more, and then resume the follower"
    );
    Error::configuration(application.name(), problem)
}
