//! The recorder of one application.
//!
//! Concurrency: all writes go through one connection, in groups. The lock of the table keeps other
//! writers out during a transaction, in this process and elsewhere. Readers have connections of
//! their own and never wait for writers. No user's code runs while a connection of either kind is
//! in use. A writer that panicked has lost its connection, and opens a new one.

use std::sync::Arc;

use es_core::{AggregateId, IdType};

use super::blocking::check_may_block;
use super::checkup::{self, Examined};
use super::connection::Connection;
use super::listen::{Listeners, ListeningConnection};
use super::names::Names;
use super::options::PostgresOptions;
use super::pool::Pool;
use super::rows::Rows;
use super::schema::{self, AsideTables, SchemaNeeds, ServerLayout};
use super::shortage;
use super::sql::Sql;
use super::sql::positions::PositionSql;
use super::writer::Writer;
use crate::checkup::{Checkup, TopicCount};
use crate::commits::Commits;
use crate::committer::Committer;
use crate::env::Env;
use crate::error::StoreError;
use crate::event_query::{EventQuery, History};
use crate::followed::Followed;
use crate::notification::{Head, Notification, NotificationPage, NotificationQuery};
use crate::operation::Operation;
use crate::rebuild_lock::RebuildLock;
use crate::recorder::{AggregateRecorder, ApplicationRecorder, ProcessRecorder};
use crate::recording::{Recorded, Recording};
use crate::role::Role;
use crate::role::is_reserved;
use crate::set_aside::{SetAside, SetAsideChange, SetAsideQuery};
use crate::signal::{Listening, Signal, Signals};
use crate::sql::followed::FollowedRows;
use crate::sql::names::quoted;
use crate::sql::reentrancy::Reentrancy;
use crate::sql::schema::ROW_PER_POSITION;
use crate::sql::transaction::{Access, End, Transaction};
use crate::stored_event::StoredEvent;
use crate::tracking::replay_row;
use crate::upstream_event::UpstreamEvent;

/// The recorder of one application's events in a PostgreSQL database.
pub struct PostgresRecorder {
    pub(super) settings: Arc<PostgresOptions>,
    pub(super) names: Arc<Names>,
    pub(super) id_type: IdType,
    pub(super) pool: Pool,
    /// The connections for users' transactions.
    pub(super) tables: Pool,
    reentrancy: Arc<Reentrancy>,
    pub(super) application: String,
    /// True if there is a table of snapshots.
    pub(super) has_snapshots: bool,
    role: Role,
    pub(super) layout: ServerLayout,
    pub(super) aside: AsideTables,
    committer: Committer<Writer>,
    signals: Signals,
    listeners: Listeners,
}

impl PostgresRecorder {
    /// Opens the tables of an application, and creates what is missing; see [`open`](super::open).
    ///
    /// # Errors
    /// Fails as [`open`](super::open) does.
    pub fn open(application: &str, role: Role, env: &Env) -> Result<Self, StoreError> {
        let env = &env.for_application(application);
        let settings = Arc::new(PostgresOptions::of(application, env)?);
        let id_type = env.id_type()?;
        let names = Arc::new(Names::new(application, &settings.schema, id_type)?);
        let open = || Connection::open_writer(&settings, &names);
        let mut connection = shortage::open(&settings, open, shortage::pause)?;
        let wanted = SchemaNeeds {
            application,
            role,
            settings: &settings,
            names: &names,
        };
        let layout = schema::prepare(&mut connection.client, &wanted)?;
        let has_snapshots = schema::prepare_snapshots(&mut connection.client, &settings, &names)?;
        let aside = schema::prepare_aside(&mut connection.client, &wanted)?;
        let writer = Writer::new(settings.clone(), names.clone(), id_type, layout, connection);
        let signals = Signals::default();
        let reentrancy = Arc::<Reentrancy>::default();
        Ok(Self {
            pool: Pool::new(settings.clone(), names.clone(), reentrancy.clone()),
            tables: Pool::new(settings.clone(), names.clone(), reentrancy.clone()),
            reentrancy,
            application: application.to_owned(),
            listeners: listeners(&signals, &settings, &names),
            has_snapshots,
            committer: Committer::new(writer, signals.clone(), settings.label.queue()),
            settings,
            names,
            id_type,
            role,
            layout,
            aside,
            signals,
        })
    }

