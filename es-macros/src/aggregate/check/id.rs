//! The rules of the `#[id]` function.

use syn::{Attribute, FnArg, Meta, ReturnType};

use super::super::model::{Aggregate, Event, EventKind, IdFn, Item, Param};
use super::{method_name, params};
use crate::errors::Errors;
use crate::impl_block::Method;

/// Reads the function, and reports what keeps it from being called with a creating method's parameters.
pub(super) fn check(
    marker: &Attribute,
    method: &Method,
    id: &mut Option<IdFn>,
    errors: &mut Errors,
) {
    let found = errors.count();
    if !matches!(marker.meta, Meta::Path(_)) {
        errors.on(&marker.meta, "`#[id]` takes nothing: write `#[id]`");
    }
    if let Some(first) = id {
        let message = format!(
            "`{}` computes the id already: remove one of the two `#[id]`",
            first.name
        );
        return errors.on(marker, message);
    }
    check_signature(method, errors);
    let params = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => params::simple(param, "the `#[id]` function", errors),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<_> = params.collect();
    if let ReturnType::Type(_, returns) = &method.sig.output
        && errors.count() == found
    {
        *id = Some(IdFn {
            name: method.sig.ident.clone(),
            returns: (**returns).clone(),
            params,
        });
    }
}

/// It is an ordinary function from the parameters to an id.
fn check_signature(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(receiver) = sig.receiver() {
        let message = "the id is computed before there is a `self`: remove it, and take what the creating method takes";
        errors.on(receiver, message);
    }
    if let Some(asyncness) = sig.asyncness {
        errors.on(
            asyncness,
            "the `#[id]` function cannot be `async`: compute the id from the parameters",
        );
    }
    if !sig.generics.params.is_empty() {
        errors.on(
            &sig.generics,
            "the `#[id]` function cannot have type parameters or lifetimes: remove them",
        );
    }
    if let ReturnType::Default = sig.output {
        errors.on(
            &sig.ident,
            "the `#[id]` function returns the id: write `-> Uuid`, or `-> String`",
        );
    }
}

/// Each of its parameters is one of every creating method's.
pub(super) fn check_parameters(aggregate: &mut Aggregate, errors: &mut Errors) {
    let Aggregate {
        id: Some(id),
        items,
        ..
    } = aggregate
    else {
        return;
    };
    for item in items {
        match item {
            Item::Event(event) if event.kind == EventKind::Creating && !event.broken => {
                let found = errors.count();
                check_parameters_of(event, id, errors);
                event.broken = errors.count() > found;
            }
            _ => {}
        }
    }
}

fn check_parameters_of(event: &Event, id: &IdFn, errors: &mut Errors) {
    let is_given = |param: &Param| event.fields.iter().any(|field| field.ident == param.ident);
    for param in id.params.iter().filter(|param| !is_given(param)) {
        let (name, creates) = (param.key(), method_name(&event.method));
        let message = match name.as_str() {
            "timestamp" => {
                "the id cannot depend on the event's time: remove `timestamp`".to_owned()
            }
            _ => format!("`{creates}` has no parameter `{name}`: add it there, or remove it here"),
        };
        errors.on(&param.ident, message);
    }
}
