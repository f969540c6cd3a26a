//! The levels of lints that a user set on a method or a block.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Attribute;

/// The levels, for the other place to which a method's tokens go.
pub(super) fn levels(attrs: &[Attribute]) -> Vec<TokenStream> {
    let is_level = |attr: &&Attribute| {
        ["allow", "warn", "deny", "forbid", "expect"]
            .iter()
            .any(|level| attr.path().is_ident(level))
    };
    attrs.iter().filter(is_level).map(without_expect).collect()
}

/// The attribute, with an `allow` in place of an `expect`: that would be fulfilled in one of the
/// two places only.
pub(super) fn without_expect(attr: &Attribute) -> TokenStream {
    match attr.meta.require_list() {
        Ok(list) if list.path.is_ident("expect") => {
            let lints = &list.tokens;
            quote!(#[allow(#lints)])
        }
        _ => attr.to_token_stream(),
    }
}
