//! Saving: pending events are encoded, recorded in one transaction, and removed from their
//! aggregates.

use std::collections::HashMap;

use es_core::{Aggregate, AggregateId, PendingEvent};
use es_store::{EventQuery, Recorded, Recording, StoredEvent};

use crate::application::aggregates::{Aggregates, Visitor};
use crate::application::cache::CachedAggregate;
use crate::application::core::Application;
use crate::application::snapshots;
use crate::error::{Error, Result};

impl Application {
    /// Saves the pending events of one aggregate (`&mut dog`) or of several
    /// (`(&mut dog, &mut kennel)`, a slice, a `Vec`) in one transaction: either all events or none.
    ///
    /// When it returns, the events are as durable as the store makes them. Without pending events
    /// it does nothing.
    ///
    /// # Errors
    /// Returns [`Error::Conflict`] if another writer saved the same version of an aggregate first,
    /// and fails if the store does. After any error the events stay pending. After
    /// [`Error::OutcomeUnknown`] the same aggregates may be saved again: if all their events are
    /// found to be recorded, they count as saved.
    pub fn save(&self, mut aggregates: impl Aggregates) -> Result<Recorded> {
        self.refuse_inside_policy(
            "save",
            "hand the aggregate to `processing_event.collect_events(..)` instead, so that it is recorded with the position",
        )?;
        let Some(recorded) = save_pending(self, &mut aggregates)? else {
            return Ok(Recorded::default());
        };
        self.prompt();
        Ok(recorded)
    }
}

/// Saves the pending events of `aggregates`, all or none. Returns `None` if nothing is pending.
fn save_pending(
    application: &Application,
    aggregates: &mut impl Aggregates,
) -> Result<Option<Recorded>> {
    let mut pending = EncodePending {
        application,
        events: Vec::new(),
        in_doubt: false,
    };
    aggregates.__visit(&mut pending)?;
    let EncodePending {
        events, in_doubt, ..
    } = pending;
    if events.is_empty() {
        return Ok(None);
    }
    let recording = Recording::new(events);
    match application.record(&recording) {
        Ok(recorded) => {
            mark_saved(application, aggregates, None)?;
            Ok(Some(recorded))
        }
        Err(error @ Error::OutcomeUnknown { .. }) => {
            forget(application, &recording.events);
            aggregates.__visit(&mut MarkInDoubt(&recording.events))?;
            Err(error)
        }
        Err(error @ Error::Conflict { .. }) if in_doubt => {
            let Some(recorded) = recorded_already(application, &recording.events)? else {
                forget(application, &recording.events);
                return Err(error);
            };
            mark_saved(application, aggregates, Some(recorded))?;
            // The remaining events follow the recorded ones. The positions of the earlier attempt
            // are not known.
            Ok(Some(
                save_pending(application, aggregates)?.unwrap_or_default(),
            ))
        }
        Err(error) => {
            forget(application, &recording.events);
            Err(error)
        }
    }
}

/// Removes the aggregates of unrecorded events from the cache, because the events may have been
/// made from an old state.
pub(crate) fn forget(application: &Application, events: &[StoredEvent]) {
    if let Some(cache) = application.cache() {
        events
            .iter()
            .for_each(|event| cache.forget(&event.originator_id));
    }
}

/// Removes the recorded events from their aggregates, and then updates snapshots and cache.
fn mark_saved(
    application: &Application,
    aggregates: &mut impl Aggregates,
    up_to: Option<HashMap<AggregateId, u64>>,
) -> Result<()> {
    let mut mark = MarkSaved {
        application,
        up_to,
        snapshots: Vec::new(),
    };
    aggregates.__visit(&mut mark)?;
    snapshots::record(application, &mark.snapshots);
    Ok(())
}

/// Encodes the pending events of one aggregate.
pub(crate) fn encode<A: Aggregate>(
    application: &Application,
    aggregate: &A,
) -> Result<Vec<StoredEvent>> {
    application.claim_topic::<A>()?;
    let root = aggregate.__root();
    if let (Some(topic), version) = (root.__broken_by(), root.version()) {
        return Err(Error::Usage(format!(
            "{}: the body of event `{topic}` panicked after version {version} of aggregate {}, and its state may \
             be half changed: load it again",
            application.name(),
            root.id()
        )));
    }
    let encode = |event: &PendingEvent<A::Event>| {
        // An event of a log creates no aggregate.
        let is_creating = event.originator_version == 1 && !root.__is_entry();
        let topic = is_creating.then_some(A::TOPIC);
        let version = event.originator_version;
        let timestamp = event.timestamp;
        application
            .mapper()
            .encode(root.id(), version, timestamp, topic, &event.payload)
            .map(|event| as_attempted(application, root.__in_doubt(), event))
    };
    let events: Result<Vec<_>, _> = root.pending_events().iter().map(encode).collect();
    let events = events.map_err(|problem| Error::data(application.name(), problem))?;
    if application.compares_values() {
        compare(application, aggregate, &events)?;
    }
    Ok(events)
}

