//! Loads one aggregate, page by page.
//!
//! A page is decoded and applied before the next one is read, so the events of a long aggregate are
//! never in memory at once. The first page comes with the snapshot, and is the only one of an
//! aggregate of few events.
//!
//! Concurrency: each page is a read of its own, and others may save the aggregate between two of
//! them. Its versions are only ever appended to, and each page begins behind the last version of
//! the one before. So all pages together are the history up to the version at their end, which the
//! aggregate had at the last read.

use es_core::{Aggregate, AggregateId, Replay};
use es_store::{Conflict, EventQuery, PAGE_BYTES, StoredEvent};

use crate::application::batch;
use crate::application::core::Application;
use crate::application::snapshots::{self, Stored};
use crate::error::DataProblem;
use crate::error::{Error, Result};

/// The maximum number of events of a page.
const PAGE_EVENTS: usize = 1_000;

/// A load of one aggregate.
pub(crate) struct Loading<'a> {
    pub(crate) application: &'a Application,
    pub(crate) id: &'a AggregateId,
    /// The version at which the load ends; `None` is the current one.
    pub(crate) lte: Option<u64>,
    /// The events that the batch of a policy has collected, which follow the stored ones.
    pub(crate) collected: Vec<StoredEvent>,
}

/// A loaded aggregate.
pub(crate) struct Loaded<A> {
    /// The aggregate, if it exists.
    pub(crate) aggregate: Option<A>,
    /// The bytes of the states that were read for it: those of its events and its snapshot.
    pub(crate) bytes: usize,
}

impl Loading<'_> {
    /// Loads the aggregate from the store: `base` and the events behind it, or, without a base, the
    /// newest snapshot and the events behind that.
    pub(crate) fn run<A: Aggregate>(self, base: Option<A>) -> Result<Loaded<A>> {
        let mut query = EventQuery::all().limit(PAGE_EVENTS).byte_limit(PAGE_BYTES);
        query.lte = self.lte;
        let Stored {
            base,
            mut events,
            mut bytes,
            has_outdated_snapshot,
        } = match base {
            None => snapshots::stored(self.application, self.id, &query)?,
            Some(base) => {
                query.gt = Some(base.version());
                let events = self.application.select_events(self.id, &query)?;
                Stored::new(Some(base), events)
            }
        };
        let mut replay = base.map_or_else(|| Replay::new(self.id.clone()), Replay::resume);
        loop {
            self.apply(&mut replay, &events)?;
            if !query.is_filled_by(&events) {
                break;
            }
            query.gt = Some(replay.version());
            events = self.application.select_events(self.id, &query)?;
            bytes += batch::bytes_of(&events);
        }
        if let Some(batch) = batch::of(self.application.instance()) {
            batch.borrow_mut().loaded(bytes);
        }
        self.refuse_overtaken(replay.version())?;
        let is_wanted =
            |event: &&StoredEvent| self.lte.is_none_or(|lte| event.originator_version <= lte);
        let mut wanted = self.collected.iter().filter(is_wanted);
        wanted.try_for_each(|event| self.apply(&mut replay, std::slice::from_ref(event)))?;
        let mut aggregate = replay.finish();
        if let (Some(aggregate), true) = (&mut aggregate, has_outdated_snapshot) {
            aggregate.__root_mut().__set_outdated_snapshot();
        }
        Ok(Loaded { aggregate, bytes })
    }

    fn apply<A: Aggregate>(&self, replay: &mut Replay<A>, events: &[StoredEvent]) -> Result<()> {
        let failed = |problem| {
            let id = self.id.clone();
            Error::data(self.application.name(), DataProblem::Replay { id, problem })
        };
        for event in events {
            let decoded = self.application.repository().decode::<A>(event)?;
            let (id, version) = (&event.originator_id, event.originator_version);
            replay
                .apply(id, version, decoded.timestamp, &decoded.payload)
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Fails if another writer has saved the aggregate after a policy of this batch had collected
    /// it. The batch cannot be recorded then, and runs again.
    fn refuse_overtaken(&self, stored: u64) -> Result<()> {
        let first = self.collected.first();
        match first.map(|first| first.originator_version) {
            Some(first) if stored >= first => {
                let conflict = Conflict::new(self.id.clone(), first);
                Err(self.application.store_error(conflict.into()))
            }
            _ => Ok(()),
        }
    }
}
