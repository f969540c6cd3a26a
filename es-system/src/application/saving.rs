//! Saving: what is pending is encoded, recorded in one transaction, and then forgotten.

use std::collections::HashMap;

use es_core::{Aggregate, AggregateId, PendingEvent};
use es_store::{EventQuery, Recorded, Recording, StoredEvent};

use crate::application::aggregates::{Aggregates, Visitor};
use crate::application::cache::Saved;
use crate::application::core::Application;
use crate::application::snapshots;
use crate::error::{Error, Result};

impl Application {
    /// Saves the pending events of one aggregate (`&mut dog`), or of several (`(&mut dog, &mut kennel)`, a
    /// slice, a `Vec`), in one transaction: all or nothing.
    ///
    /// When it returns, they are flushed as the store flushes. Without pending events it does nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else saved the same version of an aggregate first, and what can go
    /// wrong in the store. The pending events stay after any error. After [`Error::OutcomeUnknown`] the same
    /// aggregates may be saved again: what is found to be recorded already, event for event, counts as saved.
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

/// Saves the pending events of `aggregates`, all or none; `None` if nothing is pending.
fn save_pending(
    application: &Application,
    aggregates: &mut impl Aggregates,
) -> Result<Option<Recorded>> {
    let mut pending = Pending {
        application,
        events: Vec::new(),
        in_doubt: false,
    };
    aggregates.__visit(&mut pending)?;
    let Pending {
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
            aggregates.__visit(&mut Doubt(&recording.events))?;
            Err(error)
        }
        Err(error @ Error::Conflict { .. }) if in_doubt => {
            let Some(recorded) = recorded_already(application, &recording.events)? else {
                forget(application, &recording.events);
                return Err(error);
            };
            mark_saved(application, aggregates, Some(recorded))?;
            // What is left is behind it. The positions of the earlier attempt are not known.
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

/// Takes aggregates whose events were not recorded out of the cache: it may have made them from an old state.
pub(crate) fn forget(application: &Application, events: &[StoredEvent]) {
    if let Some(cache) = application.cache() {
        events
            .iter()
            .for_each(|event| cache.forget(&event.originator_id));
    }
}

/// Forgets what was pending and is recorded, and then does what is done after a commit: snapshots, and the cache.
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

/// The pending events of one aggregate, encoded.
pub(crate) fn encode<A: Aggregate>(
    application: &Application,
    aggregate: &A,
) -> Result<Vec<StoredEvent>> {
    application.claim_topic::<A>()?;
    let root = aggregate.__root();
    if let (Some(topic), version) = (root.__broken_by(), root.version()) {
        return Err(Error::Usage(format!(
            "{}: the body of event `{topic}` has panicked behind version {version} of aggregate {}, and its state may \
             be half changed: load it again",
            application.name(),
            root.id()
        )));
    }
    let encode = |event: &PendingEvent<A::Event>| {
        // The events of a log create nothing.
        let is_creating = event.originator_version == 1 && !root.__is_entry();
        let topic = is_creating.then_some(A::TOPIC);
        let (version, timestamp) = (event.originator_version, event.timestamp);
        application
            .mapper()
            .encode(root.id(), version, timestamp, topic, &event.payload)
            .map(|event| as_attempted(application, root.__in_doubt(), event))
    };
    let events: Result<Vec<_>, _> = root.pending_events().iter().map(encode).collect();
    events.map_err(|problem| Error::data(application.name(), problem))
}

/// The event as an attempt in doubt has sent it, if one has: only its own bytes show that a recorded event is this one,
/// and with a cipher they are others each time. Those of another application, with another key, are not taken.
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

/// Up to which version of each aggregate exactly these events are recorded, if an earlier attempt has recorded
/// them; `None` if it has not, or if somebody else has recorded other ones.
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

/// Encodes what is pending, and leaves it pending.
struct Pending<'a> {
    application: &'a Application,
    events: Vec<StoredEvent>,
    in_doubt: bool,
}

impl Visitor for Pending<'_> {
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()> {
        self.events.extend(encode(self.application, aggregate)?);
        self.in_doubt |= !aggregate.__root().__in_doubt().is_empty();
        Ok(())
    }
}

/// Forgets what is pending: all of it, or what was recorded by an earlier attempt.
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
    /// What is done with an aggregate all of whose events, from version `first` on, are committed now.
    fn after_commit<A: Aggregate>(&mut self, aggregate: &A, first: u64) {
        let snapshot = snapshots::due(self.application, aggregate, first);
        self.snapshots.extend(snapshot);
        if let Some(cache) = self.application.cache() {
            let saved = Saved::of(aggregate);
            saved.into_iter().for_each(|saved| cache.put(saved));
        }
    }
}

/// Notes that nobody can say whether these events were saved.
struct Doubt<'a>(&'a [StoredEvent]);

impl Visitor for Doubt<'_> {
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
