//! The rules of an event's body. A body is never parsed: a look at its tokens finds what would otherwise end in
//! an error about code that the user did not write.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::TypePath;

use super::super::model::EventKind;
use crate::errors::Errors;
use crate::impl_block::{BlockItem, ImplBlock, Method};
use crate::names;

/// What every aggregate has around its state, out of reach of an event's body.
const OF_THE_ROOT: &[&str] = &[
    "id",
    "version",
    "created_on",
    "modified_on",
    "pending_events",
];

/// What the names in the block stand for.
pub(super) struct Scope {
    self_ty: TypePath,
    pub(super) name: Ident,
    /// The first method that creates the aggregate.
    pub(super) creating: Option<String>,
    events: Vec<String>,
    methods: Vec<String>,
    /// Functions without `self`, and constants.
    associated: Vec<String>,
}

impl Scope {
    pub(super) fn of(block: &ImplBlock) -> Self {
        let (mut events, mut methods, mut associated) = (Vec::new(), Vec::new(), Vec::new());
        let mut creating = None;
        for item in &block.items {
            match item {
                BlockItem::Method(method) => {
                    let is_event = method
                        .attrs
                        .iter()
                        .any(|attr| super::last_segment(attr).is_some_and(|name| name == "event"));
                    let kind = match method.sig.receiver() {
                        _ if is_event => &mut events,
                        Some(_) => &mut methods,
                        None => &mut associated,
                    };
                    kind.push(names::plain(&method.sig.ident));
                    if is_event && method.sig.receiver().is_none() {
                        creating.get_or_insert_with(|| names::plain(&method.sig.ident));
                    }
                }
                BlockItem::Other(other) => associated.extend(constant_name(&other.tokens)),
            }
        }
        Self {
            self_ty: block.self_ty.clone(),
            name: block.name(),
            creating,
            events,
            methods,
            associated,
        }
    }
}

/// The body of an event method for its new place on the state, where `Self` is the state:
/// `Self::MAX` becomes `Dog::MAX`.
pub(super) fn of_event(
    method: &Method,
    kind: EventKind,
    scope: &Scope,
    errors: &mut Errors,
) -> Group {
    if has_items_of_its_own(method.body.stream()) {
        return method.body.clone();
    }
    let stream = EventBody {
        kind,
        scope,
        errors,
    }
    .rewrite(method.body.stream());
    regroup(&method.body, stream)
}

/// In an impl block or a macro inside of the body, `self` and `Self` are something else.
pub(super) fn has_items_of_its_own(body: TokenStream) -> bool {
    body.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl" || ident == "trait" || ident == "macro_rules",
        TokenTree::Group(group) => has_items_of_its_own(group.stream()),
        _ => false,
    })
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
        for at in 0..tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    let inner = self.rewrite(group.stream());
                    rewritten.extend([TokenTree::Group(regroup(group, inner))]);
                }
                TokenTree::Ident(ident) if ident == "self" => {
                    self.check_call(&tokens[at + 1..]);
                    rewritten.extend([tokens[at].clone()]);
                }
                TokenTree::Ident(ident) if ident == "Self" => {
                    rewritten.extend(self.associated(ident, &tokens[at + 1..]));
                }
                TokenTree::Ident(ident) => {
                    self.check_made(ident, &tokens[..at], &tokens[at + 1..]);
                    self.check_path(ident, &tokens[at + 1..]);
                    rewritten.extend([tokens[at].clone()]);
                }
                other => rewritten.extend([other.clone()]),
            }
        }
        rewritten
    }

    /// `self.name(..)`: the state's methods are in reach, the aggregate's are not.
    fn check_call(&mut self, after_self: &[TokenTree]) {
        let [dot, TokenTree::Ident(method), TokenTree::Group(args), ..] = after_self else {
            return;
        };
        if !is_punct(dot, '.') || args.delimiter() != Delimiter::Parenthesis {
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
        let [first, second, TokenTree::Ident(name), ..] = after_self else {
            return self_.to_token_stream();
        };
        if !is_punct(first, ':') || !is_punct(second, ':') {
            return self_.to_token_stream();
        }
        self.check_method(name);
        match self.scope.associated.contains(&names::plain(name)) {
            true => respanned(&self.scope.self_ty, self_),
            false => self_.to_token_stream(),
        }
    }

    /// `Dog::name`, which is the aggregate's as `Self::name` is.
    fn check_path(&mut self, ident: &Ident, after: &[TokenTree]) {
        match after {
            [first, second, TokenTree::Ident(name), ..]
                if *ident == self.scope.name && is_punct(first, ':') && is_punct(second, ':') =>
            {
                self.check_method(name);
            }
            _ => {}
        }
    }

    fn check_method(&mut self, method: &Ident) {
        let (plain, aggregate) = (names::plain(method), names::plain(&self.scope.name));
        if self.scope.events.contains(&plain) {
            let message = "an event's body cannot make another event: write a command that calls both, and only change \
                           the state here";
            self.errors.at(method.span(), message);
        } else if self.scope.methods.contains(&plain) {
            let state = names::state(&self.scope.name);
            let message = format!(
                "`{plain}` is a method of `{aggregate}`; an event's body has the state only: move `{plain}` to `impl \
                 {state}`, where both reach it"
            );
            self.errors.at(method.span(), message);
        }
    }

    /// `Dog { .. }` in the body that makes the state.
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
                "write `Self {{ .. }}`: the body of an event makes the state, and `{ident}` is the aggregate around it"
            );
            self.errors.at(ident.span(), message);
        }
    }
}

/// Whether what stands in front of a name makes it that of something else: `cats::Dog`, `-> Dog`, `fn Dog`.
pub(super) fn is_other_name(before: &[TokenTree]) -> bool {
    match before.last() {
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ':' | '>' | '.'),
        Some(TokenTree::Ident(word)) => ["struct", "enum", "fn", "mod"].iter().any(|w| word == w),
        _ => false,
    }
}

pub(super) fn punct(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

pub(super) fn is_punct(token: &TokenTree, char: char) -> bool {
    punct(token) == Some(char)
}

/// The `MAX` of `const MAX: u32 = 5;`.
fn constant_name(item: &TokenStream) -> Option<String> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident == "const"))?;
    match tokens.next() {
        Some(TokenTree::Ident(name)) => Some(names::plain(&name)),
        _ => None,
    }
}

fn regroup(group: &Group, stream: TokenStream) -> Group {
    let mut regrouped = Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    regrouped
}

fn respanned(self_ty: &TypePath, self_: &Ident) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(self_.span());
        token
    };
    self_ty.to_token_stream().into_iter().map(respan).collect()
}
