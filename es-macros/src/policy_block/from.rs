//! The option of a block that tells with which event a new follower begins: `from = start`,
//! `from = now` or `from = 1000`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::LitInt;

use crate::syntax::errors::Errors;

/// The first event of a new follower.
pub(super) enum From {
    Start,
    Now,
    /// The event at a position, or the first one behind it.
    At(u64),
}

const PLACES: &str = "write `from = start` for the first event of the log, `from = now` for the \
                      events to come, or the position of the first event, as in `from = 1000`";

/// Reads the value behind `from =`, and reports a mistake.
pub(super) fn read((_, value): (Ident, TokenStream), errors: &mut Errors) -> Option<From> {
    let tokens: Vec<_> = value.clone().into_iter().collect();
    let from = match &tokens[..] {
        [TokenTree::Ident(word)] if word == "start" => Some(From::Start),
        [TokenTree::Ident(word)] if word == "now" => Some(From::Now),
        _ => position(value.clone()).map(From::At),
    };
    match from {
        Some(From::At(0)) => errors.on(value, format!("positions begin with 1: {PLACES}")),
        Some(from) => return Some(from),
        None => errors.on(value, format!("`from` is a place in the log: {PLACES}")),
    }
    None
}

/// Returns the position. The store has it as a signed number of 64 bits.
fn position(value: TokenStream) -> Option<u64> {
    let position = syn::parse2::<LitInt>(value).ok()?;
    let number = position.base10_parse::<i64>().ok()?;
    position
        .suffix()
        .is_empty()
        .then_some(number)?
        .try_into()
        .ok()
}

impl From {
    /// Returns the place as a value of the hidden module.
    pub(super) fn value(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Start => quote!(#private::Begin::Start),
            Self::Now => quote!(#private::Begin::Now),
            Self::At(position) => quote!(#private::Begin::At(#position)),
        }
    }
}
