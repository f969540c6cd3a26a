//! The rules of an `#[event]` method.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, LitStr, Meta, ReceiverKind, ReturnType, Token, Type};

use super::super::model::{Event, EventKind, Item};
use super::super::parse::{UPCAST, VERSION};
use super::body::{self, Scope};
use super::fallible::{self, CANNOT_FAIL};
use super::method_name;
use super::params::Params;
use crate::errors::Errors;
use crate::impl_block::Method;
use crate::options::{Accepted, Options};

/// The name stands alone: the aggregate is the block's, and the fields are the method's parameters.
fn check_is_a_name(name: &Ident, input: ParseStream) -> syn::Result<()> {
    if input.peek(Token![::]) {
        let rest: TokenStream = input.parse()?;
        let name = rest
            .clone()
            .into_iter()
            .last()
            .map_or_else(String::new, |last| last.to_string());
        let message =
            format!("the event is the block's own: write its name alone, `#[event({name})]`");
        return Err(syn::Error::new_spanned(rest, message));
    }
    if input.peek(syn::token::Brace) || input.peek(syn::token::Paren) || input.peek(Token![<]) {
        let rest: TokenStream = input.parse()?;
        let message = format!(
            "the fields of an event are the method's parameters: write its name alone, `#[event({name})]`"
        );
        return Err(syn::Error::new_spanned(rest, message));
    }
    Ok(())
}

/// The names that an aggregate's own generated types end in.
const TAKEN: &[&str] = &["State", "Event"];

/// Reads the event that `method` makes. With a mistake in it, it comes out as far as it was understood.
pub(super) fn check(
    marker: &Attribute,
    mut method: Method,
    scope: &Scope,
    errors: &mut Errors,
) -> Item {
    let found = errors.count();
    let name = event_name(marker, errors);
    let (name, options) = match name {
        Some((name, options)) => (Some(name), Options::parse(options, &OPTIONS, errors)),
        None => (None, Options::default()),
    };
    let versions = options.versions.check_after(found, errors);
    check_qualifiers(&method, errors);
    check_cfg(&method, errors);
    let kind = event_kind(&method, errors);
    let params = event_params(&method, errors);
    if errors.count() == found {
        fallible::check(&method, errors);
    }
    method.body = body::of_event(&method, kind, scope, errors);
    let Some(name) = name else {
        return Item::Broken(Box::new(method));
    };
    let broken = errors.count() > found;
    let Params { fields, timestamp } = params;
    Item::Event(Box::new(Event {
        name,
        kind,
        versions,
        declared: options.payload,
        fields,
        timestamp,
        method,
        broken,
    }))
}

const OPTIONS: Accepted = Accepted {
    attribute: "`#[event(..)]`",
    here: &[VERSION, UPCAST, ("payload", "`payload = TrickAdded`")],
    elsewhere: &[
        (
            "topic",
            "the `#[aggregate]` on the struct, with whose stored name those of its events begin",
        ),
        (
            "snapshot_every",
            "the `#[aggregate]` on the struct, whose state is stored",
        ),
        ("vis", "the `#[aggregate]` on the impl block"),
        ("crate", "the `#[aggregate]` on the impl block"),
    ],
};

/// The event's name, and the options behind it.
fn event_name(marker: &Attribute, errors: &mut Errors) -> Option<(Ident, TokenStream)> {
    let result = match &marker.meta {
        Meta::List(list) if !list.tokens.is_empty() => parse_name.parse2(list.tokens.clone()),
        _ => Err(syn::Error::new_spanned(&marker.meta, NEEDS_NAME)),
    };
    result.map_err(|error| errors.add(error)).ok()
}

const NEEDS_NAME: &str = "an event needs a name, which says what happened: `#[event(TrickAdded)]`";

/// `TrickAdded`, and what stands behind the comma.
fn parse_name(input: ParseStream) -> syn::Result<(Ident, TokenStream)> {
    if let Some(quoted) = input.parse::<Option<LitStr>>()? {
        input.parse::<TokenStream>()?;
        let message = format!(
            "write the event's name without quotes: `#[event({})]`",
            quoted.value()
        );
        return Err(syn::Error::new(quoted.span(), message));
    }
    let name = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), NEEDS_NAME))?;
    check_name(&name)?;
    check_is_a_name(&name, input)?;
    Ok((name, options(input)?))
}

