//! The struct half of every kind of application: parse → check → expand.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::kind::Kind;
use crate::syntax::errors::Errors;
use crate::syntax::{exclusive, fallback};

/// Expands an attribute on a struct.
pub(crate) fn expand(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut application = match parse::application(kind, args, item.clone(), &mut errors) {
        Ok(application) => application,
        Err(error) => {
            errors.add(error);
            return fallback::item_and_errors(item, &errors);
        }
    };
    exclusive::check(kind.name(), &mut application.item.attrs, &mut errors);
    check::application(&application, &mut errors);
    let expanded = expand::application(&application);
    quote!(#expanded #errors)
}
