//! `#[aggregate]`: parse → check → model → expand.
//!
//! The struct half makes the state and the root around it; the impl half makes the events. Neither
//! sees the other: they meet in the traits `HasState` and `Aggregate`.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::syntax::errors::Errors;
use crate::syntax::fallback;
use parse::Half;

/// Expands the attribute on either half.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = match parse::half(args, item.clone(), &mut errors) {
        Ok(Half::State(mut half)) => {
            check::state::check(&mut half, &mut errors).then(|| expand::state::expand(&half))
        }
        Ok(Half::Events(half)) => {
            let aggregate = check::events(half, &mut errors);
            Some(expand::events(&aggregate))
        }
        Err(error) => {
            errors.add(error);
            None
        }
    };
    match expanded {
        Some(expanded) => quote!(#expanded #errors),
        None => fallback::item_and_errors(item, &errors),
    }
}
