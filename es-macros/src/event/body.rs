//! The rules of an event's body. It is moved to the state, and its tokens are searched for what
//! would otherwise end in an error about code that the user did not write.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::TypePath;

use super::EventKind;
use super::scope::Scope;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::names;
use crate::syntax::tokens::{
    has_items_of_its_own, is_other_name, is_parenthesis, is_punct, regroup,
};

/// The methods of every aggregate that read its root, out of reach of an event's body.
const OF_THE_ROOT: &[&str] = &[
    "id",
    "version",
    "created_on",
    "modified_on",
    "pending_events",
];

/// The body of an event method for its new place on the state. There, `Self` is the state, so
/// `Self::MAX` becomes `Dog::MAX`.
pub(super) fn for_state(
    method: &Method,
    kind: EventKind,
    scope: &Scope,
    errors: &mut Errors,
) -> Group {
    let stream = method.body.stream();
    if has_items_of_its_own(stream.clone()) {
        return method.body.clone();
    }
    let mut body = EventBody {
        kind,
        scope,
        errors,
    };
    regroup(&method.body, body.rewrite(stream))
}

struct EventBody<'a> {
    kind: EventKind,
    scope: &'a Scope,
    errors: &'a mut Errors,
}

impl EventBody<'_> {
    fn rewrite(&mut self, stream: TokenStream) -> TokenStream {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rewritten = TokenStream::new();
        for (at, token) in tokens.iter().enumerate() {
            let (before, after) = (&tokens[..at], &tokens[at + 1..]);
            match token {
                TokenTree::Group(group) => {
                    let inner = self.rewrite(group.stream());
                    rewritten.extend([TokenTree::Group(regroup(group, inner))]);
                }
                TokenTree::Ident(ident) if ident == "Self" => {
                    rewritten.extend(self.associated(ident, after));
                }
                TokenTree::Ident(ident) => {
                    if ident == "self" {
                        self.check_call(after);
                    } else {
                        self.check_made(ident, before, after);
                        self.check_path(ident, after);
                    }
                    rewritten.extend([token.clone()]);
                }
                other => rewritten.extend([other.clone()]),
            }
        }
        rewritten
    }

    /// Rule: `self.name(..)` calls a method of the state; the aggregate's are out of reach.
    fn check_call(&mut self, after_self: &[TokenTree]) {
        let [dot, TokenTree::Ident(method), TokenTree::Group(args), ..] = after_self else {
            return;
        };
        if !is_punct(dot, '.') || !is_parenthesis(args) {
            return;
        }
        if OF_THE_ROOT.iter().any(|of_root| method == of_root) && args.stream().is_empty() {
            let message = format!(
                "an event's body has the state only, not the root: pass `{method}` as a parameter"
            );
            return self.errors.at(method.span(), message);
        }
        self.check_method(method);
    }

    /// `Self::name`: what stands in the block is the aggregate's.
    fn associated(&mut self, self_: &Ident, after_self: &[TokenTree]) -> TokenStream {
        let Some(name) = associated_name(after_self) else {
            return self_.to_token_stream();
        };
        self.check_method(name);
        if self.scope.associated.contains(&names::plain(name)) {
            at_self(&self.scope.self_ty, self_)
        } else {
            self_.to_token_stream()
        }
    }

    /// Rule: `Dog::name` is the aggregate's, as `Self::name` is.
    fn check_path(&mut self, ident: &Ident, after: &[TokenTree]) {
        if *ident == self.scope.name
            && let Some(name) = associated_name(after)
        {
            self.check_method(name);
        }
    }

    fn check_method(&mut self, method: &Ident) {
        let plain = names::plain(method);
        if self.scope.events.contains(&plain) {
            let message = "an event's body cannot make another event: write a command that calls \
                           both, and only change the state here";
            self.errors.at(method.span(), message);
        } else if self.scope.methods.contains(&plain) {
            let aggregate = names::plain(&self.scope.name);
            let state = names::state(&self.scope.name);
            let message = format!(
                "`{plain}` is a method of `{aggregate}`; an event's body has the state only: move \
                 `{plain}` to `impl {state}`, where both reach it"
            );
            self.errors.at(method.span(), message);
        }
    }

    /// Rule: a creating event's body makes the state, not a `Dog { .. }`.
    fn check_made(&mut self, ident: &Ident, before: &[TokenTree], after: &[TokenTree]) {
        if self.kind != EventKind::Creating || *ident != self.scope.name {
            return;
        }
        let is_made = match after.first() {
            Some(TokenTree::Group(fields)) => fields.delimiter() != Delimiter::Bracket,
            _ => false,
        };
        if is_made && !is_other_name(before) {
            let message = format!(
                "write `Self {{ .. }}`: the body of an event makes the state, and `{ident}` is the \
                 aggregate around it"
            );
            self.errors.at(ident.span(), message);
        }
    }
}

/// The `name` of `::name`.
fn associated_name(after: &[TokenTree]) -> Option<&Ident> {
    match after {
        [first, second, TokenTree::Ident(name), ..]
            if is_punct(first, ':') && is_punct(second, ':') =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// The aggregate's path at the place of a `Self`.
fn at_self(self_ty: &TypePath, self_: &Ident) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(self_.span());
        token
    };
    self_ty.to_token_stream().into_iter().map(respan).collect()
}
