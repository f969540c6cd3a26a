//! `#[projection]` on a struct and on its impl block, whose policies change tables.

mod tables;

use proc_macro2::TokenStream;

use crate::application_struct;
use crate::kind::Kind;
use crate::policy_block;
use crate::syntax::impl_block;

/// Expands the attribute on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let kind = Kind::Projection;
    if !impl_block::is_impl_block(&item) {
        return application_struct::expand(kind, args, item);
    }
    policy_block::expand(kind, args, item, tables::context)
}
