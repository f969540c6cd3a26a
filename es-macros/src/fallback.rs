//! What is given back when an item cannot be read: the item itself, so that editors keep working.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::errors::Errors;

/// The user's item, without the attributes that only have a meaning inside it, and the mistakes.
pub(crate) fn item_and_errors(item: TokenStream, markers: &[&str], errors: &Errors) -> TokenStream {
    let item = without_markers(item, markers);
    quote!(#item #errors)
}

/// Takes `#[event(..)]` and the like out of the block: left there, each would report a mistake of its own.
fn without_markers(item: TokenStream, markers: &[&str]) -> TokenStream {
    let strip = |tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let mut stripped = Group::new(Delimiter::Brace, strip_level(group.stream(), markers));
            stripped.set_span(group.span());
            TokenTree::Group(stripped)
        }
        other => other,
    };
    item.into_iter().map(strip).collect()
}

fn strip_level(tokens: TokenStream, markers: &[&str]) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_pound = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_pound && tokens.next_if(|next| is_marker(next, markers)).is_some() {
            continue;
        }
        kept.push(token);
    }
    kept.into_iter().collect()
}

fn is_marker(token: &TokenTree, markers: &[&str]) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    match group.stream().into_iter().next() {
        Some(TokenTree::Ident(name)) => markers.iter().any(|marker| name == marker),
        _ => false,
    }
}
