//! The rule of failing: what has happened cannot fail to have happened.

use proc_macro2::{TokenStream, TokenTree};

use super::body::{has_items_of_its_own, is_punct};
use crate::errors::Errors;
use crate::impl_block::Method;

pub(super) const CANNOT_FAIL: &str = "an event says what has happened, so it cannot fail: check in a command that returns \
                                      the `Result`, and call the event there when all is well";

/// An event's body has no `?` of its own; a closure in it may have one.
pub(super) fn check(method: &Method, errors: &mut Errors) {
    let body = method.body.stream();
    if has_items_of_its_own(body.clone()) {
        return;
    }
    if let Some(question_mark) = first_question_mark(body) {
        errors.on(question_mark, CANNOT_FAIL);
    }
}

/// The first `?` that no closure, function or block with an answer of its own stands in front of.
fn first_question_mark(body: TokenStream) -> Option<TokenTree> {
    for token in body {
        match token {
            TokenTree::Group(group) => {
                if let Some(found) = first_question_mark(group.stream()) {
                    return Some(found);
                }
            }
            TokenTree::Ident(word) if word == "fn" || word == "async" => return None,
            token if is_punct(&token, '|') => return None,
            token if is_punct(&token, '?') => return Some(token),
            _ => {}
        }
    }
    None
}
