//! What a store does: one family of traits, one write method for all that counts; snapshots only save work.

use std::sync::Arc;

use es_core::{AggregateId, IdType};

use crate::{
    Access, End, Head, Listening, Notification, NotificationQuery, RebuildLock, Role, Signal,
    StoreError, StoredEvent, Tracking, Transaction, UpstreamEvent,
};

/// What is recorded in one transaction: events, and for a follower the move of its position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The new events, in the order in which they get their positions. May be empty.
    pub events: Vec<StoredEvent>,
    /// For a follower: from where to where its position moves.
    pub tracking: Option<Tracking>,
}

impl Recording {
    /// A recording of events alone.
    pub fn new(events: Vec<StoredEvent>) -> Self {
        Self {
            events,
            tracking: None,
        }
    }

    /// The same recording, with a move of the follower's position.
    #[must_use]
    pub fn tracking(self, tracking: Tracking) -> Self {
        Self {
            tracking: Some(tracking),
            ..self
        }
    }

    /// Whether there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.tracking.is_none()
    }

    /// What every store refuses before it writes anything. Whoever writes a store calls it first.
    ///
    /// # Errors
    /// [`StoreError::IdType`] when an id has not the form that the store keeps; [`StoreError::Invalid`] when a version is
    /// 0, when a version or a position is above `i64::MAX`, when the tracking goes backwards, names a reserved upstream, or is given to a
    /// store that was opened for a [`Role::Leader`].
    pub fn check(&self, id_type: IdType, role: Role) -> Result<(), StoreError> {
        self.events
            .iter()
            .try_for_each(|event| event.check(id_type))?;
        match &self.tracking {
            Some(_) if role == Role::Leader => {
                let problem = "there is tracking, but the store was opened for an application that follows no other";
                Err(StoreError::Invalid(problem.to_owned()))
            }
            Some(tracking) => tracking.check(),
            None => Ok(()),
        }
    }
}

/// What became of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The positions of the new events, in the order of the recording.
    pub positions: Vec<u64>,
}

impl Recorded {
    /// Events were recorded at these positions.
    pub fn new(positions: Vec<u64>) -> Self {
        Self { positions }
    }

    /// The position of the last new event; `None` if there was none.
    pub fn last_position(&self) -> Option<u64> {
        self.positions.last().copied()
    }
}

/// Which events of one aggregate to select.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventQuery {
    /// Only versions above this.
    pub gt: Option<u64>,
    /// Only versions up to this.
    pub lte: Option<u64>,
    /// Highest version first.
    pub desc: bool,
    /// How many at the most; 0 selects none.
    pub limit: usize,
}

impl Default for EventQuery {
    fn default() -> Self {
        Self {
            gt: None,
            lte: None,
            desc: false,
            limit: usize::MAX,
        }
    }
}

impl EventQuery {
    /// All events, in the order of versions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of these, those with a version above `version`.
    #[must_use]
    pub fn gt(self, version: u64) -> Self {
        Self {
            gt: Some(version),
            ..self
        }
    }

    /// Of these, those with a version of at most `version`.
    #[must_use]
    pub fn lte(self, version: u64) -> Self {
        Self {
            lte: Some(version),
            ..self
        }
    }

    /// The same events, highest version first.
    #[must_use]
    pub fn desc(self) -> Self {
        Self { desc: true, ..self }
    }

    /// Of these, the first `limit`.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// What an aggregate is rebuilt from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<StoredEvent>,
    /// The events behind it, or all if there is none, in the order of versions.
    pub events: Vec<StoredEvent>,
}

impl History {
    /// The events behind a snapshot.
    pub fn new(snapshot: Option<StoredEvent>, events: Vec<StoredEvent>) -> Self {
        Self { snapshot, events }
    }
}

/// Keeps the events of aggregates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no events",
    label = "needs `impl AggregateRecorder for {Self}`"
)]
pub trait AggregateRecorder: Send + Sync {
    /// Records all of `recording` in one transaction, or nothing of it. When it returns, it is
    /// flushed as the store flushes.
    ///
    /// A recording without events and without tracking does nothing. One without events moves the
    /// tracking.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a version of an aggregate is there already, also when the recording
    /// itself has it twice; [`StoreError::Gap`] when a version above 1 comes without the one before it, be it
    /// stored or earlier in the recording; [`StoreError::PositionMoved`] when the tracking does not start at the recorded
    /// position; and what can go wrong in the store. After an error nothing of it is recorded, but for
    /// [`StoreError::OutcomeUnknown`].
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError>;

