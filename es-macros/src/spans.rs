//! Where the compiler shows what is wrong with generated code.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens, as if the user had written all of them at `span`.
pub(crate) fn all_at(span: Span, tokens: impl ToTokens) -> TokenStream {
    let respan = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), all_at(span, group.stream())).into();
        }
        token.set_span(span);
        token
    };
    tokens.into_token_stream().into_iter().map(respan).collect()
}

/// The tokens at `place`, but meaning what they mean where they were written: a `self` in a macro stays that macro's.
pub(crate) fn moved(place: Span, tokens: impl ToTokens) -> TokenStream {
    let moved = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), moved(place, group.stream())).into();
        }
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.into_token_stream().into_iter().map(moved).collect()
}

/// The path or expression `tokens`, as if it covered all of `place`: it starts where that starts and ends where that
/// ends.
pub(crate) fn covering(place: impl ToTokens, tokens: impl ToTokens) -> TokenStream {
    let mut place = place
        .into_token_stream()
        .into_iter()
        .map(|token| token.span());
    let start = place.next().unwrap_or_else(Span::call_site);
    let end = place.last().unwrap_or(start);
    let mut covering: Vec<TokenTree> = all_at(start, tokens).into_iter().collect();
    if let Some(last) = covering.last_mut() {
        last.set_span(end);
    }
    covering.into_iter().collect()
}

/// The tokens, which mean what they meant, as if they stood at `span`.
pub(crate) fn shown_at(span: Span, tokens: impl ToTokens) -> TokenStream {
    let respan = |mut token: TokenTree| {
        let place = token.span().located_at(span);
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), shown_at(span, group.stream())).into();
        }
        token.set_span(place);
        token
    };
    tokens.into_token_stream().into_iter().map(respan).collect()
}

/// Braces that stand at `span`, around tokens that stand where they stood.
pub(crate) fn braces(span: Span, tokens: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    TokenTree::Group(group).into()
}
