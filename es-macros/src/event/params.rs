//! The rules of an event's parameters: they are stored, and given back to the body.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, PatType, Type, TypeReference};

use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::param::{self, Param};

/// Names that the stored event uses itself.
const RESERVED: &[&str] = &[
    "originator_id",
    "originator_topic",
    "originator_version",
    "class_version",
    "metadata",
];

/// The parameters of an event method.
#[derive(Default)]
pub(super) struct Params {
    pub(super) fields: Vec<Param>,
    pub(super) timestamp: Option<Param>,
}

impl Params {
    /// Reads the parameters. One with a mistake is reported and left out. With `declared` they are
    /// the fields of a struct of the user's, whose names are given.
    pub(super) fn read(method: &Method, declared: bool, errors: &mut Errors) -> Self {
        let mut params = Self::default();
        if !method.sig.generics.params.is_empty() {
            return params;
        }
        for input in &method.sig.inputs {
            if let FnArg::Typed(param) = input {
                params.add(param, declared, errors);
            }
        }
        params
    }

    fn add(&mut self, param: &PatType, declared: bool, errors: &mut Errors) {
        let found = errors.count();
        check_attributes(param, errors);
        check_type(&param.ty, errors);
        let Some(param) = Param::read(param, "an event method", errors) else {
            return;
        };
        let is_timestamp = param.ident == "timestamp" && is_timestamp(&param.ty);
        if !is_timestamp {
            check_name(&param, errors);
            if !declared {
                check_underscore(&param, errors);
            }
        }
        if errors.count() > found {
            return;
        }
        if is_timestamp {
            self.timestamp = Some(param);
        } else {
            self.fields.push(param);
        }
    }
}

fn is_timestamp(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "Timestamp")
}

/// Rule: nothing reads attributes on parameters.
fn check_attributes(param: &PatType, errors: &mut Errors) {
    for attr in &param.attrs {
        errors.on(
            attr,
            "a parameter of an event method has no attributes: remove it",
        );
    }
}

/// Rule: the stored event has keys of its own.
fn check_name(param: &Param, errors: &mut Errors) {
    let key = param.key();
    if key == "timestamp" {
        let message = "`timestamp` is the event's own time and has the type `Timestamp`: write \
                       that, or give the parameter another name";
        return errors.on(&param.ident, message);
    }
    if RESERVED.contains(&key.as_str()) {
        let message = format!(
            "`{key}` is what stored events call a key of their own: give the parameter another name"
        );
        errors.on(&param.ident, message);
    }
}

/// Rule: an underscore in front, which says that the body does not use the parameter, is not
/// stored. It is not taken off either, because what is stored already has it.
fn check_underscore(param: &Param, errors: &mut Errors) {
    let key = param.key();
    let plain = key.trim_start_matches('_');
    if plain == key {
        return;
    }
    let name = if plain.is_empty() { "place" } else { plain };
    let message = format!(
        "a parameter is stored under its name, and `{key}` has an underscore: write `{name}`, which \
         the body need not use; if events are stored with `{key}`, let an upcaster rename it"
    );
    errors.on(&param.ident, message);
}

/// Rule: a parameter's type can be owned. A reference stands at most at its front.
fn check_type(ty: &Type, errors: &mut Errors) {
    let reference = match ty {
        Type::Reference(reference) => Some(reference),
        _ => param::optional_reference(ty),
    };
    let inner = match reference {
        Some(reference) if check_reference(reference, errors) => return,
        Some(reference) => reference.elem.to_token_stream(),
        None => ty.to_token_stream(),
    };
    if let Some((token, message)) = refused(inner) {
        errors.on(token, message);
    }
}

/// Returns true if the reference itself has a mistake, which is reported.
fn check_reference(reference: &TypeReference, errors: &mut Errors) -> bool {
    if let Some(mutability) = reference.mutability {
        let message = "an event keeps its parameters and cannot change the caller's: take it by \
                       value or by `&`";
        errors.on(mutability, message);
        return true;
    }
    if let Some(lifetime) = &reference.lifetime {
        errors.on(
            lifetime,
            "an event owns what it stores, so its parameters have no lifetimes: remove it",
        );
        return true;
    }
    if let Type::Reference(nested) = &*reference.elem {
        errors.on(
            nested,
            "a reference to a reference cannot be stored: take one `&`",
        );
        return true;
    }
    false
}

/// The first token by which a type cannot be owned, and the reason.
fn refused(ty: TokenStream) -> Option<(TokenStream, &'static str)> {
    for token in ty {
        let why = match &token {
            TokenTree::Group(group) => match refused(group.stream()) {
                Some(found) => return Some(found),
                None => continue,
            },
            TokenTree::Ident(ident) if ident == "impl" => {
                "an event stores one type: write it instead of `impl Trait`"
            }
            TokenTree::Ident(ident) if ident == "dyn" => {
                "an event stores one type, not any type that has a trait: write a struct or an enum"
            }
            TokenTree::Ident(ident) if ident == "Self" => {
                "an event cannot hold the aggregate: pass its id, or what is needed of its state"
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                "an event owns what it stores, so its parameters have no lifetimes: use an owned \
                 type, such as `String`"
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                "a reference inside a type cannot be stored: use the owned type, such as `String` \
                 for `&str`"
            }
            _ => continue,
        };
        return Some((token.into(), why));
    }
    None
}
