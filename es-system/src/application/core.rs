//! The part that all applications share: the store, the settings, and the access to both for the
//! other modules.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use es_core::{Aggregate, AggregateId, error_chain};
use es_store::sync;
use es_store::{
    Env, EventQuery, Followed, Mapper, ProcessRecorder, Role, StoreError, StoredEvent, Tables,
};

use crate::application::batch;
use crate::application::cache::Cache;
use crate::application::forgotten;
use crate::application::metrics::{ApplicationMetrics, SaveCounters};
use crate::application::origin;
use crate::application::seen_head::SeenHead;
use crate::application::store_errors;
use crate::application::topics::Topics;
use crate::error::{Error, Result};

/// The part that all applications share. It saves aggregates and loads them again.
///
/// A user's application derefs to it, so its methods are called as `self.save(..)` and
/// `self.repository()`. A clone is another handle to the same application.
#[derive(Clone)]
pub struct Application {
    inner: Arc<Inner>,
}

struct Inner {
    instance: u64,
    name: String,
    env: Env,
    mapper: Mapper,
    recorder: RwLock<Option<Arc<dyn ProcessRecorder>>>,
    topics: Topics,
    is_snapshotting: bool,
    cache: Option<Cache>,
    seen_head: SeenHead,
    save_counters: SaveCounters,
    after_save: RwLock<Option<Weak<dyn AfterSave>>>,
    /// True in a test that compares values with what was stored of them.
    compares_values: AtomicBool,
}

/// The hook of a runner that is called after a save.
pub(crate) trait AfterSave: Send + Sync {
    /// Called on the thread of the command, after the commit.
    fn after_save(&self, application: &Application);
}

impl Application {
    /// Opens the application `name` on the store that `env` names, or in memory if it names none.
    ///
    /// A key that begins with the application's name wins: `DOGSCHOOL_SQLITE_DBNAME` over
    /// `SQLITE_DBNAME`.
    ///
    /// # Errors
    /// Fails if the environment is wrong or the store cannot be opened.
    pub fn open(name: &str, role: Role, env: Env) -> Result<Self> {
        let env = env.for_application(name);
        let recorder = es_store::open(name, role, &env).map_err(|e| Error::store(name, e))?;
        Self::with_recorder(name, env, recorder)
    }

