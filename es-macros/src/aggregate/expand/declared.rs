//! ```text
//! pub struct TruckMoved(pub Moved);
//! impl Deref for TruckMoved { type Target = Moved; .. }
//! impl From<Moved> for TruckMoved { .. }
//! ```
//! for an event whose fields the user has declared as a struct: `#[event(Moved, payload = Moved)]`.
//! It is a type of its own, since one struct may serve several events, and each of them has a
//! stored name.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

use crate::aggregate::model::Aggregate;
use crate::event::Event;
use crate::syntax::param::{Param, Passing};
use crate::syntax::spans;

pub(super) fn definition(aggregate: &Aggregate, event: &Event, declared: &Path) -> TokenStream {
    let vis = &aggregate.vis;
    let payload = aggregate.payload(event);
    let doc = format!(
        " The event that {} makes by `#[event({}, ..)]`, with the fields of `{}`.",
        aggregate.link_to_method(event),
        event.name,
        declared.to_token_stream().to_string().replace(' ', ""),
    );
    let head = spans::all_at(event.name.span(), quote!(#vis struct #payload));
    // rustc shows a struct that is less visible than the event where it is named.
    let field = spans::covering(declared, quote!(#vis #declared));
    let deref = deref(aggregate, event, declared);
    quote! {
        #[doc = #doc]
        #[allow(unreachable_pub)]
        #head(
            /// The parameters of the method.
            #field
        );
        #deref
    }
}

fn deref(aggregate: &Aggregate, event: &Event, declared: &Path) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let target = spans::covering(declared, quote!(type Target = #declared;));
    quote! {
        impl #private::Deref for #payload {
            #target
            fn deref(&self) -> &#declared {
                &self.0
            }
        }
        impl #private::From<#declared> for #payload {
            fn from(fields: #declared) -> Self {
                Self(fields)
            }
        }
    }
}

/// `TruckMoved(Moved { to: to.to_owned() })`. rustc shows a field that the struct does not have, or
/// has with another type, at the parameter.
pub(super) fn made(aggregate: &Aggregate, event: &Event, declared: &Path) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let fields = event.fields.iter().map(|Param { ident, passing, .. }| {
        let owned = match passing {
            Passing::Owned => return quote!(#ident),
            Passing::Borrowed(_) => quote!(#private::ToOwned::to_owned(#ident)),
            Passing::OptionBorrowed(_) => {
                quote!(#private::Option::map(#ident, #private::ToOwned::to_owned))
            }
        };
        let owned = spans::all_at(ident.span(), owned);
        quote!(#ident: #owned)
    });
    quote!(#payload(#declared { #(#fields),* }))
}

/// The struct is stored as its own serde impls do it.
pub(super) fn encode(aggregate: &Aggregate, declared: &Path) -> TokenStream {
    let stored = stored(aggregate, declared);
    quote!(#stored::put_all(&self.0, fields))
}

pub(super) fn decode(aggregate: &Aggregate, declared: &Path) -> TokenStream {
    let private = aggregate.krate.private();
    let stored = stored(aggregate, declared);
    quote!(#private::Result::map(#stored::take_all(fields), Self))
}

/// `<Moved as Stored>`, at the type.
fn stored(aggregate: &Aggregate, declared: &Path) -> TokenStream {
    let private = aggregate.krate.private();
    spans::covering(declared, quote!(<#declared as #private::Stored>))
}
