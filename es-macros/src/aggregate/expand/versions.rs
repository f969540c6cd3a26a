//! ```text
//! const VERSION: u64 = 2;
//! fn upcast(from: u64, state: &mut S) -> Result<(), FieldError> {
//!     match from { 1 => add_level(state), .. }
//! }
//! ```
//! of a payload and of a state, and of the enum of events, which passes on to its payloads. Where
//! all is in the first version, nothing comes out. The names of parameters are our own
//! (`mixed_site`), since an upcaster may be called `state`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::aggregate::model::Aggregate;
use crate::aggregate::parse::StateHalf;
use crate::event::Event;
use crate::syntax::{names, spans};

/// The version of a payload.
pub(super) fn of_payload(aggregate: &Aggregate, event: &Event) -> Option<TokenStream> {
    if !event.versions.is_versioned() {
        return None;
    }
    let krate = &aggregate.krate;
    let private = krate.private();
    let current = event.versions.current();
    let self_ty = aggregate.self_ty.to_token_stream();
    let body = event.versions.upcast_body(krate, &self_ty);
    Some(quote_spanned! {Span::mixed_site()=>
        const VERSION: #private::u64 = #current;

        fn upcast<S: #private::StoredState>(
            from: #private::u64,
            state: &mut S,
        ) -> #private::Result<(), #krate::FieldError> {
            #body
        }
    })
}

/// The versions of all payloads.
pub(super) fn of_event_enum(aggregate: &Aggregate) -> Option<TokenStream> {
    let krate = &aggregate.krate;
    let private = krate.private();
    let versioned = aggregate
        .events()
        .filter(|event| event.versions.is_versioned());
    let payloads: Vec<_> = versioned
        .map(|event| {
            let payload = aggregate.payload(event);
            quote!(<#payload as #private::EventPayload>)
        })
        .collect();
    if payloads.is_empty() {
        return None;
    }
    Some(quote_spanned! {Span::mixed_site()=>
        fn version(topic: &#private::str) -> #private::u64 {
            match topic {
                #(#payloads::TOPIC => #payloads::VERSION,)*
                _ => 1,
            }
        }

        fn upcast<S: #private::StoredState>(
            topic: &#private::str,
            from: #private::u64,
            state: &mut S,
        ) -> #private::Result<(), #krate::FieldError> {
            match topic {
                #(#payloads::TOPIC => #payloads::upcast(from, state),)*
                _ => #private::Result::Ok(()),
            }
        }
    })
}

/// The version of a state, and a check that the state can be stored. rustc shows its failure at the
/// option.
pub(super) fn of_state(half: &StateHalf) -> Option<TokenStream> {
    let key = half.versions.key()?;
    let krate = &half.krate;
    let private = krate.private();
    let state = names::state(&half.item.ident);
    let check = quote!(#private::assert_takes_snapshots::<#state>());
    let check = spans::all_at(key.span(), check);
    let current = half.versions.current();
    let body = half
        .versions
        .upcast_body(krate, &half.item.ident.to_token_stream());
    Some(quote_spanned! {Span::mixed_site()=>
        const __VERSION: #private::u64 = {
            #check;
            #current
        };
        fn __upcast<S: #private::StoredState>(
            from: #private::u64,
            state: &mut S,
        ) -> #private::Result<(), #private::FieldError> {
            #body
        }
    })
}
