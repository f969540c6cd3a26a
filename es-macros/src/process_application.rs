//! `#[process_application]` on a struct and on its impl block, whose policies collect new events.

use proc_macro2::TokenStream;
use quote::quote;

use crate::application_struct;
use crate::kind::Kind;
use crate::policy_block::{self, Context};
use crate::syntax::impl_block;

/// Expands the attribute on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let kind = Kind::ProcessApplication;
    if !impl_block::is_impl_block(&item) {
        return application_struct::expand(kind, args, item);
    }
    policy_block::expand(kind, args, item, |_, _| Context {
        ty: quote!(Collecting),
        table: quote!(new()),
        items: TokenStream::new(),
    })
}
