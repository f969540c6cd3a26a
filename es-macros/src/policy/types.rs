//! The types of a policy's parameters. A policy names the event that it follows by
//! `Dog::TrickAdded`, and the event's type by `DogTrickAdded`.

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::{ExprPath, GenericArgument, PathArguments, Type};

use crate::syntax::errors::Errors;
use crate::syntax::names;

/// Rule: the event's type is not its constant, as in `DomainEvent<Dog::TrickAdded>`.
pub(super) fn check_payload(taken: &Type, followed: &ExprPath, errors: &mut Errors) {
    let Some(Type::Path(payload)) = argument(taken) else {
        return;
    };
    if payload.to_token_stream().to_string() != followed.to_token_stream().to_string() {
        return;
    }
    if let Some(name) = payload_of(followed) {
        let message =
            format!("this names the event; its type is `{name}`: write `&DomainEvent<{name}>`");
        errors.on(payload, message);
    }
}

/// The `ProcessingEvent` of `&mut es_system::ProcessingEvent`.
pub(super) fn last_word(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Reference(reference) => last_word(&reference.elem),
        Type::Path(path) => Some(&path.path.segments.last()?.ident),
        _ => None,
    }
}

/// The `P` of `DomainEvent<P>`.
fn argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// `DogTrickAdded` for `Dog::TrickAdded`.
fn payload_of(event: &ExprPath) -> Option<Ident> {
    let mut segments = event.path.segments.iter().rev();
    let (event, aggregate) = (&segments.next()?.ident, &segments.next()?.ident);
    Some(names::payload(&format_ident!("{}", aggregate), event))
}
