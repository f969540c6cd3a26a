//! Saving: pending events are encoded, recorded in one transaction, and removed from their
//! aggregates.

use std::sync::Arc;

use es_core::{Aggregate, PendingEvent};
use es_store::{Recorded, Recording, StoredEvent};

use crate::application::aggregates::{Aggregates, Visitor};
use crate::application::attempt::{self, SaveAttempt};
use crate::application::cache::CachedAggregate;
use crate::application::core::Application;
use crate::application::saved::Saved;
use crate::application::snapshots;
use crate::application::store_errors;
use crate::error::{Attempt, Error, ErrorKind, Result};

impl Application {
    /// Saves the pending events of one aggregate (`&mut dog`) or of several
    /// (`(&mut dog, &mut kennel)`, a slice, a `Vec`) in one transaction: either all events or none.
    ///
    /// When it returns, the events are as durable as the store makes them. Without pending events
    /// it does nothing.
    ///
    /// # Errors
    /// Returns [`Error::Conflict`] if another writer saved the same version of an aggregate first,
    /// and fails if the store does. After any error the events stay pending.
    ///
    /// [`Error::OutcomeUnknown`] means that it is unknown whether the events were saved. Then save
    /// the same aggregates again, or settle the [doubt](Error::doubt) of the error. Until the store
    /// has answered, each call returns this error. Events that were added since then are saved
    /// afterwards, in a transaction of their own.
    pub fn save(&self, mut aggregates: impl Aggregates) -> Result<Saved> {
        self.refuse_inside_policy(
            "save",
            "hand the aggregate to `processing_event.collect_events(..)` instead, so that it is recorded with the position",
        )?;
        let call = store_errors::save_of(self.instance(), &mut aggregates)?;
        let saved = store_errors::mending(call, || save_pending(self, &mut aggregates));
        let Some(recorded) = saved? else {
            return Ok(Saved::new(self.name(), Recorded::default()));
        };
        self.prompt();
        Ok(Saved::new(self.name(), recorded))
    }
}

/// Saves the pending events of `aggregates`, all or none. Returns `None` if nothing is pending.
fn save_pending(
    application: &Application,
    aggregates: &mut impl Aggregates,
) -> Result<Option<Recorded>> {
    let settled = settle(application, aggregates)?;
    let mut pending = EncodePending {
        application,
        events: Vec::new(),
        moved: Vec::new(),
    };
    aggregates.__visit(&mut pending)?;
    let EncodePending { events, moved, .. } = pending;
    if !moved.is_empty() {
        let attempt = SaveAttempt::moved_to(application, moved)?;
        aggregates.__visit(&mut KeepAttempt(&attempt))?;
        return save_pending(application, aggregates);
    }
    if events.is_empty() {
        return Ok(settled);
    }
    let recording = Recording::new(events);
    match attempt::record(application, &recording) {
        Ok(recorded) => {
            mark_saved(application, aggregates, None)?;
            Ok(Some(both(settled, recorded)))
        }
        Err((error, attempt)) => {
            application.forget(&recording.events);
            if let Some(attempt) = attempt {
                aggregates.__visit(&mut KeepAttempt(&attempt))?;
            }
            Err(error)
        }
    }
}

/// Finds the outcome of each earlier attempt at the pending events, if it is unknown. Returns
/// `None` if no such attempt was recorded.
pub(crate) fn settle(
    application: &Application,
    aggregates: &mut impl Aggregates,
) -> Result<Option<Recorded>> {
    let mut attempts = FindAttempts(Vec::new());
    aggregates.__visit(&mut attempts)?;
    let mut settled = None;
    for attempt in attempts.0 {
        let is_answered = attempt.answer().is_some();
        if !attempt.is_by(application) {
            continue;
        }
        match attempt.clone().settle() {
            Ok(recorded) => {
                mark_saved(application, aggregates, Some(&attempt))?;
                settled = Some(both(settled, recorded));
            }
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => return Err(error),
            Err(error) => {
                aggregates.__visit(&mut DropAttempt(&attempt))?;
                // Whoever has settled it was told. The events are saved as any others.
                if !is_answered {
                    return Err(error);
                }
            }
        }
    }
    Ok(settled)
}

fn both(settled: Option<Recorded>, recorded: Recorded) -> Recorded {
    let mut positions = settled.unwrap_or_default().positions;
    positions.extend(recorded.positions);
    Recorded::new(positions)
}

