//! The rules of an application's struct.

use syn::Fields;

use super::parse::Application;
use crate::syntax::errors::Errors;

pub(super) fn application(application: &Application, errors: &mut Errors) {
    check_fields_have_names(application, errors);
    check_is_not_generic(application, errors);
    check_name(application, errors);
}

/// Rule: fields have names. `new` takes them by name, and one more is the library's.
fn check_fields_have_names(application: &Application, errors: &mut Errors) {
    let item = &application.item;
    if let Fields::Unnamed(fields) = &item.fields {
        let message = format!(
            "the fields of an application have names: write `struct {} {{ mailer: Mailer }}`",
            item.ident
        );
        errors.on(fields, message);
    }
}

/// Rule: one stored name stands for one type.
fn check_is_not_generic(application: &Application, errors: &mut Errors) {
    let generics = &application.item.generics;
    if !generics.params.is_empty() {
        let message = "an application cannot have type parameters or lifetimes, because its stored \
                       name stands for one type: remove them";
        errors.on(&generics.params, message);
    }
}

/// Rule: a stored name can be part of the names of tables and of keys of the environment.
fn check_name(application: &Application, errors: &mut Errors) {
    let Some(name) = &application.name else {
        return;
    };
    if name
        .value()
        .contains(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    {
        let message = "tables and keys of the environment are named after the application: use \
                       letters, digits and `_`";
        errors.on(name, message);
    }
}
