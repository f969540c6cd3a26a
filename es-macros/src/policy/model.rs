//! A process application's impl half after the checks.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, ExprPath, Token, Type, TypePath};

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
    /// The event that it follows.
    pub(super) event: ExprPath,
    /// The conditions under which the method exists.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) method: Ident,
    /// The `DomainEvent<DogTrickAdded>` that the method takes a reference to.
    pub(super) takes: Type,
    /// The `&mut ProcessingEvent`, or the `&mut Transaction<'_>`.
    pub(super) collects: Type,
    pub(super) returns: Type,
}