/// The name becomes part of a type's.
fn check_name(name: &Ident) -> syn::Result<()> {
    let plain = name.to_string();
    let message = if TAKEN.contains(&plain.as_str()) {
        format!(
            "the aggregate's own type ends in `{plain}`: give the event a name that says what happened"
        )
    } else if !plain.starts_with(char::is_uppercase) || plain.contains('_') || plain == "Self" {
        "the event's name becomes a type's: write it like one, such as `TrickAdded`".to_owned()
    } else {
        return Ok(());
    };
    Err(syn::Error::new(name.span(), message))
}

/// What follows the name: options, not a second name.
fn options(input: ParseStream) -> syn::Result<TokenStream> {
    if input.is_empty() {
        return Ok(TokenStream::new());
    }
    input.parse::<Token![,]>()?;
    let ahead = input.fork();
    let is_name = |name: Ident| name.to_string().starts_with(char::is_uppercase);
    if ahead.call(Ident::parse_any).is_ok_and(is_name)
        && (ahead.is_empty() || ahead.peek(Token![,]))
    {
        let message = "a method makes one event: write one name, and a method for each other event";
        return Err(syn::Error::new_spanned(
            input.parse::<TokenStream>()?,
            message,
        ));
    }
    input.parse()
}

/// A body that replay runs again has no use for these.
fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(asyncness) = sig.asyncness {
        let message = "an event's body only changes the state, so it cannot be `async`: await in a command, and call \
                       the event with what came out";
        errors.on(asyncness, message);
    }
    if let Some(constness) = sig.constness {
        errors.on(
            constness,
            "an event method cannot be `const`, because it takes the time: remove `const`",
        );
    }
    if !sig.safety.to_token_stream().is_empty() {
        errors.on(&sig.safety, "an event method cannot be `unsafe`: remove it");
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, "an event method cannot be `extern`: remove it");
    }
    if !sig.generics.params.is_empty() {
        let message = "an event stores what it is given, so its method has no type parameters or lifetimes: write the \
                       types out";
        errors.on(&sig.generics, message);
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.on(
            clause,
            "an event method has no type parameters: remove the `where` clause",
        );
    }
}

/// What is recorded in one build must be read in every other.
fn check_cfg(method: &Method, errors: &mut Errors) {
    for attr in method
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
    {
        let message = "an event cannot depend on `cfg`: a build without it could not read what another recorded; put \
                       the condition into a command";
        errors.on(attr, message);
    }
}

/// Whether the method creates or changes, by its receiver and what it returns.
fn event_kind(method: &Method, errors: &mut Errors) -> EventKind {
    let Some(receiver) = method.sig.receiver() else {
        check_returns_self(method, errors);
        return EventKind::Creating;
    };
    let by_mut_reference = matches!(receiver.kind, ReceiverKind::Reference(_, None, Some(_)));
    if !by_mut_reference {
        errors.on(
            receiver,
            "an event changes the state of its aggregate: take `&mut self`",
        );
    }
    check_returns_nothing(method, errors);
    EventKind::Mutating
}

/// A creating event's body makes the state.
fn check_returns_self(method: &Method, errors: &mut Errors) {
    let name = method_name(method);
    match &method.sig.output {
        ReturnType::Type(_, ty) if is_self(ty) => {}
        ReturnType::Type(_, ty) if is_result(ty) => errors.on(ty, CANNOT_FAIL),
        ReturnType::Type(_, ty) => errors.on(
            ty,
            format!("`{name}` has no `self`, so it creates the aggregate: let it return `Self`, or take `&mut self`"),
        ),
        ReturnType::Default => errors.on(
            &method.sig.ident,
            format!("`{name}` has no `self`, so it creates the aggregate: let it return `Self`, or take `&mut self`"),
        ),
    }
}

/// A changing event's body has nobody to answer to: replay runs it too.
fn check_returns_nothing(method: &Method, errors: &mut Errors) {
    match &method.sig.output {
        ReturnType::Default => {}
        ReturnType::Type(_, ty) if is_unit(ty) => {}
        ReturnType::Type(_, ty) if is_result(ty) => errors.on(ty, CANNOT_FAIL),
        ReturnType::Type(_, ty) => errors.on(
            ty,
            "an event returns nothing: read the answer in a command that calls it, or in a `&self` method",
        ),
    }
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_result(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}

fn event_params(method: &Method, errors: &mut Errors) -> Params {
    let mut params = Params::default();
    if !method.sig.generics.params.is_empty() {
        return params;
    }
    for input in &method.sig.inputs {
        if let FnArg::Typed(param) = input {
            params.add(param, errors);
        }
    }
    params
}
