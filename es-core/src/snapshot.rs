//! Snapshots: the state of an aggregate at one version, so that its events up to that version need
//! not be applied again.
//!
//! A snapshot only saves work. If it is damaged, the events are used instead.

use std::marker::PhantomData;

use crate::{FieldError, FieldReader, FieldWriter, StoredField};

/// A state that can be stored in snapshots: one that serde can serialise and deserialise.
///
/// Implemented for all such types; never implement it yourself.
#[diagnostic::on_unimplemented(
    message = "an aggregate that takes snapshots needs a state that can be stored, and `{Self}` cannot",
    label = "takes snapshots of `{Self}`",
    note = "derive `Serialize` and `Deserialize` where the aggregate is declared, below `#[aggregate]`"
)]
pub trait SnapshotState: StoredField {}

#[diagnostic::do_not_recommend]
impl<S: StoredField> SnapshotState for S {}

/// Finds at compile time if a state can be stored: the inherent functions win over the trait's when
/// their bound holds. Both cases use static dispatch, so the state needs no traits and nothing is
/// boxed.
pub struct StateCodec<S>(PhantomData<S>);

impl<S: SnapshotState> StateCodec<S> {
    /// True: the state can be stored.
    pub const STORES: bool = true;

    /// Writes the state to `fields`.
    pub fn put<W: FieldWriter>(state: &S, fields: &mut W) -> Option<Result<(), FieldError>> {
        Some(fields.put_all(state))
    }

    /// Reads the state from `fields`.
    pub fn take<R: FieldReader>(fields: &mut R) -> Option<Result<S, FieldError>> {
        Some(fields.take_all())
    }
}

/// The fallback of [`StateCodec`].
pub trait CannotStoreState<S> {
    /// False: the state cannot be stored.
    const STORES: bool = false;

    /// Returns `None`, as the state cannot be stored.
    fn put<W: FieldWriter>(_: &S, _: &mut W) -> Option<Result<(), FieldError>> {
        None
    }

    /// Returns `None`, as the state cannot be stored.
    fn take<R: FieldReader>(_: &mut R) -> Option<Result<S, FieldError>> {
        None
    }
}

impl<S> CannotStoreState<S> for StateCodec<S> {}

/// Fails to compile, on the user's option, if the state cannot be stored.
pub const fn assert_takes_snapshots<S: SnapshotState>() {}
