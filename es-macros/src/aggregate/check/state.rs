//! The rules of the struct half.

use syn::{Attribute, Data, Fields};

use crate::aggregate::parse::StateHalf;
use crate::syntax::errors::Errors;
use crate::syntax::exclusive;

/// Returns true if the struct half can be expanded.
///
/// An attribute without a meaning here is reported and taken away, and does not keep the rest from
/// being expanded.
pub(in crate::aggregate) fn check(half: &mut StateHalf, errors: &mut Errors) -> bool {
    exclusive::check("aggregate", &mut half.item.attrs, errors);
    check_no_markers(half, errors);
    let found = errors.count();
    check_is_no_union(half, errors);
    check_is_not_generic(half, errors);
    errors.count() == found
}

/// Rule: the attributes of methods do not stand on fields.
fn check_no_markers(half: &mut StateHalf, errors: &mut Errors) {
    let mut check_fields = |fields: &mut Fields| {
        for field in fields.iter_mut() {
            for marker in field.attrs.extract_if(.., |attr| is_marker(attr)) {
                let message = if marker.path().is_ident("id") {
                    "`#[id]` is for the function in the impl block that computes the identity, \
                     which is no field: remove it here; `id()` answers it"
                } else {
                    "`#[event(..)]` is for a method in the impl block: remove it here"
                };
                errors.on(marker, message);
            }
        }
    };
    match &mut half.item.data {
        Data::Struct(data) => check_fields(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                check_fields(&mut variant.fields);
            }
        }
        Data::Union(_) => {}
    }
}

fn is_marker(attr: &Attribute) -> bool {
    attr.path().is_ident("id") || attr.path().is_ident("event")
}

/// Rule: an aggregate is no union, whose fields cannot be read safely.
fn check_is_no_union(half: &StateHalf, errors: &mut Errors) {
    if let Data::Union(union) = &half.item.data {
        errors.on(
            union.union_token,
            "an aggregate is a struct or an enum, not a union",
        );
    }
}

/// Rule: one stored name stands for one type.
fn check_is_not_generic(half: &StateHalf, errors: &mut Errors) {
    let generics = &half.item.generics;
    if !generics.params.is_empty() {
        let message = "an aggregate cannot have type parameters or lifetimes, because its stored \
                       name stands for one type: write one aggregate for each case";
        errors.on(&generics.params, message);
    } else if let Some(clause) = &generics.where_clause {
        errors.on(
            clause,
            "remove the `where` clause: an aggregate has no type parameters",
        );
    }
}
