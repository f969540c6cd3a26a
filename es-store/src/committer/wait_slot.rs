//! The slots in which threads wait until they are woken.

use std::collections::BTreeMap;
use std::time::Instant;

use super::sync::{self, Arc, Condvar, Mutex, lock};

/// The reason for which a waiting thread is woken, once.
pub(super) enum WakeReason<R> {
    /// The thread leads now.
    Lead,
    /// Its job was done, with this result.
    Done(R),
    /// Its job was taken by a leader that was lost.
    Lost,
}

/// The slot of one waiting thread.
pub(super) struct WaitSlot<R> {
    row: Arc<WaitRow<R>>,
    number: usize,
}

/// The wait slots of threads that will probably be one group, so that one call wakes them all.
struct WaitRow<R> {
    reasons: Mutex<BTreeMap<usize, WakeReason<R>>>,
    /// Wakes the first thread, which will lead.
    first: Condvar,
    /// Wakes the other threads.
    others: Condvar,
}

impl<R> WaitSlot<R> {
    /// Creates the first slot of a new row.
    pub(super) fn first() -> Self {
        let row = WaitRow {
            reasons: Mutex::new(BTreeMap::new()),
            first: Condvar::new(),
            others: Condvar::new(),
        };
        Self {
            row: Arc::new(row),
            number: 0,
        }
    }

    /// Creates the next slot in the row of this one.
    pub(super) fn next(&self) -> Self {
        Self {
            row: self.row.clone(),
            number: self.number + 1,
        }
    }

    /// Returns the same slot, for the thread that delivers the reason.
    pub(super) fn same(&self) -> Self {
        Self {
            row: self.row.clone(),
            number: self.number,
        }
    }

    /// Returns true if both are the same slot.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_in_row_of(other) && self.number == other.number
    }

    fn is_in_row_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row, &other.row)
    }

    /// Waits for the reason. Returns `None` if there is none until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<WakeReason<R>> {
        let wake = match self.number {
            0 => &self.row.first,
            _ => &self.row.others,
        };
        let mut reasons = lock(&self.row.reasons);
        loop {
            if let Some(reason) = reasons.remove(&self.number) {
                return Some(reason);
            }
            let is_over;
            (reasons, is_over) = sync::wait(wake, reasons, deadline);
            if is_over {
                return reasons.remove(&self.number);
            }
        }
    }
}

/// Delivers its reason to each slot, in order.
pub(super) fn deliver<R>(slots: &[WaitSlot<R>], reasons: impl IntoIterator<Item = WakeReason<R>>) {
    let mut reasons = reasons.into_iter();
    for slots in slots.chunk_by(WaitSlot::is_in_row_of) {
        let Some(WaitSlot { row, .. }) = slots.first() else {
            continue;
        };
        let numbers = slots.iter().map(|slot| slot.number);
        lock(&row.reasons).extend(numbers.zip(&mut reasons));
        if slots.iter().any(|slot| slot.number == 0) {
            row.first.notify_one();
        }
        if slots.iter().any(|slot| slot.number > 0) {
            row.others.notify_all();
        }
    }
}
