//! Numbers as SQL databases keep them: signed, of 64 bits.

/// The number, or the highest that there is if it is above that.
pub(crate) fn at_most(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number of rows to select at most.
pub(crate) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
