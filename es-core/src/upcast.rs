//! Upcasting: converts stored fields of an older version to the current version, step by step.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::FieldError;

/// The stored fields of an event, or of an aggregate in a snapshot, that were written in an older
/// version.
///
/// An upcaster is a function that converts them to the next version. The attributes `#[event(..,
/// version = 2, upcast(1 => ..))]` and `#[aggregate(version = 2, upcast(1 => ..))]` name it:
///
/// ```
/// use es_core::{FieldError, StoredState, aggregate};
///
/// #[aggregate(crate = es_core)]
/// pub struct Dog {
///     pub tricks: Vec<(String, u8)>,
/// }
///
/// #[aggregate(crate = es_core)]
/// impl Dog {
///     #[event(Registered)]
///     pub fn register() -> Self {
///         Self { tricks: Vec::new() }
///     }
///
///     #[event(TrickAdded, version = 2, upcast(1 => add_level))]
///     pub fn add_trick(&mut self, trick: &str, level: u8) {
///         self.tricks.push((trick.to_owned(), level));
///     }
/// }
///
/// /// The tricks of version 1 were all easy.
/// fn add_level(state: &mut impl StoredState) -> Result<(), FieldError> {
///     state.insert("level", &1)
/// }
/// ```
///
/// Fields that an upcaster does not touch keep their stored form, to the last digit. The keys that
/// every event has (its time, its version) are not among the fields. A state without field names,
/// such as a tuple, is stored in a snapshot as one field called `_state`.
pub trait StoredState {
    /// Returns the names of all fields, in the order in which they are stored.
    fn names(&self) -> impl Iterator<Item = &str>;

    /// Returns the value of the field `name`, or `None` if there is no such field.
    ///
    /// # Errors
    /// Fails when the stored value is not a `T`. The error shows no stored value.
    fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FieldError>;

    /// Sets the field `name`. An existing field keeps its place, and a new one comes last.
    ///
    /// # Errors
    /// Fails when the value cannot be written, or the name is reserved.
    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), FieldError>;

    /// Removes the field `name`. Returns false if there is none.
    fn remove(&mut self, name: &str) -> bool;

    /// Renames the field `from`, and replaces a field that has the new name. Returns false if there
    /// is no `from`.
    ///
    /// # Errors
    /// Fails when the name is reserved.
    fn rename(&mut self, from: &str, to: &str) -> Result<bool, FieldError>;
}

/// The return value of an upcaster.
#[diagnostic::on_unimplemented(
    message = "an upcaster returns nothing or `Result<(), FieldError>`, not `{Self}`",
    label = "returns `{Self}`"
)]
pub trait UpcastResult {
    /// Converts to a result.
    ///
    /// # Errors
    /// Returns the error of the upcaster.
    fn into_result(self) -> Result<(), FieldError>;
}

impl UpcastResult for () {
    fn into_result(self) -> Result<(), FieldError> {
        Ok(())
    }
}

impl UpcastResult for Result<(), FieldError> {
    fn into_result(self) -> Result<(), FieldError> {
        self
    }
}

/// Runs one upcaster.
///
/// # Errors
/// Returns the error of the upcaster.
pub fn upcast<S: StoredState, R: UpcastResult>(
    upcaster: impl FnOnce(&mut S) -> R,
    state: &mut S,
) -> Result<(), FieldError> {
    upcaster(state).into_result()
}
