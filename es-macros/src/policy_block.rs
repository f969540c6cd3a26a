//! The impl half of a process application or a projection: parse → check → expand.

mod check;
mod expand;
mod from;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::kind::Kind;
use crate::syntax::errors::Errors;
use crate::syntax::{exclusive, fallback};
pub(crate) use model::Context;
pub(crate) use parse::Block;

/// Expands an attribute on an impl block, whose policies work on what `context` finds in it.
pub(crate) fn expand(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    context: impl FnOnce(&Block, &mut Errors) -> Context,
) -> TokenStream {
    let mut errors = Errors::default();
    match parse::block(kind, args, item.clone(), &mut errors) {
        Ok(mut block) => {
            exclusive::check(kind.name(), &mut block.block.attrs, &mut errors);
            let context = context(&block, &mut errors);
            let follower = check::follower(block, context, &mut errors);
            let expanded = expand::follower(&follower);
            quote!(#expanded #errors)
        }
        Err(error) => {
            errors.add(error);
            fallback::item_and_errors(item, &errors)
        }
    }
}
