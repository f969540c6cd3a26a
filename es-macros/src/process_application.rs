//! `#[process_application]` on a struct and on its impl block, whose policies collect new events.

use proc_macro2::TokenStream;
use quote::quote;

use crate::application_struct;
use crate::kind::Kind;
use crate::policy_block::{self, Block, Context};
use crate::syntax::{impl_block, spans};

/// Expands the attribute on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let kind = Kind::ProcessApplication;
    if !impl_block::is_impl_block(&item) {
        return application_struct::expand(kind, args, item);
    }
    policy_block::expand(kind, args, item, |block, _| Context {
        ty: quote!(Collecting),
        table: quote!(new()),
        items: assertion(block),
    })
}

/// The item that does not compile where the struct half only leads. rustc reports it at the user's
/// block.
fn assertion(block: &Block) -> TokenStream {
    let private = block.krate.private();
    let self_ty = &block.block.self_ty;
    let follows = spans::covering(self_ty, quote!(#private::assert_follows::<#self_ty>()));
    quote!(const _: () = #follows;)
}
