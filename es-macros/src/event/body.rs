//! The rules of an event's body. It is moved to the state, and its tokens are searched for what
//! would otherwise end in an error about code that the user did not write.

mod out_of_reach;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::TypePath;

use super::EventKind;
use super::scope::Scope;
use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::names;
use crate::syntax::tokens::{
    has_items_of_its_own, is_other_name, is_parenthesis, is_punct, regroup,
};
use out_of_reach::{OutOfReach, Reason};

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
    krate: &CratePath,
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
        out_of_reach: OutOfReach::default(),
    };
    let statements = body.rewrite(stream);
    let out_of_reach = body.out_of_reach.expand(krate);
    regroup(&method.body, quote!(#out_of_reach #statements))
}

struct EventBody<'a> {
    kind: EventKind,
    scope: &'a Scope,
    errors: &'a mut Errors,
    out_of_reach: OutOfReach,
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
                TokenTree::Ident(ident) if ident == "self" => {
                    rewritten.extend(self.receiver(ident, after));
                }
                TokenTree::Ident(ident) => {
                    self.check_made(ident, before, after);
                    self.check_path(ident, after);
                    rewritten.extend([token.clone()]);
                }
                other => rewritten.extend([other.clone()]),
            }
        }
        rewritten
    }

    /// `self.name(..)`: calls a method of the state; the aggregate's are out of reach. For one of
    /// these it becomes `(*self).name(..)`, because rustc reports a bound in its own words only for
    /// the type that has it, which is the state and not a reference.
    fn receiver(&mut self, self_: &Ident, after_self: &[TokenTree]) -> TokenStream {
        let [dot, TokenTree::Ident(method), TokenTree::Group(args), ..] = after_self else {
            return self_.to_token_stream();
        };
        if !is_punct(dot, '.') || !is_parenthesis(args) {
            return self_.to_token_stream();
        }
        let reads_root = args.stream().is_empty() && OF_THE_ROOT.iter().any(|of| method == of);
        let reason = if reads_root {
            Some(Reason::ReadsRoot)
        } else {
            self.of_the_block(method)
        };
        let Some(reason) = reason else {
            return self_.to_token_stream();
        };
        self.out_of_reach.add(reason, method);
        let span = Span::mixed_site().located_at(self_.span());
        quote_spanned!(span=> (*#self_))
    }

    /// `Self::name`: a function or a constant of the block is the aggregate's. A method is the
    /// state's, or out of reach.
    fn associated(&mut self, self_: &Ident, after_self: &[TokenTree]) -> TokenStream {
        let Some(name) = associated_name(after_self) else {
            return self_.to_token_stream();
        };
        if let Some(reason) = self.of_the_block(name) {
            self.out_of_reach.add(reason, name);
        }
        if self.scope.associated.contains(&names::plain(name)) {
            at_self(&self.scope.self_ty, self_)
        } else {
            self_.to_token_stream()
        }
    }

    fn of_the_block(&self, method: &Ident) -> Option<Reason> {
        let plain = names::plain(method);
        if self.scope.events.contains(&plain) {
            Some(Reason::MakesEvent)
        } else if self.scope.methods.contains(&plain) {
            Some(Reason::CallsMethod)
        } else {
            None
        }
    }

    /// Rule: `Dog::name` is the aggregate's, which the body does not have.
    fn check_path(&mut self, ident: &Ident, after: &[TokenTree]) {
        if *ident != self.scope.name {
            return;
        }
        let Some(method) = associated_name(after) else {
            return;
        };
        match self.of_the_block(method) {
            Some(Reason::MakesEvent) => {
                let message = "an event's body cannot make another event: write a command that \
                               calls both, and only change the state here";
                self.errors.at(method.span(), message);
            }
            Some(_) => {
                let plain = names::plain(method);
                let aggregate = names::plain(&self.scope.name);
                let state = names::state(&self.scope.name);
                let message = format!(
                    "`{plain}` is a method of `{aggregate}`; an event's body has the state only: \
                     move `{plain}` to `impl {state}`, where both reach it"
                );
                self.errors.at(method.span(), message);
            }
            None => {}
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
