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

/// Returns `TrickAdded` if `event` is `DogTrickAdded`: the aggregate's name stands in front of
/// generated names already. Whoever means it writes `r#DogTrickAdded`.
pub(crate) fn without_aggregate(event: &Ident, aggregate: &Ident) -> Option<String> {
    let written = event.to_string();
    let rest = written.strip_prefix(&plain(aggregate))?;
    rest.starts_with(char::is_uppercase)
        .then(|| rest.to_owned())
}
