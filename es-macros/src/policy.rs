//! `#[process_application]` on an impl block, and the `#[policy]` methods in it: parse → model → check →
//! expand.

mod check;
mod expand;
mod model;
mod names;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::{alone, application, fallback, impl_block};

/// Expands `#[process_application]` on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    if !impl_block::is_impl_block(&item) {
        return application::expand(application::Kind::Follower, args, item);
    }
    let mut errors = Errors::default();
    match parse::block(args, item.clone(), &mut errors) {
        Ok(mut block) => {
            alone::check("process_application", &mut block.block.attrs, &mut errors);
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
