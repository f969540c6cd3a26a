//! Private: the items that generated code uses. They may change in any release; do not use them.

use std::fmt;
use std::marker::PhantomData;

pub use crate::aggregate::{Attempt, Loan};
pub use std::borrow::{Borrow, ToOwned};
pub use std::{
    clone::Clone,
    cmp::PartialEq,
    convert::{From, Into},
    fmt::{Debug, Formatter, Result as FmtResult},
    ops::Deref,
    option::Option,
    primitive::{bool, str, u64},
    result::Result,
    string::String,
    vec::Vec,
};

pub use serde;

pub use crate::apply::{Apply, Create};
pub use crate::compare::{CannotCompare, SameProbe, changed};
pub use crate::debug_state::{CannotDebug, DebugProbe, DebugState};
pub use crate::dropped::{Dropped, on_unwatched, watch};
pub use crate::replay::panic_message;
pub use crate::snapshot::{CannotStoreState, StateCodec, assert_takes_snapshots};
pub use crate::timestamp::DATETIME_ISO;
pub use crate::upcast::{UpcastResult, upcast};
pub use crate::{
    Aggregate, AggregateId, EventKind, EventPayload, EventSet, FieldError, FieldReader,
    FieldWriter, HasState, Root, SnapshotState, StoredField, StoredState, Timestamp,
    source::fresh_id,
};

/// A value that can be a field of an event. Generated code uses the same trait to write and to
/// read, so that a type that cannot be stored is reported once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in an event",
    label = "cannot be stored",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}`, or pass what identifies it instead"
)]
pub trait Stored: Sized {
    /// Writes the field to `fields`.
    fn put<W: FieldWriter>(&self, key: &'static str, fields: &mut W) -> Result<(), FieldError>;

    /// Reads the field from `fields`.
    fn take<R: FieldReader>(key: &'static str, fields: &mut R) -> Result<Self, FieldError>;

    /// Writes all of its own fields to `fields`.
    fn put_all<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError>;

    /// Reads all fields as its own.
    fn take_all<R: FieldReader>(fields: &mut R) -> Result<Self, FieldError>;
}

#[diagnostic::do_not_recommend]
impl<T: StoredField> Stored for T {
    fn put<W: FieldWriter>(&self, key: &'static str, fields: &mut W) -> Result<(), FieldError> {
        fields.put(key, self)
    }

    fn take<R: FieldReader>(key: &'static str, fields: &mut R) -> Result<Self, FieldError> {
        fields.take(key)
    }

    fn put_all<W: FieldWriter>(&self, fields: &mut W) -> Result<(), FieldError> {
        fields.put_all(self)
    }

    fn take_all<R: FieldReader>(fields: &mut R) -> Result<Self, FieldError> {
        fields.take_all()
    }
}

/// The value that the `#[id]` function of an aggregate returns.
#[diagnostic::on_unimplemented(
    message = "the `#[id]` function returns an id, not `{Self}`",
    label = "write `-> Uuid`, or `-> String`"
)]
pub trait ReturnsId {
    /// Returns the id.
    fn id(self) -> AggregateId;
}

#[diagnostic::do_not_recommend]
impl<T: Into<AggregateId>> ReturnsId for T {
    fn id(self) -> AggregateId {
        self.into()
    }
}

/// Creates an aggregate with its first event.
pub fn create<A, P>(id: impl Into<AggregateId>, payload: P) -> A
where
    A: Aggregate,
    A::State: Create<P>,
    P: Into<A::Event>,
{
    A::__from_root(Root::create(id.into(), payload))
}

/// Triggers an event of an aggregate.
pub fn trigger<A, P>(aggregate: &mut A, payload: P)
where
    A: Aggregate,
    A::State: Apply<P>,
    P: EventPayload + Into<A::Event>,
{
    aggregate.__root_mut().trigger(payload);
}

/// Fails to compile, on the user's struct, if the impl half is missing.
pub const fn assert_has_events<A: Aggregate>() {}

