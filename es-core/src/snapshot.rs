//! Snapshots: the state of an aggregate at one version, so that the events up to it need not be
//! applied again.
//!
//! A snapshot only saves work. Whatever is wrong with it, the events say the same.

use std::marker::PhantomData;

use crate::{FieldError, FieldReader, FieldWriter, StoredField};

/// A state of which snapshots can be taken: one that serde can serialise and deserialise.
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

/// Finds out at compile time whether a state can be stored: what is inherent wins over what is the
/// trait's when its bound holds. It is static dispatch in both cases, so nothing is forced on a
/// state and nothing is boxed.
pub struct StateCodec<S>(PhantomData<S>);

impl<S: SnapshotState> StateCodec<S> {
    /// The state can be stored.
    pub const STORES: bool = true;

    /// Gives the state to `fields`.
    pub fn put<W: FieldWriter>(state: &S, fields: &mut W) -> Option<Result<(), FieldError>> {
        Some(fields.put_all(state))
    }

    /// Takes the state from `fields`.
    pub fn take<R: FieldReader>(fields: &mut R) -> Option<Result<S, FieldError>> {
        Some(fields.take_all())
    }
}

/// The fallback of [`StateCodec`].
pub trait CannotStoreState<S> {
    /// The state cannot be stored.
    const STORES: bool = false;

    /// No way to store it.
    fn put<W: FieldWriter>(_: &S, _: &mut W) -> Option<Result<(), FieldError>> {
        None
    }

    /// No way to read it.
    fn take<R: FieldReader>(_: &mut R) -> Option<Result<S, FieldError>> {
        None
    }
}

impl<S> CannotStoreState<S> for StateCodec<S> {}

/// Fails to compile, on the user's option, when the state cannot be stored.
pub const fn assert_takes_snapshots<S: SnapshotState>() {}
