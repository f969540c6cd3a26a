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
    /// - [`StoreError::Conflict`] when a version of an aggregate exists already, or the recording
    ///   has it twice.
    /// - [`StoreError::Gap`] when the version before a version above 1 is neither stored nor
    ///   earlier in the recording.
    /// - [`StoreError::PositionMoved`] when a move does not start at the recorded position.
    /// - Any failure of the store. After an error nothing is recorded, except that
    ///   [`StoreError::OutcomeUnknown`] leaves it open.
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError>;

    /// The events of one aggregate; none if it does not exist.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Records a snapshot: the state of an aggregate at a version, which the store does not look
    /// into. It replaces one at the same version. Events and positions stay as they are, and no
    /// listener is woken.
    ///
    /// # Errors
    /// Fails as [`StoredEvent::check`] does, or when the store fails.
    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError>;

    /// The snapshots of one aggregate; none if the store keeps no snapshots.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
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
    /// Fails when the store cannot be read, or a row is damaged.
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
    /// Fails when the store cannot be read, or a row is damaged; the error names the position.
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError>;

    /// The last event of the log; `None` if there is none.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// The event at `position`; `None` if there is none, or if its id or version cannot be read.
    ///
    /// Topic and state are not looked at, so damage to them does not hide the event.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Rings `signal` after each commit of events, by this process or another, until the
    /// [`Listening`] is dropped.
    ///
    /// A ring is a hint: it may come too often, and a commit of another process may be noticed late
    /// or not at all. Whoever listens polls too.
    ///
    /// # Errors
    /// Fails when listening cannot begin.
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
    /// Fails when the store cannot be read.
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError>;

    /// The event that stood at `position` of `upstream` when that position was recorded; `None` if
    /// it is not known, for example because another program has moved the position.
    ///
    /// The position is asked for, and not the one that is tracked now: another instance may move it
    /// between two calls.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn upstream_event(
        &self,
        upstream: &str,
        position: u64,
    ) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Runs `work` in a transaction of the store's SQL database, and ends it as `work` returns.
    /// After an error or a panic it is rolled back. Meanwhile this thread may call no other method.
    ///
    /// A store that is not an SQL database of this crate has no tables of projections, and the
    /// provided method returns that error. A store that wraps an SQL database passes the call on.
    ///
    /// # Errors
    /// Fails when `work` fails, and when the transaction cannot be begun or committed.
    fn transact(
        &self,
        _access: Access,
        _work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        Err(no_tables())
    }

    /// Takes the lock for rebuilding the tables, until it is dropped or this process ends. Returns
    /// `None` if another rebuild has it.
    ///
    /// # Errors
    /// Fails when the store fails.
    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        Err(no_tables())
    }
}

fn no_tables() -> StoreError {
    let problem = "this store is no SQL database, and has no tables for a projection";
    StoreError::Configuration(problem.to_owned())
}
