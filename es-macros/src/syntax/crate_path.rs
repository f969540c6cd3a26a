//! The path under which the expansion reaches the library.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

/// `::es_system`, or the path that the option `crate` gives.
#[derive(Clone, Default)]
pub(crate) struct CratePath {
    written: Option<Path>,
}

impl CratePath {
    /// The path that a user wrote.
    pub(crate) fn written(path: Path) -> Self {
        Self {
            written: Some(path),
        }
    }

    /// The hidden module with everything that is not for users.
    pub(crate) fn private(&self) -> TokenStream {
        quote!(#self::__private)
    }
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.written {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::es_system)),
        }
    }
}
