//! The rules of the struct half.

use syn::Data;

use super::super::parse::StateHalf;
use crate::errors::Errors;

/// Whether the struct half can be expanded.
pub(in crate::aggregate) fn check(half: &StateHalf, errors: &mut Errors) -> bool {
    let found = errors.count();
    check_is_no_union(half, errors);
    check_is_not_generic(half, errors);
    errors.count() == found
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
