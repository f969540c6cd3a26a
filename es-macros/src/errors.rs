//! All mistakes at once: rules add what they find, and the entry function reports it beside the output.

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

    /// How many mistakes were found; a rule compares it to know whether another rule has spoken.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }
}

/// One `compile_error!` for each mistake.
impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.all.iter().map(syn::Error::to_compile_error));
    }
}
