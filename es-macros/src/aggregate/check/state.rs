//! The rules of the struct half.

use syn::{Attribute, Data, Field};

use super::super::parse::StateHalf;
use crate::alone;
use crate::errors::Errors;

/// Whether the struct half can be expanded.
///
/// An attribute that has no meaning here is reported and taken away, and does not keep the rest from being expanded.
pub(in crate::aggregate) fn check(half: &mut StateHalf, errors: &mut Errors) -> bool {
    alone::check("aggregate", &mut half.item.attrs, errors);
    check_no_markers(half, errors);
    let found = errors.count();
    check_is_no_union(half, errors);
    check_is_not_generic(half, errors);
    errors.count() == found
}

/// The attributes of methods do not stand on fields and variants.
fn check_no_markers(half: &mut StateHalf, errors: &mut Errors) {
    let mut check = |attrs: &mut Vec<Attribute>| {
        for attr in attrs.extract_if(.., |attr| {
            attr.path().is_ident("id") || attr.path().is_ident("event")
        }) {
            let message = match attr.path().is_ident("id") {
                true => {
                    "`#[id]` is for the function in the impl block that computes the identity, which is no field: remove it \
                     here; `id()` answers it"
                }
                false => "`#[event(..)]` is for a method in the impl block: remove it here",
            };
            errors.on(attr, message);
        }
    };
    let mut check_fields = |fields: &mut syn::Fields| {
        fields
            .iter_mut()
            .for_each(|field: &mut Field| check(&mut field.attrs));
    };
    match &mut half.item.data {
        Data::Struct(data) => check_fields(&mut data.fields),
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .for_each(|variant| check_fields(&mut variant.fields)),
        Data::Union(_) => {}
    }
}

/// A union has no fields that could be shown.
fn check_is_no_union(half: &StateHalf, errors: &mut Errors) {
    if let Data::Union(union) = &half.item.data {
        errors.on(
            union.union_token,
            "an aggregate is a struct or an enum, not a union",
        );
    }
}

/// One stored name stands for one type.
fn check_is_not_generic(half: &StateHalf, errors: &mut Errors) {
    let generics = &half.item.generics;
    if !generics.params.is_empty() {
        let message = "an aggregate cannot have type parameters or lifetimes, because its stored name stands for one \
                       type: write one aggregate for each case";
        errors.on(&generics.params, message);
    } else if let Some(clause) = &generics.where_clause {
        errors.on(
            clause,
            "remove the `where` clause: an aggregate has no type parameters",
        );
    }
}
