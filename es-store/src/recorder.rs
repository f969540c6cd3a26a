//! The traits of a store. One method writes both events and positions.

use std::sync::Arc;

use es_core::{AggregateId, IdType};

use crate::checkup::{self, Checkup, TopicCount};
use crate::commits::Commits;
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::followed::Followed;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::operation::Operation;
use crate::rebuild_lock::RebuildLock;
use crate::recording::{Recorded, Recording};
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::signal::{Listening, Signal};
use crate::sql::transaction::{Access, End, Transaction};
use crate::stored_event::StoredEvent;
use crate::upstream_event::UpstreamEvent;

/// Keeps the events of aggregates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no events",
    label = "needs `impl AggregateRecorder for {Self}`"
)]
pub trait AggregateRecorder: Send + Sync {
    /// Records all of `recording` in one transaction, or nothing of it. The recording is as durable
    /// as the store makes a commit when this returns.
    ///
    /// An empty recording does nothing. A recording without events only moves positions.
    ///
    /// A recording that is [resent](Recording::is_resent) is recorded as well, unless an earlier
    /// attempt has recorded it. It has, if each of its events is stored with the same topic and
    /// state, or, without events, if each position is at the end of its move and counts for the new
    /// policies. Then this returns the positions of the stored events.
    ///
    /// # Errors
    /// - [`StoreError::Conflict`]: a version of an aggregate exists already, or the recording has
    ///   it twice.
    /// - [`StoreError::Gap`]: a version above 1 comes without its predecessor, which is neither
    ///   stored nor earlier in the recording.
    /// - [`StoreError::PositionMoved`]: a move does not start at the recorded position, or other
    ///   policies are recorded for it.
    /// - [`StoreError::SetAsideChanged`]: a change of what is set aside does not find what it
    ///   expects.
    /// - The errors of the store itself.
    ///
    /// After an error nothing of the recording is stored, except that
    /// [`StoreError::OutcomeUnknown`] leaves it open. For a recording that is resent, every error
    /// leaves it open that is not a [refusal](StoreError::is_refusal).
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError>;

    /// Returns the events of one aggregate. The list is empty if the aggregate does not exist.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Records a snapshot: the state of an aggregate at a version. It replaces a snapshot of the
    /// same version. The state is not inspected, events and positions do not change, and no
    /// listener is woken.
    ///
    /// # Errors
    /// Fails as [`StoredEvent::check`] does, and those of the store itself.
    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError>;

    /// Returns the snapshots of one aggregate. The list is empty if the store keeps no snapshots. A
    /// store may ignore the limit of bytes here.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns the newest snapshot of one aggregate up to version `query.lte`, and the events after
    /// it up to that version, at most as many as the limits of `query` allow. Its other parts do
    /// not count, and neither do the bytes of the snapshot.
    ///
    /// The default implementation calls the two methods above. A store that can read both in one
    /// query should do so.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_history(&self, id: &AggregateId, query: &EventQuery) -> Result<History, StoreError> {
        let lte = query.lte;
        let newest = EventQuery {
            lte,
            ..EventQuery::all().desc().limit(1)
        };
        let snapshot = self.select_snapshots(id, &newest)?.into_iter().next();
        let behind = query.behind(snapshot.as_ref());
        let events = self.select_events(id, &behind)?;
        Ok(History { snapshot, events })
    }

    /// Returns the form of the ids in this store. `record` refuses an id of the other form, and
    /// queries do not find it.
    fn id_type(&self) -> IdType;
}

/// An aggregate recorder that also keeps the notification log of an application: all its events, in
/// the order of positions.
///
/// A reader that has seen position n is never shown a position below n later.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no notification log",
    label = "needs `impl ApplicationRecorder for {Self}`, on top of `AggregateRecorder`"
)]
pub trait ApplicationRecorder: AggregateRecorder {
    /// Returns notifications in the order of positions.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged; the error names the position.
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError>;

