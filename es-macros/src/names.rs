//! The names of generated items. They are public API: users write them.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

/// `DogState`.
pub(crate) fn state(aggregate: &Ident) -> Ident {
    format_ident!("{}State", aggregate)
}

/// `DogEvent`.
pub(crate) fn event_enum(aggregate: &Ident) -> Ident {
    format_ident!("{}Event", aggregate)
}

/// `DogTrickAdded`. It has the span of the event's name, where a clash of names is best shown.
pub(crate) fn payload(aggregate: &Ident, event: &Ident) -> Ident {
    format_ident!("{}{}", aggregate, event, span = event.span())
}

/// A name as text, without `r#`: how it is stored, and how messages show it.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
