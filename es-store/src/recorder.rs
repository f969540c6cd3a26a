//! A store: one family of traits, with one write method for events and positions.

use std::sync::Arc;

use es_core::{AggregateId, IdType};

use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::notification::{Head, Notification, NotificationQuery};
use crate::rebuild_lock::RebuildLock;
use crate::recording::{Recorded, Recording};
use crate::signal::{Listening, Signal};
use crate::sql::transaction::{Access, End, Transaction};
use crate::stored_event::StoredEvent;
use crate::tracking::UpstreamEvent;

/// Keeps the events of aggregates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no events",
    label = "needs `impl AggregateRecorder for {Self}`"
)]
pub trait AggregateRecorder: Send + Sync {
    /// Records all of `recording` in one transaction, or nothing of it. When it returns, it is
    /// flushed as the store flushes.
    ///
    /// An empty recording does nothing. One without events only moves positions.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a version of an aggregate is there already, also when the
    /// recording itself has it twice; [`StoreError::Gap`] when a version above 1 comes without the
    /// one before it, be it stored or earlier in the recording; [`StoreError::PositionMoved`] when
    /// a move does not start at the recorded position; and what can go wrong in the store. After an
    /// error nothing of it is recorded, but for [`StoreError::OutcomeUnknown`].
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

    /// Keeps a snapshot: the state of an aggregate at a version, which is not looked at. If there
    /// is one at the same version, it is replaced. Events and positions are not touched, and nobody
    /// is woken.
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

    /// The newest snapshot of one aggregate, of those up to version `lte`, and the events behind it
    /// up to there.
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

    /// Which event stands at `position`; `None` if there is none, or its id or version cannot be
    /// read.
    ///
    /// Topic and state are not looked at, so damage to them does not hide the event.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Rings `signal` after each commit of events, by this process or another, until the
    /// [`Listening`] is dropped.
    ///
    /// A ring is a hint: it may come too often, and a commit of another process may be noticed late
    /// or not at all. Whoever listens polls too.
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

    /// Which event stood at `position` of `upstream` when that position was recorded; `None` if it
    /// is not known, for example because another program has moved the position.
    ///
    /// The position is asked for, and not the one that is tracked now: another instance may move it
    /// between two calls.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn upstream_event(
        &self,
        upstream: &str,
        position: u64,
    ) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Does `work` in a transaction of the store's SQL database, and ends it as that says; after an
    /// error or a panic it is rolled back. On this thread no other method may be called meanwhile.
    ///
    /// A store that is no SQL database of this crate has no tables of projections; that is what
    /// this method says if it is not written anew. One that wraps such a store passes the call on.
    ///
    /// # Errors
    /// When `work` fails, and when the transaction cannot be begun or committed.
    fn transact(
        &self,
        _access: Access,
        _work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        Err(no_tables())
    }

    /// Keeps everybody else from rebuilding the tables, until it is dropped or this process ends;
    /// `None` if somebody else is at it.
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
