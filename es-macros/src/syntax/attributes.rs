//! The attributes that a user wrote on an item.

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token};

/// The last segment of the attribute's path: `event` of `#[es_system::event(Registered)]`.
pub(crate) fn last_segment(attr: &Attribute) -> Option<&Ident> {
    attr.path().segments.last().map(|segment| &segment.ident)
}

/// Returns true if the attribute is called `name`, by whatever path.
pub(crate) fn is_called(attr: &Attribute, name: &str) -> bool {
    last_segment(attr).is_some_and(|last| last == name)
}

/// Returns true if `name` is derived in one of the attributes, by whatever path.
pub(crate) fn derives(attrs: &[Attribute], name: &str) -> bool {
    let paths = Punctuated::<Path, Token![,]>::parse_terminated;
    let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    derives
        .filter_map(|attr| attr.parse_args_with(paths).ok())
        .flatten()
        .any(|path| path.segments.last().is_some_and(|last| last.ident == name))
}

/// The conditions under which an item exists.
pub(crate) fn cfgs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
}
