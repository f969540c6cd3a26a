//! `#[id]` on a function of an aggregate's block, which computes the identity.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, FnArg, Meta, ReturnType, Type};

use crate::event::{Event, EventKind};
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::misplaced;
use crate::syntax::param::Param;

/// The `#[id]` function.
pub(crate) struct IdFn {
    pub(crate) name: Ident,
    /// The type that it returns, where an id of a wrong type is shown.
    pub(crate) returns: Type,
    pub(crate) params: Vec<Param>,
}

/// Expands the attribute where nothing reads it.
pub(crate) fn misplaced(_args: TokenStream, item: TokenStream) -> TokenStream {
    misplaced::report("id", "aggregate", item)
}

/// Reads the function into `id`, and reports its mistakes.
pub(crate) fn read(
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
        FnArg::Typed(param) => Param::read(param, "the `#[id]` function", errors),
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

/// Rule: it is an ordinary function from the parameters to an id.
fn check_signature(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(receiver) = sig.receiver() {
        let message = "the id is computed before there is a `self`: remove it, and take what the \
                       creating method takes";
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

/// Rule: each parameter of the function is one of every creating method's.
pub(crate) fn check_parameters(id: &IdFn, event: &mut Event, errors: &mut Errors) {
    if event.kind != EventKind::Creating || event.broken {
        return;
    }
    let found = errors.count();
    let is_given = |param: &Param| event.fields.iter().any(|field| field.ident == param.ident);
    for param in id.params.iter().filter(|param| !is_given(param)) {
        let (name, creates) = (param.key(), event.method.name());
        let message = match name.as_str() {
            "timestamp" => {
                "the id cannot depend on the event's time: remove `timestamp`".to_owned()
            }
            _ => format!("`{creates}` has no parameter `{name}`: add it there, or remove it here"),
        };
        errors.on(&param.ident, message);
    }
    event.broken = errors.count() > found;
}
