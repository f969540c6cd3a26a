//! Conversions to the numbers of SQL databases: signed, of 64 bits.

/// Converts a number. Larger ones become the highest that there is.
pub(crate) fn at_most(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Converts the maximal number of rows to select.
pub(crate) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
