//! Comparison of values that were stored and read again, for tests.
//!
//! Generated code compares each field whose type has `PartialEq`, without asking for it: the
//! inherent function of [`SameProbe`] wins over the trait's where its bound holds.

/// Two values of a type that may have `PartialEq`.
pub struct SameProbe<'a, T: ?Sized>(&'a T, &'a T);

impl<'a, T: ?Sized> SameProbe<'a, T> {
    /// Takes the two values.
    pub fn new(one: &'a T, other: &'a T) -> Self {
        Self(one, other)
    }
}

impl<T: PartialEq + ?Sized> SameProbe<'_, T> {
    /// Returns true if the values are equal.
    pub fn is_same(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// The fallback of [`SameProbe`].
pub trait CannotCompare {
    /// Returns `None`, as the values cannot be compared.
    fn is_same(&self) -> Option<bool> {
        None
    }
}

impl<T: ?Sized> CannotCompare for SameProbe<'_, T> {}

/// Returns the name of the first field that has changed, or `whole` if it cannot be told which one.
///
/// `is_same` is the comparison of the whole value, whose `PartialEq` has the last word. `fields`
/// are the fields that are stored.
pub fn changed(
    whole: &'static str,
    is_same: Option<bool>,
    fields: &[(&'static str, Option<bool>)],
) -> Option<&'static str> {
    if is_same == Some(true) {
        return None;
    }
    let changed = fields.iter().find(|(_, is_same)| *is_same == Some(false));
    let is_unclear = fields.is_empty() || fields.iter().any(|(_, is_same)| is_same.is_none());
    match changed {
        Some((name, _)) => Some(name),
        None if is_same == Some(false) && is_unclear => Some(whole),
        None => None,
    }
}
