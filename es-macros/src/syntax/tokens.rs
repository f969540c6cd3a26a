//! Tokens of a body, which is searched but never parsed: a half-written body must not hide the rest
//! of its block.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::Token;
use syn::parse::ParseStream;

/// Returns true if the body holds an impl block, a trait or a macro definition: there, `self` and
/// `Self` are something else.
pub(crate) fn has_items_of_its_own(body: TokenStream) -> bool {
    body.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl" || ident == "trait" || ident == "macro_rules",
        TokenTree::Group(group) => has_items_of_its_own(group.stream()),
        _ => false,
    })
}

/// Returns true if `word` stands outside of all groups.
pub(crate) fn has_word(tokens: &TokenStream, word: &str) -> bool {
    let mut tokens = tokens.clone().into_iter();
    tokens.any(|token| matches!(token, TokenTree::Ident(ident) if ident == word))
}

/// Returns true if what stands in front of a name makes it the name of something else: `cats::Dog`,
/// `-> Dog`, `fn Dog`.
pub(crate) fn is_other_name(before: &[TokenTree]) -> bool {
    match before.last() {
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ':' | '>' | '.'),
        Some(TokenTree::Ident(word)) => ["struct", "enum", "fn", "mod"].iter().any(|w| word == w),
        _ => false,
    }
}

/// The sign, if the token is one.
pub(crate) fn punct(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

/// Returns true if the token is this sign.
pub(crate) fn is_punct(token: &TokenTree, char: char) -> bool {
    punct(token) == Some(char)
}

/// Reads the tokens in front of the next comma. Groups may have commas in them.
pub(crate) fn up_to_comma(input: ParseStream) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

/// Returns true if the group is the arguments of a call.
pub(crate) fn is_parenthesis(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
}

/// The group with other tokens in it, at the same place.
pub(crate) fn regroup(group: &Group, stream: TokenStream) -> Group {
    let mut regrouped = Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    regrouped
}
