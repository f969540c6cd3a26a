//! An iterator over a notification log that waits for new events.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::StoreError;
use crate::notification::{Notification, NotificationQuery, PAGE_BYTES};
use crate::recorder::ApplicationRecorder;
use crate::signal::{Listening, Signal};
use crate::topic_filter::TopicFilter;

/// An iterator over all notifications after a position, in their order. At the end of the log it
/// waits for new ones.
///
/// It ends when it is stopped. An error of the store is an item; the next call waits for the
/// interval of [`poll_interval`](Self::poll_interval) and tries again from the same position. All
/// notifications in front of a damaged row come before the error that names the row. The
/// subscription starts to listen before its first read, and also polls, so a lost wake-up only
/// delays it.
///
/// ```
/// use es_store::{Env, Role, Subscription, open};
///
/// let recorder = open("DogSchool", Role::Leader, &Env::new())?;
/// let mut subscription = Subscription::new(recorder, None)?.topics(["dogschool:Dog.TrickAdded"]);
/// subscription.stop_handle().stop();
/// assert!(subscription.next().is_none());
/// # Ok::<(), es_store::StoreError>(())
/// ```
pub struct Subscription {
    recorder: Arc<dyn ApplicationRecorder>,
    position: u64,
    topics: Option<TopicFilter>,
    poll_interval: Duration,
    page: VecDeque<Notification>,
    /// True if the last item was an error.
    failed: bool,
    stop: StopHandle,
    _listening: Listening,
}

/// A handle that stops a [`Subscription`] from another thread.
#[derive(Debug, Clone)]
pub struct StopHandle {
    stopped: Arc<AtomicBool>,
    signal: Arc<Signal>,
}

impl StopHandle {
    /// Stops the subscription, also while it waits. A second call does nothing.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.signal.ring();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Subscription {
    /// The maximal number of notifications of a page.
    const PAGE: usize = 1000;

    /// Subscribes to all notifications after position `gt`; `None` is the beginning.
    ///
    /// # Errors
    /// Fails when listening cannot begin.
    pub fn new(
        recorder: Arc<dyn ApplicationRecorder>,
        gt: Option<u64>,
    ) -> Result<Self, StoreError> {
        let signal = Signal::new();
        let listening = recorder.listen(&signal)?;
        Ok(Self {
            recorder,
            position: gt.unwrap_or(0),
            topics: None,
            poll_interval: Duration::from_secs(1),
            page: VecDeque::new(),
            failed: false,
            stop: StopHandle {
                stopped: Arc::default(),
                signal,
            },
            _listening: listening,
        })
    }

    /// Restricts the subscription to these topics. An empty list selects none.
    #[must_use]
    pub fn topics<T: Into<String>>(self, topics: impl IntoIterator<Item = T>) -> Self {
        Self {
            topics: Some(TopicFilter::new(topics)),
            ..self
        }
    }

    /// Sets the longest wait before the next poll. The default is one second.
    #[must_use]
    pub fn poll_interval(self, poll_interval: Duration) -> Self {
        Self {
            poll_interval,
            ..self
        }
    }

    /// Returns a handle that stops the subscription.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Reads a page. The head is read first, and a page that is not full moves the position to that
    /// head. So events with other topics are not read twice, and no event that commits in between
    /// is skipped.
    fn read(&mut self) -> Result<(), StoreError> {
        let Some(head) = self
            .recorder
            .head()?
            .filter(|head| head.position > self.position)
        else {
            return Ok(());
        };
        let query = NotificationQuery::after(self.position)
            .up_to(head.position)
            .filter(self.topics.clone());
        let (page, is_full) = self.select(query)?;
        self.position = match page.last() {
            Some(last) if is_full => last.id,
            _ => head.position,
        };
        self.page = page.into();
        Ok(())
    }

    /// Returns a page, and true if there may be more behind it. A damaged row fails the page that
    /// has it. So pages become smaller until all notifications in front of the row
    /// are read; a page of one then returns the error of the row.
    fn select(
        &self,
        mut query: NotificationQuery,
    ) -> Result<(Vec<Notification>, bool), StoreError> {
        (query.limit, query.byte_limit) = (Self::PAGE, PAGE_BYTES);
        loop {
            match self.recorder.select_notifications(&query) {
                Err(StoreError::DamagedRow { .. }) if query.limit > 1 => query.limit /= 2,
                page => {
                    let page = page?;
                    let is_full = query.is_filled_by(&page);
                    return Ok((page, is_full));
                }
            }
        }
    }

    /// Waits for one interval, even if the signal rings: a failed read is not retried at each
    /// commit. Only a stop ends the wait.
    fn rest(&self) {
        let deadline = Instant::now().checked_add(self.poll_interval);
        loop {
            let seen = self.stop.signal.rings();
            let left = deadline.map_or(self.poll_interval, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() || self.stop.is_stopped() {
                break;
            }
            self.stop.signal.wait(seen, left);
        }
    }
}

impl Iterator for Subscription {
    type Item = Result<Notification, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.stop.is_stopped() {
            if let Some(notification) = self.page.pop_front() {
                return Some(Ok(notification));
            }
            if std::mem::take(&mut self.failed) {
                self.rest();
                continue;
            }
            // The count is read before the log. A commit after that read rings, or has rung, above
            // the count.
            let (seen, before) = (self.stop.signal.rings(), self.position);
            if let Err(error) = self.read() {
                self.failed = true;
                return Some(Err(error));
            }
            if self.position == before && !self.stop.is_stopped() {
                self.stop.signal.wait(seen, self.poll_interval);
            }
        }
        None
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("position", &self.position)
            .field("topics", &self.topics)
            .field("stopped", &self.stop.is_stopped())
            .finish_non_exhaustive()
    }
}
