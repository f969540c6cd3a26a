//! `#[event]`, `#[id]` and `#[policy]` on an item where they have no meaning. Inside of their block
//! they are gone before the compiler would expand them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

use super::impl_block::Method;

/// Gives the item back, and reports where the attribute belongs. A method's body is left out: it
/// was written for the place where the attribute has a meaning, and would be a mistake of its own
/// here.
pub(crate) fn report(marker: &str, block: &str, item: TokenStream) -> TokenStream {
    let message = format!(
        "`#[{marker}]` belongs on a method inside of an impl block with `#[{block}]`: put \
         `#[{block}]` on the block, or move the method there"
    );
    let error = syn::Error::new(place(&item), message).into_compile_error();
    let item = match syn::parse2::<Method>(item.clone()) {
        Ok(Method {
            attrs, vis, sig, ..
        }) => quote!(#(#attrs)* #[allow(unused)] #vis #sig { loop {} }),
        Err(_) => item.to_token_stream(),
    };
    quote!(#item #error)
}

/// The attribute, as a place in the user's code and not in an expansion.
fn place(item: &TokenStream) -> Span {
    match item.clone().into_iter().next() {
        Some(first) => first.span().located_at(Span::call_site()),
        None => Span::call_site(),
    }
}
