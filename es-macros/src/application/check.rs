//! What the struct of an application must be.

use syn::Fields;

use super::parse::Application;
use crate::errors::Errors;

pub(super) fn application(application: &Application, errors: &mut Errors) {
    check_has_no_fields(application, errors);
    check_is_not_generic(application, errors);
    check_name(application, errors);
}

/// Its one field is the library's.
fn check_has_no_fields(application: &Application, errors: &mut Errors) {
    let item = &application.item;
    let Some(first) = item.fields.iter().next() else {
        return;
    };
    let name = match (&first.ident, &item.fields) {
        (Some(name), _) => format!("`{name}`"),
        (None, Fields::Unnamed(_)) => "this one".to_owned(),
        (None, _) => "one".to_owned(),
    };
    let message = format!(
        "an application cannot have fields of its own yet, and this has {name}: write `struct {};`, and hand what the \
         commands need to them",
        item.ident
    );
    errors.on(first, message);
}

/// One stored name stands for one type.
fn check_is_not_generic(application: &Application, errors: &mut Errors) {
    let generics = &application.item.generics;
    if !generics.params.is_empty() {
        let message = "an application cannot have type parameters or lifetimes, because its stored name stands for one \
                       type: remove them";
        errors.on(&generics.params, message);
    }
}

/// Tables and keys of the environment are named after it.
fn check_name(application: &Application, errors: &mut Errors) {
    let Some(name) = &application.name else {
        return;
    };
    if name
        .value()
        .contains(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    {
        let message = "tables and keys of the environment are named after the application: use letters, digits and `_`";
        errors.on(name, message);
    }
}
