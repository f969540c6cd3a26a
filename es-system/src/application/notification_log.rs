//! The notification log of an application, to read and to subscribe to.

use es_store::{NotificationLog as Log, NotificationQuery, Section, StopHandle, StoreError};

use crate::application::core::Application;
use crate::application::store_errors;
use crate::error::{Error, Result};
use es_store::{Notification, NotificationPage};

impl Application {
    /// Returns the events of the application, in the order of their positions.
    pub fn notification_log(&self) -> NotificationLog {
        NotificationLog::new(self.clone())
    }

    /// Returns an iterator over the events behind position `gt` (0 selects all), which waits for
    /// new ones.
    ///
    /// # Errors
    /// Fails if the application is closed or listening to the store cannot begin.
    pub fn subscribe(&self, gt: u64) -> Result<Subscription> {
        Subscription::new(self.clone(), gt)
    }
}

/// All events of an application, in the order of their positions.
///
/// Positions strictly increase and may have gaps. A reader that has seen a position is never shown
/// a lower one.
#[derive(Debug, Clone)]
pub struct NotificationLog {
    application: Application,
}

impl NotificationLog {
    pub(crate) fn new(application: Application) -> Self {
        Self { application }
    }

    /// Returns up to `limit` events from position `start` on, inclusive. A limit of 0 selects none.
    ///
    /// # Errors
    /// Fails if the application is closed, the store cannot be read, or a row is damaged.
    pub fn select(&self, start: u64, limit: usize) -> Result<Vec<Notification>> {
        self.query(&NotificationQuery::from(start).limit(limit))
    }

    /// Returns the events that match `query`.
    ///
    /// # Errors
    /// Fails as [`select`](Self::select) does.
    pub fn query(&self, query: &NotificationQuery) -> Result<Vec<Notification>> {
        self.read(|log| log.query(query))
    }

    /// Returns the events that match `query`, and the event at which it starts.
    pub(crate) fn page(&self, query: &NotificationQuery) -> Result<NotificationPage> {
        self.application.on_store(|store| store.select_page(query))
    }

    /// Returns the section with an id such as `"1,10"`: the first and the last position, both
    /// inclusive.
    ///
    /// # Errors
    /// Fails as [`select`](Self::select) does, and if the id is not two positions with a comma
    /// between them.
    pub fn section(&self, id: &str) -> Result<Section> {
        self.read(|log| log.section(id))
    }

    /// Returns the last position, or 0 if there is no event.
    ///
    /// # Errors
    /// Fails as [`select`](Self::select) does.
    pub fn head(&self) -> Result<u64> {
        let head = self.application.head()?;
        Ok(head.map_or(0, |head| head.position))
    }

    fn read<T>(&self, read: impl FnOnce(&Log) -> Result<T, StoreError>) -> Result<T> {
        let log = Log::new(self.application.recorder()?);
        store_errors::calling(|| read(&log)).map_err(|e| self.application.store_error(e))
    }
}

/// An iterator over the events of an application behind some position. It waits for new ones until
/// it is stopped.
///
/// After an error, it continues with the event that could not be read.
#[derive(Debug)]
pub struct Subscription {
    application: Application,
    events: es_store::Subscription,
}

impl Subscription {
    pub(crate) fn new(application: Application, gt: u64) -> Result<Self> {
        let poll = application.poll_interval()?;
        let events = es_store::Subscription::new(application.recorder()?, Some(gt));
        let events = events
            .map_err(|e| application.store_error(e))?
            .poll_interval(poll);
        Ok(Self {
            application,
            events,
        })
    }

    /// Returns a handle that ends the iterator from another thread.
    pub fn stop_handle(&self) -> StopHandle {
        self.events.stop_handle()
    }
}

impl Iterator for Subscription {
    type Item = Result<Notification, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.events
            .next()
            .map(|event| event.map_err(|e| self.application.store_error(e)))
    }
}
