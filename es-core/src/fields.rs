//! The traits for writing and reading the fields of an event.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::FieldError;

/// A type that can be a field of an event: everything that serde can serialise and deserialise.
///
/// Implemented for all such types; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in an event",
    label = "cannot be stored",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}`, or pass what identifies it instead"
)]
pub trait StoredField: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> StoredField for T {}

/// A writer of the fields of an event, in the order in which they are stored.
#[diagnostic::on_unimplemented(
    message = "fields cannot be written to `{Self}`",
    label = "needs `impl FieldWriter for {Self}`"
)]
pub trait FieldWriter {
    /// Stores `value` under `key`, after the fields that were put before.
    ///
    /// # Errors
    /// Fails when the value cannot be written, for example because a number is not finite.
    fn put<T: StoredField>(&mut self, key: &'static str, value: &T) -> Result<(), FieldError>;

    /// Stores each field of `value`, in their order, after the fields that were put before.
    ///
    /// # Errors
    /// Fails when the value cannot be written, or has no named fields.
    fn put_all<T: StoredField>(&mut self, value: &T) -> Result<(), FieldError>;
}

/// A reader of the fields of a stored event, by key, in any order.
#[diagnostic::on_unimplemented(
    message = "fields cannot be read from `{Self}`",
    label = "needs `impl FieldReader for {Self}`"
)]
pub trait FieldReader {
    /// Returns the value stored under `key`. A missing key is an absent `Option`.
    ///
    /// # Errors
    /// Fails when the key is missing, or the stored value is not a `T`. The error shows no stored
    /// value.
    fn take<T: StoredField>(&mut self, key: &'static str) -> Result<T, FieldError>;

    /// Returns the value whose fields are all stored fields.
    ///
    /// # Errors
    /// Fails when the fields are not those of a `T`. The error shows no stored value.
    fn take_all<T: StoredField>(&mut self) -> Result<T, FieldError>;
}
