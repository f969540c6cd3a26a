//! The rule of failing: an event has happened, so its body cannot fail.

use proc_macro2::{TokenStream, TokenTree};

use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::tokens::{has_items_of_its_own, is_punct};

pub(super) const CANNOT_FAIL: &str = "an event says what has happened, so it cannot fail: check in \
     a command that returns the `Result`, and call the event there when all is well";

/// Reports a `?` in the body, unless it is a closure's.
pub(super) fn check(method: &Method, errors: &mut Errors) {
    let body = method.body.stream();
    if has_items_of_its_own(body.clone()) {
        return;
    }
    if let Some(question_mark) = first_question_mark(body) {
        errors.on(question_mark, CANNOT_FAIL);
    }
}

/// The first `?` behind no closure, function or block, which would have a result of its own.
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
