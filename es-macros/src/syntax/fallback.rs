//! The output for an item that cannot be read: the item itself, so that editors keep working.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

use super::errors::Errors;
use super::tokens;

/// The attributes that only have a meaning inside of a block.
const MARKERS: &[&str] = &["event", "id", "policy"];

/// The user's item without the markers inside of it, and the mistakes.
pub(crate) fn item_and_errors(item: TokenStream, errors: &Errors) -> TokenStream {
    let item = without_markers(item);
    quote!(#item #errors)
}

/// Takes `#[event(..)]` and the like out of the block: left there, each would report a mistake of
/// its own.
pub(super) fn without_markers(item: TokenStream) -> TokenStream {
    let strip = |tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let kept = strip_level(group.stream());
            TokenTree::Group(tokens::regroup(&group, kept))
        }
        other => other,
    };
    item.into_iter().map(strip).collect()
}

fn strip_level(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if tokens::is_punct(&token, '#') && tokens.next_if(is_marker).is_some() {
            continue;
        }
        kept.push(token);
    }
    kept.into_iter().collect()
}

fn is_marker(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    match group.stream().into_iter().next() {
        Some(TokenTree::Ident(name)) => MARKERS.iter().any(|marker| name == marker),
        _ => false,
    }
}