    /// Returns notifications in the order of positions, and the event at the position at which the
    /// query starts. A follower has processed that event, and so notices if the log was replaced.
    ///
    /// Both are of one state of the log, or the event is of a later state. If it is the event that
    /// was processed, then the log was not replaced before the page was read.
    ///
    /// The default implementation makes two calls in that order. A store that can read both at once
    /// should do so.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or the row of a notification is damaged.
    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        let notifications = self.select_notifications(query)?;
        let start = match query.start {
            Some(start) => self.event_at(start)?,
            None => None,
        };
        Ok(NotificationPage::new(start, notifications))
    }

    /// Returns the last position of the log and its event, or `None` if the log is empty.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// Returns the event at `position`, or `None` if there is none or its id or version cannot be
    /// read.
    ///
    /// Damage to topic or state does not hide the event: only its digest is missing then.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError>;

    /// Rings `signal` after each commit of events, by this process or another, until the
    /// [`Listening`] is dropped.
    ///
    /// A ring is only a hint. It may come too often, and a commit of another process may be noticed
    /// late or not at all. A listener must therefore poll as well.
    ///
    /// # Errors
    /// Fails when listening cannot begin.
    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError>;
}

/// An application recorder that also keeps the positions of a follower.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no positions",
    label = "needs `impl ProcessRecorder for {Self}`, on top of `ApplicationRecorder`"
)]
pub trait ProcessRecorder: ApplicationRecorder {
    /// Returns the position up to which events of `upstream` are processed, or `None` if none is
    /// recorded.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError>;

    /// Returns everything that is recorded about following `upstream`, of one state of the store:
    /// the position, the event there, and the policies for which the position counts. The count of
    /// events that wait may be of a later state, if some wait.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn followed(&self, upstream: &str) -> Result<Followed, StoreError>;

    /// Fails if this store cannot set events aside. The error names the statement that an operator
    /// has to execute.
    ///
    /// The default implementation fails.
    ///
    /// # Errors
    /// Fails if the tables are missing, and when the store cannot be read.
    fn check_set_aside(&self) -> Result<(), StoreError> {
        let problem = "this store cannot set events aside";
        Err(StoreError::Configuration(problem.to_owned()))
    }

    /// Returns events that are set aside, in the order of upstreams and positions.
    ///
    /// The default implementation returns none.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_set_aside(&self, _query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        Ok(Vec::new())
    }

    /// Returns the last `limit` operations on the follower, the last one first.
    ///
    /// The default implementation returns none.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_operations(&self, _limit: usize) -> Result<Vec<Operation>, StoreError> {
        Ok(Vec::new())
    }

    /// Returns the topics of all events, in the order of their texts. It may read the whole log.
    ///
    /// The default implementation reads the notifications page by page.
    ///
    /// # Errors
    /// Fails when the store cannot be read, or a row is damaged.
    fn select_topics(&self) -> Result<Vec<TopicCount>, StoreError> {
        checkup::count_topics(&|query| self.select_notifications(query))
    }

    /// Examines the store and its surroundings for an operator, and changes nothing.
    ///
    /// The default implementation finds nothing.
    fn checkup(&self) -> Checkup {
        Checkup::default()
    }

    /// Returns the numbers of the transactions in which it has recorded, or `None` if it does not
    /// count them.
    ///
    /// The default implementation returns `None`.
    fn commits(&self) -> Option<Commits> {
        None
    }

    /// Runs `work` in a transaction of the store's SQL database, and ends the transaction as `work`
    /// returns. An error or a panic rolls it back. Meanwhile the store refuses all other calls of
    /// this thread, which could wait for their own transaction.
    ///
    /// The default implementation returns an error, because only the SQL databases of this crate
    /// have tables of projections. A recorder that wraps such a store must forward the call.
    ///
    /// # Errors
    /// Fails when `work` fails, or the transaction cannot be begun or committed.
    fn transact(
        &self,
        _access: Access,
        _work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        Err(no_tables())
    }

    /// Takes the lock of a rebuild, so that nobody else rebuilds the tables until it is dropped or
    /// this process ends. Returns `None` if another owner has it.
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
