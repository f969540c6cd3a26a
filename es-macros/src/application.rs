//! `#[application]` on a struct.

use proc_macro2::TokenStream;

use crate::application_struct;
use crate::kind::Kind;

/// Expands the attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    application_struct::expand(Kind::Application, args, item)
}
