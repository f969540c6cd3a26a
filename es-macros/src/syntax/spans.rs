//! The places at which the compiler shows what is wrong with generated code.
//!
//! A span is a place and a meaning: at the place a message is shown, by the meaning a name is
//! resolved. `all_at` and `covering` change both, `moved` the place alone.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens, as if the user had written all of them at `span`.
pub(crate) fn all_at(span: Span, tokens: impl ToTokens) -> TokenStream {
    respanned(tokens, &|_| span)
}

/// The tokens, shown at `place`, with the meaning that they have where they were written: a `self`
/// in a macro stays that macro's.
pub(crate) fn moved(place: Span, tokens: impl ToTokens) -> TokenStream {
    respanned(tokens, &|span| span.located_at(place))
}

/// The path or expression `tokens`, as if it covered all of `place`: it starts where that starts
/// and ends where that ends.
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

/// Braces that stand at `span`, around tokens that stay where they are.
pub(crate) fn braces(span: Span, tokens: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    TokenTree::Group(group).into()
}

/// The tokens, those in groups too, each with the span that `span` makes of its own.
fn respanned(tokens: impl ToTokens, span: &dyn Fn(Span) -> Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        let place = span(token.span());
        if let TokenTree::Group(group) = &token {
            let inner = respanned(group.stream(), span);
            token = Group::new(group.delimiter(), inner).into();
        }
        token.set_span(place);
        token
    };
    tokens.into_token_stream().into_iter().map(respan).collect()
}