    /// Reads with one statement: on a connection of the pool, or on the one that writes while the
    /// server has none left.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&mut Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let on_writer = || self.committer.writer().read(&work);
        self.pool.read(doing, &work, on_writer)
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows {
            label: &self.settings.label,
            id_type: self.id_type,
        }
    }

    /// Returns an error if the tracking table has the form of old versions of the Python library,
    /// which is never written.
    pub(super) fn refuse_old_tracking(&self) -> Result<(), StoreError> {
        if !self.layout.has_row_per_position {
            return Ok(());
        }
        let problem = format!("the table `{}` {ROW_PER_POSITION}", self.names.tracking);
        Err(self.settings.label.misconfigured(problem))
    }

    /// Has `work` examine the database.
    fn examined<T>(&self, work: impl FnOnce(&Examined<'_>) -> T) -> T {
        work(&Examined {
            names: &self.names,
            settings: &self.settings,
            role: self.role,
            has_snapshots: self.has_snapshots,
            read: &|doing, sql, params| {
                self.read(doing, |connection| connection.client.query(sql, params))
            },
        })
    }

    fn follows(&self, upstream: &str) -> bool {
        self.role == Role::Follower && !is_reserved(upstream) && !upstream.contains('\0')
    }

    fn check(&self, recording: &Recording) -> Result<(), StoreError> {
        recording.check(self.id_type, self.role)?;
        if !recording.trackings.is_empty() {
            self.refuse_old_tracking()?;
        }
        if recording.has_aside() {
            self.check_set_aside()?;
        }
        check_text(recording)
    }
}

fn listeners(signals: &Signals, settings: &Arc<PostgresOptions>, names: &Arc<Names>) -> Listeners {
    let (settings, names) = (settings.clone(), names.clone());
    let connection = ListeningConnection {
        connect: Box::new({
            let (settings, names) = (settings.clone(), names.clone());
            move |is_patient| {
                let open = || Connection::open_listener(&settings, &names);
                let opened = if is_patient {
                    shortage::open(&settings, open, shortage::pause)
                } else {
                    open().map_err(StoreError::from)
                };
                opened.map(|connection| connection.client)
            }
        }),
        listen: format!("LISTEN {}", quoted(&names.events)),
        check_after: settings.check_listener,
        label: settings.label.clone(),
    };
    Listeners::new(signals.clone(), Arc::new(connection))
}

/// Returns an error if a text has a zero byte, which PostgreSQL cannot store.
pub(super) fn check_text(recording: &Recording) -> Result<(), StoreError> {
    let event = recording
        .events
        .iter()
        .find(|event| event.topic.contains('\0') || has_zero(&event.originator_id));
    let upstream = recording.trackings.iter().any(|tracking| {
        let policies = tracking.policies.iter();
        tracking.upstream.contains('\0')
            || tracking.at.iter().any(|at| has_zero(&at.originator_id))
            || policies
                .flat_map(|one| one.texts())
                .any(|text| text.contains('\0'))
    });
    let aside = recording.set_aside.iter().any(|change| match change {
        SetAsideChange::Put { event, .. } => {
            let texts = [&event.upstream, &event.sequence, &event.topic];
            has_zero(&event.originator_id) || texts.iter().any(|text| text.contains('\0'))
        }
        change => change.upstream().contains('\0'),
    });
    let mut operations = recording.operations.iter();
    let of = match event {
        Some(event) => format!("version {} of an aggregate", event.originator_version),
        None if upstream => "the tracking".to_owned(),
        None if aside => "what is set aside".to_owned(),
        None if operations.any(|one| one.upstream.contains('\0')) => "an operation".to_owned(),
        None => return Ok(()),
    };
    Err(StoreError::Invalid(format!(
        "{of} has a zero byte in a text"
    )))
}

