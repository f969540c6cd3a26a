//! The names of an event's body that the aggregate has, and perhaps the state has too: a macro does
//! not see the methods of the state. Where it lacks one, rustc finds it here, and reports it with
//! the words of the bound:
//!
//! ```text
//! trait __ReadsRoot { fn id(&self) {} }
//! impl<S: ReadsRoot> __ReadsRoot for S {}
//! ```
//!
//! No type has the bound, so a method of the state, its own or a trait's, is always chosen.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::syntax::crate_path::CratePath;
use crate::syntax::names;

/// The reason why a body does not reach a name of the aggregate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is a method of the root, such as `id`.
    ReadsRoot,
    /// It is another event.
    MakesEvent,
    /// It is a method of the aggregate's block.
    CallsMethod,
}

impl Reason {
    const ALL: [Self; 3] = [Self::ReadsRoot, Self::MakesEvent, Self::CallsMethod];

    /// The bound in the hidden module.
    fn bound(self) -> Ident {
        let name = match self {
            Self::ReadsRoot => "ReadsRoot",
            Self::MakesEvent => "MakesEvent",
            Self::CallsMethod => "CallsMethod",
        };
        Ident::new(name, Span::mixed_site())
    }
}

/// The names that a body uses and that may be out of its reach.
#[derive(Default)]
pub(super) struct OutOfReach(Vec<(Reason, Ident)>);

impl OutOfReach {
    pub(super) fn add(&mut self, reason: Reason, name: &Ident) {
        let plain = names::plain(name);
        if self.0.iter().all(|(_, known)| names::plain(known) != plain) {
            self.0.push((reason, name.clone()));
        }
    }

    /// The traits that have the names.
    pub(super) fn expand(&self, krate: &CratePath) -> TokenStream {
        let traits = Reason::ALL.map(|reason| self.expand_reason(reason, krate));
        quote!(#(#traits)*)
    }

    fn expand_reason(&self, reason: Reason, krate: &CratePath) -> Option<TokenStream> {
        let mut names = self.0.iter().filter(|(of, _)| *of == reason).peekable();
        names.peek()?;
        let private = krate.private();
        let bound = reason.bound();
        let all = format_ident!("__{bound}");
        let names = names.map(|(_, name)| {
            let mut name = name.clone();
            name.set_span(Span::mixed_site().located_at(name.span()));
            name
        });
        Some(quote! {
            #[allow(dead_code, nonstandard_style, clippy::all, clippy::pedantic)]
            trait #all { #(fn #names(&self) {})* }
            impl<S: #private::#bound> #all for S {}
        })
    }
}