/// Removes the recorded events from their aggregates, and then updates snapshots and cache.
/// `attempt` is the one that has recorded them, if it was in doubt.
fn mark_saved(
    application: &Application,
    aggregates: &mut impl Aggregates,
    attempt: Option<&Arc<SaveAttempt>>,
) -> Result<()> {
    let mut mark = MarkSaved {
        application,
        attempt,
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
    // The type of a log's entries is not an aggregate that is saved.
    if !root.__is_entry() {
        application.refuse_unlisted::<A>()?;
    }
    if let (Some(topic), version) = (root.__broken_by(), root.version()) {
        return Err(Error::Usage(format!(
            "{}: the body of event `{topic}` panicked after version {version} of aggregate {}, and its state may \
             be half changed: load it again",
            application.name(),
            root.id()
        )));
    }
    let attempt = SaveAttempt::of(root);
    let encode = |event: &PendingEvent<A::Event>| {
        // An event of a log creates no aggregate.
        let is_creating = event.originator_version == 1 && !root.__is_entry();
        let topic = is_creating.then_some(A::TOPIC);
        let version = event.originator_version;
        let timestamp = event.timestamp;
        application
            .mapper()
            .encode(root.id(), version, timestamp, topic, &event.payload)
            .map(|event| as_attempted(application, attempt.as_deref(), event))
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
    attempt: Option<&SaveAttempt>,
    event: StoredEvent,
) -> StoredEvent {
    let same_version = |sent: &&StoredEvent| {
        sent.originator_id == event.originator_id
            && sent.originator_version == event.originator_version
    };
    let sent = attempt.and_then(|attempt| attempt.events().iter().find(same_version));
    match sent {
        Some(sent) if application.mapper().is_same(sent, &event) => sent.clone(),
        _ => event,
    }
}

/// Encodes pending events and leaves them pending.
struct EncodePending<'a> {
    application: &'a Application,
    events: Vec<StoredEvent>,
    /// The events that another object of the application has sent, and whose outcome is unknown.
    moved: Vec<StoredEvent>,
}

impl Visitor for EncodePending<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let mut events = encode(self.application, aggregate)?;
        let root = aggregate.__root();
        let attempt = SaveAttempt::of(root);
        // A refused attempt has recorded nothing, and its events are as good as new.
        let attempt = attempt.filter(|attempt| !matches!(attempt.answer(), Some(Err(_))));
        let last = attempt.map_or(0, |attempt| attempt.last_version(root.id()));
        let is_sent = |event: &StoredEvent| event.originator_version <= last;
        let new = events.split_off(events.partition_point(is_sent));
        self.moved.extend(events);
        self.events.extend(new);
        Ok(())
    }
}

/// Finds the attempts at the pending events of aggregates, each once.
struct FindAttempts(Vec<Arc<SaveAttempt>>);

impl Visitor for FindAttempts {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let own = SaveAttempt::of(aggregate.__root());
        let is_new = |own: &Arc<_>| !self.0.iter().any(|known| Arc::ptr_eq(known, own));
        self.0.extend(own.filter(is_new));
        Ok(())
    }
}

/// Has aggregates keep the attempt at their pending events.
struct KeepAttempt<'a>(&'a Arc<SaveAttempt>);

impl Visitor for KeepAttempt<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let root = aggregate.__root_mut();
        if self.0.last_version(root.id()) > 0 {
            self.0.keep(root);
        }
        Ok(())
    }
}

/// Has aggregates drop an attempt that was refused.
struct DropAttempt<'a>(&'a Arc<SaveAttempt>);

impl Visitor for DropAttempt<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let root = aggregate.__root_mut();
        if SaveAttempt::of(root).is_some_and(|own| Arc::ptr_eq(&own, self.0)) {
            root.__set_in_doubt(None);
        }
        Ok(())
    }
}

/// Removes pending events from their aggregates: all of them, or those of an attempt.
struct MarkSaved<'a> {
    application: &'a Application,
    attempt: Option<&'a Arc<SaveAttempt>>,
    snapshots: Vec<StoredEvent>,
}

impl Visitor for MarkSaved<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        let root = aggregate.__root_mut();
        let first = root.pending_events().first();
        let first = first.map(|event| event.originator_version);
        let own = SaveAttempt::of(root);
        let up_to = match self.attempt {
            None => root.version(),
            Some(attempt) if own.is_some_and(|own| Arc::ptr_eq(&own, attempt)) => {
                attempt.last_version(root.id())
            }
            Some(_) => return Ok(()),
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
    fn after_commit<A: Aggregate>(&mut self, aggregate: &mut A, first: u64) {
        let snapshot = snapshots::due(self.application, aggregate, first);
        self.snapshots.extend(snapshot);
        let own = Some(self.application.instance());
        let root = aggregate.__root_mut();
        if first == 1 {
            root.__set_origin(self.application.instance());
        }
        let Some(cache) = self.application.cache() else {
            return;
        };
        // Another application may have an aggregate of this id with another state.
        let saved = (root.__origin() == own).then(|| CachedAggregate::of(root));
        match saved.flatten() {
            Some(saved) => cache.put(saved),
            None => cache.forget(root.id()),
        }
    }
}
