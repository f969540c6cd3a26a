//! The expansion of the two halves. Each generated item has a file, headed by its shape.

mod apply;
mod command;
mod compare;
mod constants;
mod declared;
mod event_enum;
mod incomplete;
mod lints;
mod payload;
pub(super) mod state;
mod versions;

use proc_macro2::TokenStream;
use quote::quote;

use crate::aggregate::model::Aggregate;

/// Expands the impl half.
pub(super) fn events(aggregate: &Aggregate) -> TokenStream {
    if !aggregate.is_created {
        return incomplete::expand(aggregate);
    }
    let methods = command::expand(aggregate);
    let constants = constants::expand(aggregate);
    let payloads = aggregate
        .events()
        .map(|event| payload::expand(aggregate, event));
    let bodies = aggregate
        .events()
        .map(|event| apply::body(aggregate, event));
    let event_enum = event_enum::expand(aggregate);
    let apply = apply::expand(aggregate);
    quote! {
        #methods
        #constants
        #(#payloads)*
        #event_enum
        #(#bodies)*
        #apply
    }
}

/// `where for<'a> String: Clone, for<'a> Vec<u8>: Clone`, each type once.
///
/// With `for<'a>` an impl whose bound does not hold compiles, and does not exist. So nothing is
/// forced onto the user's types.
fn where_all(types: impl Iterator<Item = TokenStream>, bound: &TokenStream) -> TokenStream {
    let mut seen = Vec::new();
    let new = types.filter(|ty| {
        let text = ty.to_string();
        let is_new = !seen.contains(&text);
        seen.push(text);
        is_new
    });
    let bounds: Vec<_> = new.map(|ty| quote!(for<'a> #ty: #bound)).collect();
    if bounds.is_empty() {
        return TokenStream::new();
    }
    quote!(where #(#bounds),*)
}
