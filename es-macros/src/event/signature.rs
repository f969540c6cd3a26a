//! The rules of an event method's signature, but for its parameters.

use quote::ToTokens;
use syn::{ReceiverKind, ReturnType, Type};

use super::EventKind;
use super::fallible::CANNOT_FAIL;
use crate::syntax::attributes;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;

/// Checks the signature, and finds out by it what the event does.
pub(super) fn check(method: &Method, errors: &mut Errors) -> EventKind {
    check_qualifiers(method, errors);
    check_generics(method, errors);
    check_cfg(method, errors);
    event_kind(method, errors)
}

/// Rule: the body is run again by each replay, which neither awaits nor vouches for anything.
fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(asyncness) = sig.asyncness {
        let message = "an event's body only changes the state, so it cannot be `async`: await in a \
                       command, and call the event with what came out";
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
}

/// Rule: an event stores what it is given, which has one type.
fn check_generics(method: &Method, errors: &mut Errors) {
    let generics = &method.sig.generics;
    if !generics.params.is_empty() {
        let message = "an event stores what it is given, so its method has no type parameters or \
                       lifetimes: write the types out";
        errors.on(generics, message);
    } else if let Some(clause) = &generics.where_clause {
        errors.on(
            clause,
            "an event method has no type parameters: remove the `where` clause",
        );
    }
}

/// Rule: what is recorded in one build is read in every other.
fn check_cfg(method: &Method, errors: &mut Errors) {
    for attr in attributes::cfgs(&method.attrs) {
        let message = "an event cannot depend on `cfg`: a build without it could not read what \
                       another recorded; put the condition into a command";
        errors.on(attr, message);
    }
}

/// Finds out by the receiver and the return type if the method creates or changes.
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

/// Rule: the body of a creating event makes the state.
fn check_returns_self(method: &Method, errors: &mut Errors) {
    let message = format!(
        "`{}` has no `self`, so it creates the aggregate: let it return `Self`, or take `&mut self`",
        method.name()
    );
    match &method.sig.output {
        ReturnType::Type(_, ty) if is_self(ty) => {}
        ReturnType::Type(_, ty) if is_result(ty) => errors.on(ty, CANNOT_FAIL),
        ReturnType::Type(_, ty) => errors.on(ty, message),
        ReturnType::Default => errors.on(&method.sig.ident, message),
    }
}

/// Rule: nobody reads what the body of a changing event returns, since replay runs it too.
fn check_returns_nothing(method: &Method, errors: &mut Errors) {
    match &method.sig.output {
        ReturnType::Default => {}
        ReturnType::Type(_, ty) if is_unit(ty) => {}
        ReturnType::Type(_, ty) if is_result(ty) => errors.on(ty, CANNOT_FAIL),
        ReturnType::Type(_, ty) => {
            let message = "an event returns nothing: read the answer in a command that calls it, \
                           or in a `&self` method";
            errors.on(ty, message);
        }
    }
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "Result")
}
