//! `#[event]`, `#[id]` and `#[policy]` where nothing reads them. Inside of their block they are gone before
//! the compiler would call them.

use proc_macro2::{Span, TokenStream};
use quote::quote;

/// Gives the item back, and says where the attribute belongs.
pub(crate) fn misplaced(marker: &str, block: &str, item: TokenStream) -> TokenStream {
    let message = format!(
        "`#[{marker}]` belongs on a method inside of an impl block with `#[{block}]`: put `#[{block}]` on the block, or \
         move the method there"
    );
    let error = syn::Error::new(Span::call_site(), message).into_compile_error();
    quote!(#item #error)
}
