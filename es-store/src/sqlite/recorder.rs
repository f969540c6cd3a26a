//! The recorder of one application on an open database.

use std::sync::Arc;

use es_core::{AggregateId, IdType};
use rusqlite::Connection;

use super::database::Database;
use super::rows::Reader;
use super::schema::Layout;
use super::{checkup, rebuild, tables, user_transaction};
use crate::checkup::{Checkup, TopicCount};
use crate::commits::Commits;
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::followed::Followed;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::operation::Operation;
use crate::rebuild_lock::RebuildLock;
use crate::recorder::{AggregateRecorder, ApplicationRecorder, ProcessRecorder};
use crate::recording::{Recorded, Recording};
use crate::role::{Role, is_reserved};
use crate::set_aside::{SetAside, SetAsideQuery};
use crate::signal::{Listening, Signal};
use crate::sql::names::TableNames;
use crate::sql::schema::{FOLLOWS_NONE, ROW_PER_POSITION};
use crate::sql::transaction::{Access, End, Transaction};
use crate::stored_event::StoredEvent;
use crate::topic_filter::TopicFilter;
use crate::upstream_event::UpstreamEvent;

pub(super) struct SqliteRecorder {
    application: String,
    database: Arc<Database>,
    role: Role,
    id_type: IdType,
    layout: Layout,
    names: Arc<TableNames>,
}

impl SqliteRecorder {
    pub(super) fn new(
        application: &str,
        database: Arc<Database>,
        role: Role,
        id_type: IdType,
        layout: Layout,
    ) -> Self {
        Self {
            application: application.to_owned(),
            database,
            role,
            id_type,
            names: Arc::new(tables::table_names(layout.aside_problem.is_none())),
            layout,
        }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database
            .read(|connection| work(self.reader(connection)))
    }

    fn read_aggregate<T>(
        &self,
        work: impl FnOnce(Reader<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database
            .read_aggregate(|connection| work(self.reader(connection)))
    }

    fn reader<'a>(&'a self, connection: &'a Connection) -> Reader<'a> {
        Reader {
            connection,
            label: &self.database.label,
            id_type: self.id_type,
        }
    }

    fn refuse_old_tracking(&self) -> Result<(), StoreError> {
        if !self.layout.has_row_per_position {
            return Ok(());
        }
        let problem = format!("the table `tracking` {ROW_PER_POSITION}");
        Err(self.database.label.misconfigured(problem))
    }

    fn follows(&self, upstream: &str) -> bool {
        self.role == Role::Follower && !is_reserved(upstream)
    }
}

impl AggregateRecorder for SqliteRecorder {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        recording.check(self.id_type, self.role)?;
        if recording.is_empty() {
            return Ok(Recorded::default());
        }
        if !recording.trackings.is_empty() {
            self.refuse_old_tracking()?;
        }
        if recording.has_aside() {
            self.check_set_aside()?;
        }
        self.database.record(recording)
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if query.limit == 0 || id.id_type() != self.id_type {
            return Ok(Vec::new());
        }
        self.read_aggregate(|reader| reader.events(id, query))
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        snapshot.check(self.id_type)?;
        let Self {
            database, layout, ..
        } = self;
        if !layout.has_snapshots {
            let problem = "it has no table `stored_snapshots`, and none is made when it can only be read or CREATE_TABLE is off";
            return Err(database.label.misconfigured(problem));
        }
        database.record_snapshot(snapshot)
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let nothing = query.limit == 0 || id.id_type() != self.id_type;
        if nothing || !self.layout.has_snapshots {
            return Ok(Vec::new());
        }
        self.read_aggregate(|reader| reader.snapshots(id, query))
    }

    fn select_history(&self, id: &AggregateId, query: &EventQuery) -> Result<History, StoreError> {
        if id.id_type() != self.id_type {
            return Ok(History::default());
        }
        if self.layout.has_snapshots {
            return self.read_aggregate(|reader| reader.history(id, query));
        }
        self.select_events(id, &query.behind(None))
            .map(|events| History::new(None, events))
    }

    fn id_type(&self) -> IdType {
        self.id_type
    }
}

impl ApplicationRecorder for SqliteRecorder {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        if query.limit == 0 || query.topics.as_ref().is_some_and(TopicFilter::is_empty) {
            return Ok(Vec::new());
        }
        self.read(|reader| reader.notifications(query))
    }

    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        if query.limit == 0 || query.topics.as_ref().is_some_and(TopicFilter::is_empty) {
            return Ok(NotificationPage::default());
        }
        self.read(|reader| reader.page(query))
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.read(|reader| reader.head())
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        self.read(|reader| reader.event_at(position))
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        self.database.listen(signal)
    }
}

impl ProcessRecorder for SqliteRecorder {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        if !self.follows(upstream) {
            return Ok(None);
        }
        self.read(|reader| reader.tracked(upstream))
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        if !self.follows(upstream) {
            return Ok(Followed::default());
        }
        if !self.layout.has_policies {
            return self.tracked(upstream).map(Followed::new);
        }
        self.read(|reader| reader.followed(upstream, self.names.aside.as_ref()))
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        let label = &self.database.label;
        match &self.layout.aside_problem {
            Some(problem) => Err(label.misconfigured(problem)),
            None if self.role == Role::Leader => Err(label.misconfigured(FOLLOWS_NONE)),
            None => Ok(()),
        }
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        match &self.names.aside {
            Some(names) if self.role == Role::Follower => {
                self.read(|reader| reader.set_aside(names, query))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        match &self.names.aside {
            Some(names) if self.role == Role::Follower => {
                self.read(|reader| reader.operations(names, limit))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn select_topics(&self) -> Result<Vec<TopicCount>, StoreError> {
        self.database
            .read(|connection| checkup::topics(connection, &self.database.label))
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.database.committer.commits())
    }

    fn checkup(&self) -> Checkup {
        checkup::examine(&self.database)
    }

    fn transact(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        self.refuse_old_tracking()?;
        let names = self.names.clone();
        user_transaction::run(&self.database, &self.application, names, access, work)
    }

    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        rebuild::lock(&self.database)
    }
}
