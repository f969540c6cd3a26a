//! The names of generated items. They are public API: users write them.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

/// Makes `DogState`.
pub(crate) fn state(aggregate: &Ident) -> Ident {
    format_ident!("{}State", aggregate)
}

/// Makes `DogEvent`.
pub(crate) fn event_enum(aggregate: &Ident) -> Ident {
    format_ident!("{}Event", aggregate)
}

/// Makes `DogTrickAdded`. It has the span of the event's name, where a clash of names is best
/// shown.
pub(crate) fn payload(aggregate: &Ident, event: &Ident) -> Ident {
    format_ident!("{}{}", aggregate, event, span = event.span())
}

/// The name as text, without `r#`: so it is stored, and so messages show it.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