pub(super) fn has_zero(id: &AggregateId) -> bool {
    match id {
        AggregateId::Text(text) => text.contains('\0'),
        AggregateId::Uuid(_) => false,
    }
}

impl AggregateRecorder for PostgresRecorder {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        self.check(recording)?;
        if recording.is_empty() {
            return Ok(Recorded::default());
        }
        check_may_block(&self.settings.label)?;
        self.reentrancy.refuse(&self.settings.label)?;
        self.committer.record(recording)
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.events(id, query)
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        self.keep_snapshot(snapshot)
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.snapshots(id, query)
    }

    fn select_history(&self, id: &AggregateId, query: &EventQuery) -> Result<History, StoreError> {
        if !self.has_snapshots {
            let events = self.select_events(id, &query.behind(None))?;
            return Ok(History::new(None, events));
        }
        self.history(id, query)
    }

    fn id_type(&self) -> IdType {
        self.id_type
    }
}

impl ApplicationRecorder for PostgresRecorder {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        self.notifications(query)
    }

    fn select_page(&self, query: &NotificationQuery) -> Result<NotificationPage, StoreError> {
        self.page(query)
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        let rows = self.read("reading the head", |connection| {
            connection.query(Sql::Head, &[])
        })?;
        rows.first().map(|row| self.rows().head(row)).transpose()
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        let Ok(position) = i64::try_from(position) else {
            return Ok(None);
        };
        let rows = self.read("reading an event", |connection| {
            connection.query(Sql::EventAt, &[&position])
        })?;
        Ok(rows.first().and_then(|row| self.rows().upstream_event(row)))
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        let listening = self.signals.listen(signal);
        match self.listeners.join(&self.settings.label) {
            // A standby sends no notifications. Each listener also polls, so this is not an error.
            Err(StoreError::ReadOnly { .. }) => Ok(listening),
            announced => Ok(listening.and(announced?)),
        }
    }
}

impl ProcessRecorder for PostgresRecorder {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        if !self.follows(upstream) {
            return Ok(None);
        }
        let rows = self.read("reading the position", |connection| {
            connection.query(Sql::Position(PositionSql::Tracked), &[&upstream])
        })?;
        match rows.first() {
            Some(row) => self.rows().tracked(upstream, row),
            None => Ok(None),
        }
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        if !self.follows(upstream) {
            return Ok(Followed::default());
        }
        if !self.layout.has_policies || self.layout.has_row_per_position {
            return self.tracked(upstream).map(Followed::new);
        }
        let replay = replay_row(upstream);
        let sql = if self.aside.is_readable {
            PositionSql::Followed
        } else {
            PositionSql::FollowedWithoutAside
        };
        let rows = self.read("reading the position", |connection| {
            connection.query(Sql::Position(sql), &[&upstream, &replay])
        })?;
        let mut followed = FollowedRows::of(upstream);
        for row in &rows {
            let added = followed.add(row);
            added.map_err(|one| self.settings.label.damaged(one.at, one.problem))?;
        }
        if followed.has_waiting() {
            let waiting = self.read("counting what is set aside", |connection| {
                connection.query(Sql::Position(PositionSql::Waiting), &[&upstream])
            })?;
            for row in &waiting {
                let counted = followed.count(row);
                counted.map_err(|one| self.settings.label.damaged(one.at, one.problem))?;
            }
        }
        Ok(followed.finish())
    }

    fn select_topics(&self) -> Result<Vec<TopicCount>, StoreError> {
        self.examined(checkup::topics)
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.committer.commits())
    }

    fn checkup(&self) -> Checkup {
        self.examined(checkup::examine)
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        self.check_aside(self.role)
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        self.set_aside(query)
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.operations(limit)
    }

    fn transact(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<End, StoreError>,
    ) -> Result<(), StoreError> {
        self.in_transaction(access, work)
    }

    fn lock_rebuild(&self) -> Result<Option<RebuildLock>, StoreError> {
        self.try_lock_rebuild()
    }
}
