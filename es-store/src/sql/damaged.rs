//! Rows that cannot be read.

/// The reason why a row cannot be read.
#[derive(Debug)]
pub(crate) struct DamagedAt {
    /// The damaged row, such as "of tracking for `DogSchool`".
    pub(crate) at: String,
    pub(crate) problem: String,
}
