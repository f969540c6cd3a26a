//! All mistakes at once: each rule adds what it finds, and the entry of the attribute reports all
//! beside its output.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    all: Vec<syn::Error>,
}

impl Errors {
    /// Reports `message` on all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.all.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports `message` on one place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.all.push(syn::Error::new(span, message));
    }

    /// Reports an error of the parser.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.all.push(error);
    }

    /// The number of mistakes so far. A rule compares it to learn if another rule has found any.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }
}

/// Writes one `compile_error!` for each mistake.
impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.all.iter().map(syn::Error::to_compile_error));
    }
}