    /// Opens an application on a recorder of the caller's.
    ///
    /// # Errors
    /// Fails if the environment is wrong.
    pub fn with_recorder(name: &str, env: Env, recorder: Arc<dyn ProcessRecorder>) -> Result<Self> {
        forgotten::warn_outside_of_policies();
        let mapper = Mapper::new(&env).map_err(|e| Error::store(name, e))?;
        let wrong = |e| Error::env(name, e);
        let is_snapshotting = env
            .boolean("IS_SNAPSHOTTING_ENABLED", true)
            .map_err(wrong)?;
        let cache = Cache::new(&env).map_err(wrong)?;
        let inner = Inner {
            instance: origin::new(),
            name: name.to_owned(),
            env,
            mapper,
            recorder: RwLock::new(Some(recorder)),
            topics: Topics::default(),
            is_snapshotting,
            cache,
            seen_head: SeenHead::default(),
            save_counters: SaveCounters::default(),
            after_save: RwLock::new(None),
            compares_values: AtomicBool::new(false),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Returns the stored name of the application.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the environment that the application was opened with.
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// Returns the position up to which this application has processed the events of `upstream`, or
    /// `None` if it has processed none.
    ///
    /// # Errors
    /// Fails if the application is closed or the store cannot be read.
    pub fn position_in(&self, upstream: &str) -> Result<Option<u64>> {
        self.on_store(|store| store.tracked(upstream))
    }

    /// Returns everything that is recorded about following `upstream`.
    pub(crate) fn followed(&self, upstream: &str) -> Result<Followed> {
        self.on_store(|store| store.followed(upstream))
    }

    /// Closes the application. The store is closed when the calls in progress have ended, and every
    /// later call is an error. A second call does nothing.
    pub fn close(&self) {
        sync::write(&self.inner.recorder).take();
    }

    /// Returns the recorder of the application, for code that needs the store itself.
    ///
    /// # Errors
    /// Fails if the application is closed.
    pub fn recorder(&self) -> Result<Arc<dyn ProcessRecorder>> {
        let recorder = sync::read(&self.inner.recorder);
        recorder
            .clone()
            .ok_or_else(|| self.store_error(StoreError::closed("the application")))
    }

    pub(crate) fn instance(&self) -> u64 {
        self.inner.instance
    }

    pub(crate) fn mapper(&self) -> &Mapper {
        &self.inner.mapper
    }

    pub(crate) fn is_snapshotting(&self) -> bool {
        self.inner.is_snapshotting
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    pub(crate) fn seen_head(&self) -> &SeenHead {
        &self.inner.seen_head
    }

    pub(super) fn save_counters(&self) -> &SaveCounters {
        &self.inner.save_counters
    }

    pub(crate) fn metrics(&self) -> ApplicationMetrics {
        // An application that was closed has no store.
        let commits = self.recorder().ok().and_then(|store| store.commits());
        self.save_counters().metrics(self.name(), commits)
    }

    /// Removes the aggregates of these events from the cache, because their cached states may be
    /// old.
    pub(crate) fn forget(&self, events: &[StoredEvent]) {
        for event in events {
            let cache = self.cache();
            cache
                .iter()
                .for_each(|one| one.forget(&event.originator_id));
        }
    }

    /// Returns the time limit of one handler of a projection.
    pub(crate) fn policy_timeout(&self) -> Result<Duration> {
        let limit = self
            .env()
            .seconds("POLICY_TIMEOUT", Duration::from_secs(60));
        limit.map_err(|e| Error::env(self.name(), e))
    }

    /// Returns the time limit of one policy of a process application, if there is one.
    pub(crate) fn policy_limit(&self) -> Result<Option<Duration>> {
        let is_set = self
            .env()
            .get("POLICY_TIMEOUT")
            .is_some_and(|limit| !limit.is_empty());
        if is_set {
            self.policy_timeout().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the text of an error with its causes, as it is recorded: sealed if the application
    /// has a cipher.
    pub(crate) fn sealed(&self, error: &(dyn std::error::Error + 'static)) -> String {
        self.mapper().seal_text(&error_chain(error).to_string())
    }

    /// Returns the text of an error as it was before it was sealed.
    pub(crate) fn opened(&self, text: &str) -> String {
        self.mapper().open_text(text)
    }

    /// Returns the tables of a projection.
    pub(crate) fn tables(&self) -> Result<Tables> {
        Ok(Tables::new(self.recorder()?))
    }

    pub(crate) fn poll_interval(&self) -> Result<Duration> {
        let poll = self.env().seconds("POLL_INTERVAL", Duration::from_secs(1));
        let poll = poll.map_err(|e| Error::env(self.name(), e))?;
        // A shorter interval would keep a processor busy; a longer one is useless and overflows
        // clocks.
        Ok(poll.clamp(Duration::from_millis(1), Duration::from_secs(24 * 60 * 60)))
    }

    /// Registers `A` as the owner of its topic in this application.
    pub(crate) fn claim_topic<A: Aggregate>(&self) -> Result<()> {
        self.inner
            .topics
            .claim::<A>()
            .map_err(|problem| Error::configuration(self.name(), problem))
    }

    /// Lists the topics of the only aggregates that may be saved; `None` is no list.
    pub(crate) fn saving_only(self, saved: Option<Vec<&'static str>>) -> Self {
        saved
            .into_iter()
            .for_each(|saved| self.inner.topics.save_only(saved));
        self
    }

    /// Fails if the saved aggregates are listed and `A` is not among them.
    pub(crate) fn refuse_unlisted<A: Aggregate>(&self) -> Result<()> {
        self.inner
            .topics
            .check_saved::<A>()
            .map_err(|problem| Error::configuration(self.name(), problem))
    }

    /// Converts an error of the store into one of this application. If a policy runs on this
    /// thread, its batch records the error.
    pub(crate) fn store_error(&self, error: StoreError) -> Error {
        let error = Error::store(self.name(), error);
        store_errors::record(&error);
        error
    }

    /// Refuses an id of the type that this store does not keep. It would never be found, and so be
    /// taken for the id of a new aggregate.
    pub(crate) fn refuse_other_id_type(&self, id: &AggregateId) -> Result<()> {
        let expected = self.recorder()?.id_type();
        if id.id_type() == expected {
            return Ok(());
        }
        Err(self.store_error(StoreError::id_type(id.clone(), expected)))
    }

    /// Calls the store, and converts its error into one of this application.
    pub(crate) fn on_store<T>(
        &self,
        work: impl FnOnce(&dyn ProcessRecorder) -> Result<T, StoreError>,
    ) -> Result<T> {
        let recorder = self.recorder()?;
        store_errors::calling(|| work(&*recorder)).map_err(|error| self.store_error(error))
    }

    /// Calls the tables of a projection, and converts their error into one of this application.
    pub(crate) fn on_tables<T>(
        &self,
        work: impl FnOnce(&Tables) -> Result<T, StoreError>,
    ) -> Result<T> {
        let tables = self.tables()?;
        store_errors::calling(|| work(&tables)).map_err(|error| self.store_error(error))
    }

    pub(crate) fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>> {
        self.on_store(|store| store.select_events(id, query))
    }

    /// Has every save compare values with what was stored of them, for tests.
    pub(crate) fn compare_values(&self) {
        self.inner.compares_values.store(true, Ordering::Relaxed);
    }

    pub(crate) fn compares_values(&self) -> bool {
        self.inner.compares_values.load(Ordering::Relaxed)
    }

    /// Tells the runner of this application, if there is one, that events were saved.
    pub(crate) fn prompt(&self) {
        let after_save = sync::read(&self.inner.after_save);
        let runner = after_save.as_ref().and_then(Weak::upgrade);
        drop(after_save);
        if let Some(runner) = runner {
            runner.after_save(self);
        }
    }

    /// Has `runner` called after each save.
    pub(crate) fn tell_after_save(&self, runner: Weak<dyn AfterSave>) {
        *sync::write(&self.inner.after_save) = Some(runner);
    }

    /// Refuses a call inside a policy of this application; `instead` tells the user how to do it
    /// there.
    pub(crate) fn refuse_inside_policy(&self, call: &str, instead: &str) -> Result<()> {
        if batch::of(self.instance()).is_none() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{}: `{call}` was called inside a policy of the same application: {instead}",
            self.name()
        )))
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
