//! Where threads wait until they are woken.

use std::collections::BTreeMap;
use std::time::Instant;

use super::sync::{self, Arc, Condvar, Mutex, lock};

/// The reason why a waiting thread is woken, once.
pub(super) enum WakeReason<R> {
    /// It leads.
    Lead,
    /// Its job was done, with this result.
    Done(R),
    /// Its job was taken by a leader that was lost.
    Lost,
}

/// The place where one thread waits.
pub(super) struct WaitSlot<R> {
    row: Arc<WaitRow<R>>,
    number: usize,
}

/// Wait slots of threads that will most likely be one group, so that one call wakes them all.
struct WaitRow<R> {
    reasons: Mutex<BTreeMap<usize, WakeReason<R>>>,
    /// Wakes the first, which is to lead.
    first: Condvar,
    /// Wakes the others.
    others: Condvar,
}

impl<R> WaitSlot<R> {
    /// The first slot of a new row.
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

    /// The slot behind this one, in its row.
    pub(super) fn next(&self) -> Self {
        Self {
            row: self.row.clone(),
            number: self.number + 1,
        }
    }

    /// The same slot, for whoever delivers the reason.
    pub(super) fn same(&self) -> Self {
        Self {
            row: self.row.clone(),
            number: self.number,
        }
    }

    /// Returns true if both are one slot.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_in_row_of(other) && self.number == other.number
    }

    fn is_in_row_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row, &other.row)
    }

    /// Waits for the reason to wake. Returns `None` if there is none until `deadline`.
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

/// Delivers to each slot its reason, in one order.
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
