//! A block that has no event to begin with, which is reported: its methods, its events one by one,
//! and an `Aggregate` without any. The enum of all is left out: the block may be the second of its
//! aggregate, whose first has made it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{command, constants, payload};
use crate::aggregate::model::Aggregate;
use crate::syntax::spans;

pub(super) fn expand(aggregate: &Aggregate) -> TokenStream {
    let methods = command::expand(aggregate);
    let constants = constants::expand(aggregate);
    let payloads = aggregate
        .events()
        .map(|event| payload::without_enum(aggregate, event));
    let joined = without_events(aggregate);
    quote!(#methods #constants #(#payloads)* #joined)
}

/// The impl that keeps rustc from reporting the struct half and the uses of the aggregate, too.
fn without_events(aggregate: &Aggregate) -> TokenStream {
    let krate = &aggregate.krate;
    let private = krate.private();
    let keyword = &aggregate.impl_token;
    let self_ty = &aggregate.self_ty;
    let state = aggregate.state();
    let no_events = quote!(#private::NoEventSet);
    let body = quote! {
        type Event = #no_events;
        fn __create(event: &#no_events, _: #krate::Timestamp) -> #private::Option<#state> {
            match *event {}
        }
        fn __apply(_: &mut #state, event: &#no_events, _: #krate::Timestamp) -> #private::bool {
            match *event {}
        }
    };
    let name = aggregate.name.span();
    let of = spans::all_at(name, quote!(#krate::Aggregate for));
    let body = spans::braces(name, body);
    quote!(#keyword #of #self_ty #body)
}
