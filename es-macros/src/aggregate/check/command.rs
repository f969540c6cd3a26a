//! The rule of commands: they leave the state alone.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ReceiverKind;

use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::tokens::{has_items_of_its_own, is_parenthesis, is_punct, punct};

const LEAVES_STATE_ALONE: &str =
    "a command cannot change the state: do it in an `#[event(..)]` method and call that here";

/// The methods that change a collection of the standard library. They are looked for only where
/// nobody uses what they return: a method of the user's by the same name may be a query.
const CHANGING: &[&str] = &[
    "append",
    "clear",
    "dedup",
    "extend",
    "fill",
    "insert",
    "pop",
    "pop_back",
    "pop_first",
    "pop_front",
    "pop_last",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "remove",
    "resize",
    "retain",
    "reverse",
    "rotate_left",
    "rotate_right",
    "sort",
    "sort_by",
    "sort_by_key",
    "sort_unstable",
    "sort_unstable_by",
    "swap",
    "swap_remove",
    "truncate",
];

/// Returns true if a method changes the state as far as its tokens tell, which is reported. rustc
/// would advise to implement `DerefMut`; it reports the changes that are not seen here.
pub(super) fn changes_state(method: &Method, errors: &mut Errors) -> bool {
    let Some(receiver) = method.sig.receiver() else {
        return false;
    };
    if has_items_of_its_own(method.body.stream()) {
        return false;
    }
    let found = errors.count();
    let is_command = !matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
    find_changes(method.body.stream(), is_command, errors);
    errors.count() > found
}

fn find_changes(stream: TokenStream, is_command: bool, errors: &mut Errors) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => find_changes(group.stream(), is_command, errors),
            TokenTree::Ident(ident) if ident == "self" => {
                let place = place_len(&tokens[at + 1..]);
                let (before, after) = (&tokens[..at], &tokens[at + 1 + place..]);
                let changes = is_assignment(after)
                    || is_borrowed_mutably(before, after)
                    || (is_command && is_changed(before, &tokens[at + 1..at + 1 + place], after));
                if place > 0 && changes {
                    let place: TokenStream = tokens[at..=at + place].iter().cloned().collect();
                    errors.on(place, LEAVES_STATE_ALONE);
                }
            }
            _ => {}
        }
    }
}

/// The number of tokens of `.name`, `.0` and `[..]` that follow.
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

/// Returns true in front of `=`, `+=`, `<<=`, but not of `==`, `=>`, `<=`.
fn is_assignment(tokens: &[TokenTree]) -> bool {
    let operator: String = tokens.iter().map_while(punct).take(4).collect();
    let compound = ["+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<=", ">>="];
    compound
        .iter()
        .any(|compound| operator.starts_with(compound))
        || (operator.starts_with('=') && !operator.starts_with("==") && !operator.starts_with("=>"))
}

/// Returns true for `&mut self.tricks`, but not for `&mut self.tricks.iter()`, which borrows what a
/// call returns.
fn is_borrowed_mutably(before: &[TokenTree], after: &[TokenTree]) -> bool {
    let [.., and, TokenTree::Ident(word)] = before else {
        return false;
    };
    let goes_on = match after.first() {
        Some(TokenTree::Group(group)) => is_parenthesis(group),
        Some(next) => is_punct(next, ':') || is_punct(next, '?') || is_punct(next, '.'),
        None => false,
    };
    is_punct(and, '&') && word == "mut" && !goes_on
}

/// Returns true for the statement `self.tricks.push(..);`: what it returns is dropped, so it is
/// called for what it changes.
fn is_changed(before: &[TokenTree], place: &[TokenTree], after: &[TokenTree]) -> bool {
    let begins = match before.last() {
        None => true,
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(last) => is_punct(last, ';'),
    };
    let ends = match after {
        [TokenTree::Group(args), end, ..] => is_parenthesis(args) && is_punct(end, ';'),
        _ => false,
    };
    let [_, _, .., TokenTree::Ident(method)] = place else {
        return false;
    };
    place.len() > 2 && begins && ends && CHANGING.iter().any(|changing| method == changing)
}
