//! The numbers of the work on an edge.
//!
//! Concurrency: each counter is an atomic beside the work, changed once for a batch and never for
//! an event. A snapshot reads them one after the other, so during a commit some of them may be
//! those of the batch before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The numbers of a follower's work on one of its upstreams, in this process and since its runner
/// was made. The events of rebuilds are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeMetrics {
    /// The name of the application that follows.
    pub follower: String,
    /// The name of the application that is followed.
    pub upstream: String,
    /// The number of events whose policies have succeeded, and whose effects are committed.
    pub processed: u64,
    /// The number of events that the policies have collected and that are recorded. It is 0 for a
    /// projection.
    pub recorded: u64,
    /// The number of batches that were not committed because another writer was first: another
    /// instance of the follower that moved the position, or a save of an aggregate that the batch
    /// changed.
    pub fenced: u64,
    /// The number of attempts after a failure: batches after a failure of a store, and events whose
    /// policy had failed, whether the follower waits in front of them or has set them aside.
    pub retried: u64,
    /// The number of events that were set aside, each of them once.
    pub set_aside: u64,
    /// The batches that were committed.
    pub batches: BatchMetrics,
}

/// The batches of a follower that were committed. Retries of events that are set aside are not
/// among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchMetrics {
    /// The number of batches.
    pub count: u64,
    /// The number of events in them, processed or set aside.
    pub events: u64,
    /// The time that they have taken, from the first policy to the end of the commit.
    pub time: Duration,
    /// The number of events in the last one.
    pub last_events: u64,
    /// The time that the last one has taken.
    pub last_time: Duration,
}

/// A batch that was committed.
pub(super) struct CountedBatch {
    /// The number of events that it has passed.
    pub(super) events: usize,
    /// The number of those that it has set aside.
    pub(super) set_aside: usize,
    /// The number of new events.
    pub(super) recorded: usize,
    pub(super) time: Duration,
}

/// The counters behind [`EdgeMetrics`].
#[derive(Debug, Default)]
pub(super) struct EdgeCounters {
    processed: AtomicU64,
    recorded: AtomicU64,
    fenced: AtomicU64,
    retried: AtomicU64,
    set_aside: AtomicU64,
    batches: AtomicU64,
    batch_events: AtomicU64,
    batch_nanos: AtomicU64,
    last_events: AtomicU64,
    last_nanos: AtomicU64,
}

impl EdgeCounters {
    pub(super) fn count_batch(&self, batch: &CountedBatch) {
        let events = batch.events as u64;
        let set_aside = batch.set_aside as u64;
        let nanos = u64::try_from(batch.time.as_nanos()).unwrap_or(u64::MAX);
        add(&self.processed, events.saturating_sub(set_aside));
        add(&self.recorded, batch.recorded as u64);
        add(&self.set_aside, set_aside);
        add(&self.batches, 1);
        add(&self.batch_events, events);
        add(&self.batch_nanos, nanos);
        self.last_events.store(events, Ordering::Relaxed);
        self.last_nanos.store(nanos, Ordering::Relaxed);
    }

    /// Counts an event that was set aside and is processed now, with its new events.
    pub(super) fn count_mended(&self, recorded: usize) {
        add(&self.processed, 1);
        add(&self.recorded, recorded as u64);
    }

    pub(super) fn count_fenced(&self) {
        add(&self.fenced, 1);
    }

    pub(super) fn count_retry(&self) {
        add(&self.retried, 1);
    }

    pub(super) fn fenced(&self) -> u64 {
        get(&self.fenced)
    }

    /// Returns the number of events that were processed or set aside.
    pub(super) fn passed(&self) -> u64 {
        get(&self.processed) + get(&self.set_aside)
    }

    pub(super) fn metrics(&self, follower: &str, upstream: &str) -> EdgeMetrics {
        EdgeMetrics {
            follower: follower.to_owned(),
            upstream: upstream.to_owned(),
            processed: get(&self.processed),
            recorded: get(&self.recorded),
            fenced: get(&self.fenced),
            retried: get(&self.retried),
            set_aside: get(&self.set_aside),
            batches: BatchMetrics {
                count: get(&self.batches),
                events: get(&self.batch_events),
                time: Duration::from_nanos(get(&self.batch_nanos)),
                last_events: get(&self.last_events),
                last_time: Duration::from_nanos(get(&self.last_nanos)),
            },
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
