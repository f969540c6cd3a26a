//! The impl half after the checks: what can be expanded.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Token, TypePath};

use super::from::From;
use crate::policy::Policy;
use crate::policy::follows::Follows;
use crate::policy::on_error::OnError;
use crate::syntax::crate_path::CratePath;

/// The impl half.
pub(super) struct Follower {
    pub(super) krate: CratePath,
    pub(super) attrs: Vec<Attribute>,
    pub(super) impl_token: Token![impl],
    pub(super) self_ty: TypePath,
    pub(super) brace: Span,
    /// The items as written, without `#[policy]`.
    pub(super) items: Vec<TokenStream>,
    pub(super) context: Context,
    pub(super) policies: Vec<Policy>,
    /// The events whose policies were taken out.
    pub(super) retired: Vec<Follows>,
    /// The rule of policies that have none of their own.
    pub(super) on_error: Option<OnError>,
    /// The first event of a new follower.
    pub(super) from: Option<From>,
}

/// The thing that the policies of a block work on.
pub(crate) struct Context {
    /// The type of it in the hidden module: `Collecting`.
    pub(crate) ty: TokenStream,
    /// The call that makes an empty dispatch table for it: `new()`.
    pub(crate) table: TokenStream,
    /// Items beside the table.
    pub(crate) items: TokenStream,
}
