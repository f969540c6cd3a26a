//! `#[process_application]` or `#[projection]` on an impl block, and the `#[policy]` methods in it: parse → model →
//! check → expand.

mod check;
mod expand;
mod follows;
mod kind;
mod model;
mod names;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::{alone, application, fallback, impl_block};
use kind::Kind;

/// Expands `#[process_application]` on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_as(Kind::Collecting, args, item)
}

/// Expands `#[projection]` on either half.
pub(crate) fn expand_projection(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_as(Kind::InTables, args, item)
}

fn expand_as(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    if !impl_block::is_impl_block(&item) {
        return application::expand(kind.of_struct(), args, item);
    }
    let mut errors = Errors::default();
    match parse::block(kind, args, item.clone(), &mut errors) {
        Ok(mut block) => {
            alone::check(kind.of_struct().name(), &mut block.block.attrs, &mut errors);
            let follower = check::follower(block, &mut errors);
            let expanded = expand::follower(&follower);
            quote!(#expanded #errors)
        }
        Err(error) => {
            errors.add(error);
            fallback::item_and_errors(item, &["policy"], &errors)
        }
    }
}
