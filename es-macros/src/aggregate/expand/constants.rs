//! ```text
//! impl Dog { pub const TrickAdded: EventKind<Dog, DogTrickAdded> = ..; }
//! ```
//! By them policies name an event. They have the span of the event's name, so that an editor finds
//! it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::aggregate::model::Aggregate;
use crate::syntax::spans;

pub(super) fn expand(aggregate: &Aggregate) -> TokenStream {
    let Aggregate {
        krate,
        vis,
        self_ty,
        ..
    } = aggregate;
    let private = krate.private();
    let constants = aggregate.events().map(|event| {
        let name = &event.name;
        let payload = aggregate.payload(event);
        let doc = format!(
            " Names the event that {} makes, as in `#[policy({}::{name})]`.",
            aggregate.link_to_method(event),
            aggregate.name,
        );
        let head = spans::all_at(name.span(), quote!(#vis const #name));
        quote! {
            #[doc = #doc]
            #head: #private::EventKind<#self_ty, #payload> = #private::EventKind::__new();
        }
    });
    quote! {
        #[allow(non_upper_case_globals, dead_code, unreachable_pub)]
        impl #self_ty {
            #(#constants)*
        }
    }
}
