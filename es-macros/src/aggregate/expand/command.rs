//! ```text
//! impl Dog {
//!     pub fn add_trick(&mut self, trick: &str) {
//!         trigger(self, DogTrickAdded { trick: trick.to_owned() })
//!     }
//! }
//! ```
//! The block as it was written, but for the bodies of its event methods, which make the event.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, Signature, Type};

use super::{declared, lints};
use crate::aggregate::model::{Aggregate, Item};
use crate::event::{Event, EventKind};
use crate::id::IdFn;
use crate::syntax::impl_block::Method;
use crate::syntax::param::{Param, Passing};
use crate::syntax::spans;

pub(super) fn expand(aggregate: &Aggregate) -> TokenStream {
    let Aggregate {
        attrs,
        impl_token,
        self_ty,
        brace,
        ..
    } = aggregate;
    let items = aggregate.items.iter().map(|item| match item {
        Item::Plain(tokens) => tokens.clone(),
        Item::Event(event) if !event.broken && aggregate.is_created => wrapper(aggregate, event),
        Item::Event(event) => stub(&event.method),
        Item::Broken(method) => stub(method),
    });
    let block = spans::braces(*brace, quote!(#(#items)*));
    quote!(#(#attrs)* #impl_token #self_ty #block)
}

fn wrapper(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let Method {
        attrs, vis, body, ..
    } = &event.method;
    let attrs = attrs.iter().map(lints::without_expect);
    let sig = signature(event);
    let must_use = must_use(event);
    let statements = match event.kind {
        EventKind::Creating => create(aggregate, event),
        EventKind::Mutating => trigger(aggregate, event),
    };
    let block = spans::braces(body.span(), statements);
    quote!(#(#attrs)* #must_use #vis #sig #block)
}

/// The method as callers see it: without the event's time, and without `mut`, which is the body's.
fn signature(event: &Event) -> Signature {
    let mut sig = event.method.sig.clone();
    let is_time = |pat: &Pat| match (&event.timestamp, pat) {
        (Some(time), Pat::Ident(pat)) => pat.ident == time.ident,
        _ => false,
    };
    let inputs = sig.inputs.into_iter().filter_map(|input| match input {
        FnArg::Typed(param) if is_time(&param.pat) => None,
        FnArg::Typed(mut param) => {
            if let Pat::Ident(pat) = &mut *param.pat {
                pat.mutability = None;
            }
            Some(FnArg::Typed(param))
        }
        receiver => Some(receiver),
    });
    sig.inputs = inputs.collect();
    sig
}

/// Warns of an aggregate that is made and dropped: it was never recorded.
fn must_use(event: &Event) -> Option<TokenStream> {
    let written = event
        .method
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("must_use"));
    (event.kind == EventKind::Creating && !written)
        .then(|| quote!(#[must_use = "a new aggregate is recorded when it is saved"]))
}

fn create(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = payload(aggregate, event);
    let id = match &aggregate.id {
        Some(id) => computed_id(aggregate, event, id),
        None => quote!(#private::fresh_id()),
    };
    quote!(#private::create(#id, #payload))
}

/// `Dog::create_id(name)`.
fn computed_id(aggregate: &Aggregate, event: &Event, id: &IdFn) -> TokenStream {
    let private = aggregate.krate.private();
    let IdFn { name, returns, .. } = id;
    let arguments = id.params.iter().filter_map(|param| {
        let given = event
            .fields
            .iter()
            .find(|field| field.ident == param.ident)?;
        Some(id_argument(&private, given, param))
    });
    let call = spans::all_at(returns.span(), quote!(Self::#name));
    let returned = match returns {
        Type::ImplTrait(_) => quote!(#private::ReturnsId::id),
        _ => quote!(<#returns as #private::ReturnsId>::id),
    };
    let id = spans::covering(returns, returned);
    quote!(#id(#call(#(#arguments),*)))
}

/// The creating method's parameter as the `#[id]` function takes it. rustc shows a wrong type at
/// the parameter.
fn id_argument(private: &TokenStream, given: &Param, taken: &Param) -> TokenStream {
    let ident = &given.ident;
    let argument = match (&given.passing, &taken.passing) {
        (Passing::Owned, Passing::Borrowed(_)) => quote!(&#ident),
        (Passing::Owned, _) => quote!(#private::Clone::clone(&#ident)),
        (Passing::Borrowed(_), Passing::Owned) => quote!(#private::ToOwned::to_owned(#ident)),
        _ => quote!(#ident),
    };
    spans::all_at(ident.span(), argument)
}

fn trigger(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = payload(aggregate, event);
    let self_ = event
        .method
        .sig
        .receiver()
        .map(|receiver| receiver.self_token);
    quote!(#private::trigger(#self_, #payload))
}

/// `DogTrickAdded { trick: trick.to_owned() }`.
fn payload(aggregate: &Aggregate, event: &Event) -> TokenStream {
    if let Some(declared) = &event.declared {
        return declared::made(aggregate, event, declared);
    }
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let fields = event.fields.iter().map(|field| {
        let ident = &field.ident;
        match field.passing {
            Passing::Owned => quote!(#ident),
            Passing::Borrowed(_) => quote!(#ident: #private::ToOwned::to_owned(#ident)),
            Passing::OptionBorrowed(_) => {
                quote!(#ident: #private::Option::map(#ident, #private::ToOwned::to_owned))
            }
        }
    });
    quote!(#payload { #(#fields),* })
}

/// A method with a mistake keeps its signature; rustc does not check its body again.
fn stub(method: &Method) -> TokenStream {
    let Method {
        attrs,
        vis,
        sig,
        body,
    } = method;
    let block = spans::braces(body.span(), quote!(loop {}));
    quote!(#(#attrs)* #[allow(unused, clippy::all)] #vis #sig #block)
}
