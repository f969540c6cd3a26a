//! The rule of commands: they leave the state alone.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::body::{has_items_of_its_own, is_punct, punct};
use crate::errors::Errors;
use crate::impl_block::Method;

/// Whether a command assigns to the state, which is reported. (`self.tricks.push(..)` cannot be told from
/// a query, and is rustc's to report.)
pub(super) fn changes_state(method: &Method, errors: &mut Errors) -> bool {
    if method.sig.receiver().is_none() || has_items_of_its_own(method.body.stream()) {
        return false;
    }
    let found = errors.count();
    find_assignments(method.body.stream(), errors);
    errors.count() > found
}

fn find_assignments(stream: TokenStream, errors: &mut Errors) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => find_assignments(group.stream(), errors),
            TokenTree::Ident(ident) if ident == "self" => {
                let place = place_len(&tokens[at + 1..]);
                if place > 0 && is_assignment(&tokens[at + 1 + place..]) {
                    let place: TokenStream = tokens[at..=at + place].iter().cloned().collect();
                    let message = "a command cannot change the state: do it in an `#[event(..)]` method and call that here";
                    errors.on(place, message);
                }
            }
            _ => {}
        }
    }
}

/// How many tokens of `.name`, `.0` and `[..]` follow.
fn place_len(tokens: &[TokenTree]) -> usize {
    let mut len = 0;
    loop {
        match &tokens[len..] {
            [dot, TokenTree::Ident(_) | TokenTree::Literal(_), ..] if is_punct(dot, '.') => {
                len += 2
            }
            [TokenTree::Group(index), ..] if len > 0 && index.delimiter() == Delimiter::Bracket => {
                len += 1
            }
            _ => return len,
        }
    }
}

/// `=`, `+=`, `<<=`, but not `==`, `=>`, `<=`.
fn is_assignment(tokens: &[TokenTree]) -> bool {
    let operator: String = tokens.iter().map_while(punct).take(4).collect();
    let compound = ["+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<=", ">>="];
    compound
        .iter()
        .any(|compound| operator.starts_with(compound))
        || (operator.starts_with('=') && !operator.starts_with("==") && !operator.starts_with("=>"))
}