    /// The events of one aggregate; none if it does not exist.
    ///
    /// # Errors
    /// When the store cannot be read, or a row is damaged.
    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Keeps a snapshot: the state of an aggregate at a version, which is not looked at. If there is one at the same
    /// version, it is replaced. Events and positions are not touched, and nobody is woken.
    ///
    /// # Errors
    /// As [`StoredEvent::check`], and what can go wrong in the store.
    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError>;

    /// The snapshots of one aggregate; none if the store keeps no snapshots.
    ///
    /// # Errors
    /// When the store cannot be read, or a row is damaged.
    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// The newest snapshot of one aggregate, of those up to version `lte`, and the events behind it up to there.
    ///
    /// It is what the two methods above say. A store that can tell both in one go does better.
    ///
    /// # Errors
    /// When the store cannot be read, or a row is damaged.
    fn select_history(&self, id: &AggregateId, lte: Option<u64>) -> Result<History, StoreError> {
        let query = EventQuery {
            lte,
            ..EventQuery::all()
        };
        let newest = self.select_snapshots(id, &query.clone().desc().limit(1))?;
        let snapshot = newest.into_iter().next();
        let gt = snapshot.as_ref().map(|one| one.originator_version);
        let events = self.select_events(id, &EventQuery { gt, ..query })?;
        Ok(History { snapshot, events })
    }

    /// Which form the ids here have. An id of the other form is refused by `record`, and not found.
    fn id_type(&self) -> IdType;
}

/// Keeps the notification log of an application too: all its events, in the order of positions.
///
/// A reader that has seen position n is never shown a position below n.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no notification log",
    label = "needs `impl ApplicationRecorder for {Self}`, on top of `AggregateRecorder`"
)]
pub trait ApplicationRecorder: AggregateRecorder {
    /// Notifications, in the order of positions.
    ///
    /// # Errors
    /// When the store cannot be read, or a row is damaged; the error names the position.
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError>;

    /// The last event of the log; `None` if there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// Which event stands at `position`; `None` if there is none, or its id or version cannot be read.
    ///
    /// Topic and state are not looked at, so damage to them does not hide the event.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Rings `signal` after each commit of events, by this process or another, until the
    /// [`Listening`] is dropped.
    ///
    /// A ring is a hint: it may come too often, and a commit of another process may be noticed late or not at
    /// all. Whoever listens polls too.
    ///
    /// # Errors
    /// When listening cannot begin.
    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError>;
}

/// Keeps the positions of a follower too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no positions",
    label = "needs `impl ProcessRecorder for {Self}`, on top of `ApplicationRecorder`"
)]
pub trait ProcessRecorder: ApplicationRecorder {
    /// The position up to which events of `upstream` are processed; `None` if none ever was.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError>;

    /// Which event stood at `position` of `upstream` when that position was recorded; `None` if it is not
    /// known, for example because another program has moved the position.
    ///
    /// The position is asked for, and not the one that is tracked now: another instance may move it between
    /// two calls.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn upstream_event(
        &self,
        upstream: &str,
        position: u64,
    ) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Does `work` in a transaction of the store's SQL database, and ends it as that says; after an error or a panic it is
    /// rolled back. On this thread no other method may be called meanwhile.
    ///
    /// A store that is no SQL database of this crate has no tables of projections; that is what this method says if it is not
    /// written anew. One that wraps such a store passes the call on.
    ///
    /// # Errors
    /// What `work` says, and when the transaction cannot be begun or committed.
    fn transact(
        &self,
        _access: Access,
        _work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        Err(no_tables())
    }

    /// Keeps everybody else from rebuilding the tables, until it is dropped or this process ends; `None` if somebody else
    /// is at it.
    ///
    /// # Errors
    /// When the store fails.
    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        Err(no_tables())
    }
}

fn no_tables() -> StoreError {
    let problem = "this store is no SQL database, and has no tables for a projection";
    StoreError::Configuration(problem.to_owned())
}