/// Fails to compile, on the user's impl block, if the struct half is missing.
pub const fn assert_has_state<A: HasState>() {}

/// A type whose methods `id` and `version` an event's body can call on `self`: none.
#[diagnostic::on_unimplemented(
    message = "an event's body has the state only, not the root, and the state has no such method",
    label = "pass this as a parameter"
)]
pub trait ReadsRoot {}

/// A type whose events an event's body can make: none.
#[diagnostic::on_unimplemented(
    message = "an event's body cannot make another event, and the state has no such method",
    label = "write a command that calls both, and only change the state here"
)]
pub trait MakesEvent {}

/// A type whose methods of the aggregate's block an event's body can call: none.
#[diagnostic::on_unimplemented(
    message = "an event's body has the state only, and this is a method of the aggregate around it",
    label = "move the method to `impl {Self}`, where both reach it"
)]
pub trait CallsMethod {}

/// Finds the state of an aggregate. A struct without an impl half falls back to [`NoEvents`], so
/// that the missing half is reported once, and not again for each use of a field.
pub struct StateProbe<A>(PhantomData<A>);

impl<A: Aggregate> StateProbe<A> {
    /// The function that returns the state of an aggregate.
    pub const STATE: fn(&A) -> &A::State = |aggregate| aggregate.__root().state();
}

/// The fallback of [`StateProbe`], in code that does not compile.
pub trait NoEvents<A: HasState> {
    /// Never called.
    const STATE: fn(&A) -> &A::State = |_| unreachable!();
}

impl<A: HasState> NoEvents<A> for StateProbe<A> {}

/// The events of an aggregate without a creating event, in code that does not compile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoEventSet {}

impl EventSet for NoEventSet {
    const TOPICS: &'static [&'static str] = &[];

    fn topic(&self) -> &'static str {
        match *self {}
    }

    fn encode<W: FieldWriter>(&self, _: &mut W) -> Result<(), FieldError> {
        match *self {}
    }

    fn decode<R: FieldReader>(_: &str, _: &mut R) -> Option<Result<Self, FieldError>> {
        None
    }
}

/// Finds at compile time if a state can be cloned: the inherent constant wins over the trait's when
/// its bound holds.
pub struct CloneProbe<S>(PhantomData<S>);

impl<S: Clone> CloneProbe<S> {
    /// The function that clones the state.
    pub const CLONE: Option<fn(&S) -> S> = Some(S::clone);
}

/// The fallback of [`CloneProbe`].
pub trait CannotClone<S> {
    /// No function, as the state cannot be cloned.
    const CLONE: Option<fn(&S) -> S> = None;
}

impl<S> CannotClone<S> for CloneProbe<S> {}

/// Returns the length of some texts, joined.
pub const fn joined_len(parts: &[&str]) -> usize {
    let (mut len, mut part) = (0, 0);
    while part < parts.len() {
        len += parts[part].len();
        part += 1;
    }
    len
}

/// Returns some texts, joined. `LEN` is their [`joined_len`].
pub const fn joined<const LEN: usize>(parts: &[&str]) -> [u8; LEN] {
    let mut out = [0; LEN];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            out[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    out
}

/// Returns the text of bytes that [`joined`] made.
pub const fn joined_str(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// The stored name of an event: the topic of its aggregate, a dot, and its own name.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_topic {
    ($topic:expr, $event:literal) => {{
        const PARTS: &[&$crate::__private::str] = &[$topic, ".", $event];
        const BYTES: &[u8] =
            &$crate::__private::joined::<{ $crate::__private::joined_len(PARTS) }>(PARTS);
        $crate::__private::joined_str(BYTES)
    }};
}
pub use crate::__event_topic as event_topic;

/// Writes a struct's name and fields, for the `Debug` of generated types.
pub fn debug_struct(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fields: &[(&str, &dyn fmt::Debug)],
) -> fmt::Result {
    let mut out = f.debug_struct(name);
    for (key, value) in fields {
        out.field(key, value);
    }
    out.finish()
}
