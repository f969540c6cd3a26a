//! The numbers of those who hand out aggregates: application objects, and the batches of followers.
//!
//! An aggregate knows by such a number where its state comes from. Two applications may have an
//! aggregate of one id at one version, and their states are others.

use std::sync::atomic::{AtomicU64, Ordering};

/// Returns a number that nobody else has.
pub(crate) fn new() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
