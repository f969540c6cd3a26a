//! What a user derives.

use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token};

/// Whether `name` is derived in one of the attributes, by whatever path.
pub(crate) fn derives(attrs: &[Attribute], name: &str) -> bool {
    let paths = Punctuated::<Path, Token![,]>::parse_terminated;
    let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    derives
        .filter_map(|attr| attr.parse_args_with(paths).ok())
        .flatten()
        .any(|path| path.segments.last().is_some_and(|last| last.ident == name))
}
