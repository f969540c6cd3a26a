//! The rule of all methods that are no events: `Self` is the aggregate around the state, and has
//! neither the state's fields nor its variants.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::event::scope::Scope;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::names;
use crate::syntax::tokens::{has_items_of_its_own, is_other_name, is_punct};

/// Returns true if a method takes the aggregate for its state, which is reported. rustc would name
/// the hidden field that the aggregate has.
pub(super) fn is_taken_for_it(method: &Method, scope: &Scope, errors: &mut Errors) -> bool {
    let body = method.body.stream();
    if has_items_of_its_own(body.clone()) {
        return false;
    }
    let found = errors.count();
    Search { scope, errors }.search(body);
    errors.count() > found
}

struct Search<'a> {
    scope: &'a Scope,
    errors: &'a mut Errors,
}

impl Search<'_> {
    fn search(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.search(group.stream()),
                TokenTree::Ident(word) if word == "match" => self.check_match(&tokens[at + 1..]),
                TokenTree::Ident(word) if word == "matches" => self.check_macro(&tokens[at + 1..]),
                TokenTree::Ident(word) if word == "let" => self.check_let(&tokens[at + 1..]),
                TokenTree::Ident(word) if self.is_aggregate(word) => {
                    self.check_literal(word, &tokens[..at], &tokens[at + 1..]);
                }
                _ => {}
            }
        }
    }

    fn is_aggregate(&self, word: &Ident) -> bool {
        word == "Self" || *word == self.scope.name
    }

    /// Rule: `Self { .. }` neither makes an aggregate nor takes one apart.
    fn check_literal(&mut self, word: &Ident, before: &[TokenTree], after: &[TokenTree]) {
        let fields = match after.first() {
            Some(TokenTree::Group(fields)) if !is_other_name(before) => fields.delimiter(),
            _ => return,
        };
        if fields == Delimiter::Bracket {
            return;
        }
        let made = match &self.scope.creating {
            Some(method) => format!("call `Self::{method}(..)`"),
            None => {
                "write an `#[event(..)]` method that returns `Self`, and call that here".to_owned()
            }
        };
        let message = format!(
            "the fields are the state's, and `{word}` is the aggregate around it: {made} to make \
             one, and read a field as `self.field`"
        );
        self.errors.at(word.span(), message);
    }

    /// Rule: no `match self { Self::Open => .. }`.
    fn check_match(&mut self, after: &[TokenTree]) {
        if let Some((self_, [TokenTree::Group(arms), ..])) = on_self(after)
            && arms.delimiter() == Delimiter::Brace
            && self.begins_with_variant(arms.stream())
        {
            self.report_variant(self_, "match self.state() {", " => .. }");
        }
    }

    /// Rule: no `matches!(self, Self::Open)`.
    fn check_macro(&mut self, after: &[TokenTree]) {
        let [bang, TokenTree::Group(args), ..] = after else {
            return;
        };
        let args: Vec<TokenTree> = args.stream().into_iter().collect();
        if let Some((self_, [comma, pattern @ ..])) = on_self(&args)
            && is_punct(bang, '!')
            && is_punct(comma, ',')
            && self.begins_with_variant(pattern.iter().cloned().collect())
        {
            self.report_variant(self_, "matches!(self.state(),", ")");
        }
    }

    /// Rule: no `if let Self::Open = self`.
    fn check_let(&mut self, after: &[TokenTree]) {
        let Some(equals) = after.iter().position(|token| is_punct(token, '=')) else {
            return;
        };
        let is_variant = self.begins_with_variant(after[..equals].iter().cloned().collect());
        if let Some((self_, rest)) = on_self(&after[equals + 1..])
            && is_variant
            && !rest.first().is_some_and(|next| is_punct(next, '.'))
        {
            self.report_variant(self_, "let", " = self.state()");
        }
    }

    fn begins_with_variant(&self, pattern: TokenStream) -> bool {
        let mut tokens = pattern
            .into_iter()
            .skip_while(|token| is_punct(token, '|') || is_punct(token, '&'));
        matches!(tokens.next(), Some(TokenTree::Ident(name)) if self.is_aggregate(&name))
            && tokens.next().is_some_and(|token| is_punct(&token, ':'))
    }

    fn report_variant(&mut self, self_: &Ident, before: &str, after: &str) {
        let state = names::state(&self.scope.name);
        let message = format!(
            "the variants are the state's, and `self` is the aggregate around it: write `{before} \
             {state}::Name{after}`"
        );
        self.errors.at(self_.span(), message);
    }
}

/// `self`, `*self` or `&self`, and what follows.
fn on_self(tokens: &[TokenTree]) -> Option<(&Ident, &[TokenTree])> {
    match tokens {
        [sign, rest @ ..] if is_punct(sign, '*') || is_punct(sign, '&') => on_self(rest),
        [TokenTree::Ident(word), rest @ ..] if word == "self" => Some((word, rest)),
        _ => None,
    }
}
