//! The rules of parameters: what can be stored, and given back to the body.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Pat, PatType, PathArguments, Type, TypeReference};

use super::super::model::{Param, Passing};
use crate::errors::Errors;

/// Names that the stored event uses itself.
const RESERVED: &[&str] = &[
    "originator_id",
    "originator_topic",
    "originator_version",
    "class_version",
    "metadata",
];

/// What the parameters of an event method are.
#[derive(Default)]
pub(super) struct Params {
    pub(super) fields: Vec<Param>,
    pub(super) timestamp: Option<Param>,
}

impl Params {
    /// Adds a parameter of an event method, or reports why it cannot be one.
    pub(super) fn add(&mut self, param: &PatType, errors: &mut Errors) {
        let found = errors.count();
        check_attributes(param, errors);
        check_type(&param.ty, errors);
        let Some(param) = simple(param, "an event method", errors) else {
            return;
        };
        let is_timestamp = param.ident == "timestamp" && ends_in(&param.ty, "Timestamp");
        if !is_timestamp {
            check_name(&param, errors);
        }
        if errors.count() > found {
            return;
        }
        match is_timestamp {
            true => self.timestamp = Some(param),
            false => self.fields.push(param),
        }
    }
}

/// A parameter is a name and a type: the name is the field's.
pub(super) fn simple(param: &PatType, whose: &str, errors: &mut Errors) -> Option<Param> {
    let simple = match &*param.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat,
        pattern => {
            let message = match pattern {
                Pat::Wild(_) => format!("a parameter of {whose} is known by its name: give it one"),
                _ => format!("a parameter of {whose} is a plain name: take it apart in the body"),
            };
            errors.on(pattern, message);
            return None;
        }
    };
    let ty = (*param.ty).clone();
    let passing = passing(&ty);
    Some(Param {
        mutability: simple.mutability,
        ident: simple.ident.clone(),
        ty,
        passing,
    })
}

fn passing(ty: &Type) -> Passing {
    match ty {
        Type::Reference(reference) => Passing::Borrowed((*reference.elem).clone()),
        Type::Paren(paren) => passing(&paren.elem),
        Type::Group(group) => passing(&group.elem),
        _ => match optional_reference(ty) {
            Some(reference) => Passing::OptionBorrowed((*reference.elem).clone()),
            None => Passing::Owned,
        },
    }
}

/// The `&T` in `Option<&T>`.
fn optional_reference(ty: &Type) -> Option<&TypeReference> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match args.args.first() {
        Some(GenericArgument::Type(Type::Reference(reference))) => Some(reference),
        _ => None,
    }
}

fn ends_in(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Nothing reads attributes on parameters.
fn check_attributes(param: &PatType, errors: &mut Errors) {
    for attr in &param.attrs {
        errors.on(
            attr,
            "a parameter of an event method has no attributes: remove it",
        );
    }
}

/// The stored event has keys of its own.
fn check_name(param: &Param, errors: &mut Errors) {
    let key = param.key();
    if key == "timestamp" {
        let message = "`timestamp` is the event's own time and has the type `Timestamp`: write that, or give the \
                       parameter another name";
        return errors.on(&param.ident, message);
    }
    if RESERVED.contains(&key.as_str()) {
        let message = format!(
            "`{key}` is what stored events call a key of their own: give the parameter another name"
        );
        errors.on(&param.ident, message);
    }
}

/// A parameter's type is one that can be owned: a reference stands at most at its front.
fn check_type(ty: &Type, errors: &mut Errors) {
    let inner = match ty {
        Type::Reference(reference) => {
            if check_reference(reference, errors) {
                return;
            }
            reference.elem.to_token_stream()
        }
        _ => match optional_reference(ty) {
            Some(reference) if check_reference(reference, errors) => return,
            Some(reference) => reference.elem.to_token_stream(),
            None => ty.to_token_stream(),
        },
    };
    if let Some((token, message)) = refused(inner) {
        errors.on(token, message);
    }
}

/// Whether the reference itself is wrong.
fn check_reference(reference: &TypeReference, errors: &mut Errors) -> bool {
    if let Some(mutability) = reference.mutability {
        let message = "an event keeps its parameters and cannot change the caller's: take it by value or by `&`";
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

/// The first token that makes a type one that cannot be owned, and why.
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
                "an event owns what it stores, so its parameters have no lifetimes: use an owned type, such as `String`"
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                "a reference inside a type cannot be stored: use the owned type, such as `String` for `&str`"
            }
            _ => continue,
        };
        return Some((token.into(), why));
    }
    None
}
