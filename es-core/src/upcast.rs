//! Upcasting: what was stored in an older version becomes what is stored in the current one, step
//! by step.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::FieldError;

/// The stored fields of an event, or of an aggregate in a snapshot, that were written in an older
/// version.
///
/// An upcaster is a function that makes of them those of the next version; `#[event(.., version =
/// 2, upcast(1 => ..))]` and `#[aggregate(version = 2, upcast(1 => ..))]` name it:
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
/// Fields that an upcaster does not touch stay as they are stored, to the last digit. The parts
/// that belong to every event (its time, its version) is not among them. A state without names for
/// its fields, such as a tuple, is stored in a snapshot as one field called `_state`.
pub trait StoredState {
    /// The names of all fields, in the order in which they are stored.
    fn names(&self) -> impl Iterator<Item = &str>;

    /// The value of the field `name`; `None` if there is no such field.
    ///
    /// # Errors
    /// Fails when what is stored is no `T`. The error carries no stored value.
    fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FieldError>;

    /// Gives the field `name` this value: in the place of the one that it has, or behind all
    /// others.
    ///
    /// # Errors
    /// Fails when the value cannot be written, or the name is reserved.
    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), FieldError>;

    /// Takes the field `name` away; `false` if there was none.
    fn remove(&mut self, name: &str) -> bool;

    /// Calls the field `from` by another name, in the place of a field that has it; `false` if
    /// there is no `from`.
    ///
    /// # Errors
    /// Fails when the name is reserved.
    fn rename(&mut self, from: &str, to: &str) -> Result<bool, FieldError>;
}

/// The result of an upcaster.
#[diagnostic::on_unimplemented(
    message = "an upcaster returns nothing or `Result<(), FieldError>`, not `{Self}`",
    label = "returns `{Self}`"
)]
pub trait UpcastResult {
    /// The result.
    ///
    /// # Errors
    /// The result of the upcaster.
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
/// Its result.
pub fn upcast<S: StoredState, R: UpcastResult>(
    upcaster: impl FnOnce(&mut S) -> R,
    state: &mut S,
) -> Result<(), FieldError> {
    upcaster(state).into_result()
}