/// Compares the pending events of an aggregate, and its state in a snapshot, with what is stored of
/// them.
fn compare<A: Aggregate>(
    application: &Application,
    aggregate: &A,
    events: &[StoredEvent],
) -> Result<()> {
    let mut pending = aggregate.pending_events().iter().zip(events);
    let mapper = application.mapper();
    pending
        .try_for_each(|(event, stored)| mapper.compare_event(&event.payload, stored))
        .map_err(|problem| Error::data(application.name(), problem))?;
    snapshots::compare(application, aggregate)
}

/// Returns the event with the bytes that an attempt in doubt has sent, if there was one. A cipher
/// encodes an event to other bytes each time, so only the sent bytes show whether a recorded event
/// is this one. Bytes of another application, with another key, are not used.
fn as_attempted(
    application: &Application,
    in_doubt: &[(u64, Vec<u8>)],
    event: StoredEvent,
) -> StoredEvent {
    let mut attempts = in_doubt.iter();
    let Some((_, state)) = attempts.find(|(version, _)| *version == event.originator_version)
    else {
        return event;
    };
    let mut attempted = event.clone();
    attempted.state = state.clone();
    if application.mapper().is_same(&attempted, &event) {
        attempted
    } else {
        event
    }
}

/// Returns the version of each aggregate up to which an earlier attempt has recorded exactly these
/// events. Returns `None` if it has recorded none, or if another writer has recorded other events.
fn recorded_already(
    application: &Application,
    events: &[StoredEvent],
) -> Result<Option<HashMap<AggregateId, u64>>> {
    let mut up_to = HashMap::new();
    for event in events {
        let version = event.originator_version;
        let query = EventQuery::all().gt(version - 1).lte(version);
        match application
            .select_events(&event.originator_id, &query)?
            .first()
        {
            Some(stored) if stored == event => {
                up_to.insert(event.originator_id.clone(), version);
            }
            Some(_) => return Ok(None),
            None => {}
        }
    }
    Ok((!up_to.is_empty()).then_some(up_to))
}

/// Encodes pending events and leaves them pending.
struct EncodePending<'a> {
    application: &'a Application,
    events: Vec<StoredEvent>,
    in_doubt: bool,
}

impl Visitor for EncodePending<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        self.events.extend(encode(self.application, aggregate)?);
        self.in_doubt |= !aggregate.__root().__in_doubt().is_empty();
        Ok(())
    }
}

/// Removes pending events from their aggregates: all of them, or those that an earlier attempt has
/// recorded.
struct MarkSaved<'a> {
    application: &'a Application,
    up_to: Option<HashMap<AggregateId, u64>>,
    snapshots: Vec<StoredEvent>,
}

impl Visitor for MarkSaved<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let root = aggregate.__root_mut();
        let first = root.pending_events().first();
        let first = first.map(|event| event.originator_version);
        let up_to = match &self.up_to {
            None => root.version(),
            Some(up_to) => up_to.get(root.id()).copied().unwrap_or(0),
        };
        root.__saved_up_to(up_to);
        if let (Some(first), true) = (first, root.pending_events().is_empty()) {
            self.after_commit(aggregate, first);
        }
        Ok(())
    }
}

impl MarkSaved<'_> {
    /// Takes a snapshot and updates the cache, once all events of an aggregate are committed;
    /// `first` is the version of the first new one.
    fn after_commit<A: Aggregate>(&mut self, aggregate: &A, first: u64) {
        let snapshot = snapshots::due(self.application, aggregate, first);
        self.snapshots.extend(snapshot);
        if let Some(cache) = self.application.cache() {
            let saved = CachedAggregate::of(aggregate);
            saved.into_iter().for_each(|saved| cache.put(saved));
        }
    }
}

/// Marks these events as in doubt: it is unknown whether they were saved.
struct MarkInDoubt<'a>(&'a [StoredEvent]);

impl Visitor for MarkInDoubt<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let root = aggregate.__root_mut();
        let own = self
            .0
            .iter()
            .filter(|event| event.originator_id == *root.id());
        let states = own.map(|event| (event.originator_version, event.state.clone()));
        root.__doubt(states.collect());
        Ok(())
    }
}
