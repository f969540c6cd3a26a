//! A process application's impl half after the checks.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, ExprPath, Path, Token, Type, TypePath};

use crate::crate_path::CratePath;
use crate::policy::kind::Kind;

/// The impl half.
pub(super) struct Follower {
    pub(super) kind: Kind,
    pub(super) krate: CratePath,
    pub(super) attrs: Vec<Attribute>,
    pub(super) impl_token: Token![impl],
    pub(super) self_ty: TypePath,
    pub(super) brace: Span,
    /// The items as written, without `#[policy]`.
    pub(super) items: Vec<TokenStream>,
    /// What makes the tables of a projection, if it is right.
    pub(super) tables: Option<Tables>,
    pub(super) policies: Vec<Policy>,
}

/// `fn tables(tx: &mut Transaction<'_>) -> Result<()>`.
pub(super) struct Tables {
    pub(super) takes: Type,
    pub(super) returns: Type,
}

/// `#[policy(Dog::TrickAdded)] fn count_trick(..)`.
pub(super) struct Policy {
    /// The events that it follows.
    pub(super) follows: Follows,
    /// The conditions under which the method exists.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) method: Ident,
    /// The `DomainEvent<DogTrickAdded>` that the method takes a reference to.
    pub(super) takes: Type,
    /// The `&mut ProcessingEvent`, or the `&mut Transaction<'_>`.
    pub(super) collects: Type,
    pub(super) returns: Type,
}

/// What stands in `#[policy(..)]`.
pub(super) enum Follows {
    /// `Dog::TrickAdded`.
    One(ExprPath),
    /// `Dog::Registered, Dog::TrickAdded`: the events of one aggregate.
    Several(Vec<ExprPath>),
    /// `Dog::*`: the aggregate, all of whose events are meant.
    All(Path),
    /// `_`: everything that no other policy follows.
    Rest(Token![_]),
}

impl Follows {
    /// The events that are named one by one.
    pub(super) fn events(&self) -> &[ExprPath] {
        match self {
            Self::One(event) => std::slice::from_ref(event),
            Self::Several(events) => events,
            Self::All(_) | Self::Rest(_) => &[],
        }
    }
}

/// `Dog` of `Dog::TrickAdded`; `None` if the event is not written with its aggregate in front.
pub(super) fn aggregate_of(event: &ExprPath) -> Option<Path> {
    if event.qself.is_some() {
        return None;
    }
    let mut path = event.path.clone();
    path.segments.pop()?;
    path.segments.pop_punct();
    (!path.segments.is_empty()).then_some(path)
}
