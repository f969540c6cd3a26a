//! ```text
//! pub struct DogTrickAdded { pub trick: String }
//! impl EventPayload for DogTrickAdded { .. }
//! impl From<DogTrickAdded> for DogEvent { .. }
//! ```
//! with Clone, Debug and PartialEq where the fields have them: nothing is forced onto their types.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Member;
use syn::spanned::Spanned;

use super::{compare, declared, versions};
use crate::aggregate::model::Aggregate;
use crate::event::Event;
use crate::syntax::param::Param;
use crate::syntax::{names, spans};

pub(super) fn expand(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let definition = definition(aggregate, event);
    let payload_impl = payload_impl(aggregate, event);
    let from = from(aggregate, event);
    let clone = clone(aggregate, event);
    let debug = debug(aggregate, event);
    let partial_eq = partial_eq(aggregate, event);
    quote!(#definition #payload_impl #from #clone #debug #partial_eq)
}

/// The event by itself, without its place in the enum of all.
pub(super) fn without_enum(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let definition = definition(aggregate, event);
    let payload_impl = payload_impl(aggregate, event);
    quote!(#definition #payload_impl)
}

fn definition(aggregate: &Aggregate, event: &Event) -> TokenStream {
    if let Some(declared) = &event.declared {
        return declared::definition(aggregate, event, declared);
    }
    let vis = &aggregate.vis;
    let payload = aggregate.payload(event);
    let doc = format!(
        " The event that {} makes by `#[event({})]`.",
        aggregate.link_to_method(event),
        event.name
    );
    let fields = event.fields.iter().map(|field| {
        let name = &field.ident;
        let ty = field.stored_type(&aggregate.krate);
        let doc = format!(" The parameter `{}` of the method.", field.key());
        quote!(#[doc = #doc] #vis #name: #ty)
    });
    let place = event.name.span();
    let head = spans::all_at(place, quote!(#vis struct #payload));
    let body = if event.fields.is_empty() {
        spans::all_at(place, quote!(;))
    } else {
        spans::braces(place, quote!(#(#fields),*))
    };
    quote! {
        #[doc = #doc]
        #[allow(unreachable_pub)]
        #head #body
    }
}

fn payload_impl(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let krate = &aggregate.krate;
    let private = krate.private();
    let self_ty = &aggregate.self_ty;
    let payload = aggregate.payload(event);
    let of_aggregate = spans::all_at(
        aggregate.name.span(),
        quote!(<#self_ty as #private::HasState>::TOPIC),
    );
    let name = names::plain(&event.name);
    let encode = encode(aggregate, event);
    let decode = decode(aggregate, event);
    let versions = versions::of_payload(aggregate, event);
    let fields = fields_argument(event);
    let changed = compare::payload(aggregate, event);
    quote! {
        impl #private::EventPayload for #payload {
            const TOPIC: &'static #private::str = #private::event_topic!(#of_aggregate, #name);

            fn encode<W: #private::FieldWriter>(
                &self,
                #fields: &mut W,
            ) -> #private::Result<(), #krate::FieldError> {
                #encode
            }

            fn decode<R: #private::FieldReader>(
                #fields: &mut R,
            ) -> #private::Result<Self, #krate::FieldError> {
                #decode
            }

            #changed
            #versions
        }
    }
}

/// The parameter of `encode` and `decode`, which is unused where there is no field.
fn fields_argument(event: &Event) -> TokenStream {
    if event.fields.is_empty() && event.declared.is_none() {
        quote!(_)
    } else {
        quote!(fields)
    }
}

/// The body of `encode`. A type that cannot be stored is one error, at the type: both directions
/// ask for it in the same words, and rustc reports equal errors once.
fn encode(aggregate: &Aggregate, event: &Event) -> TokenStream {
    if let Some(declared) = &event.declared {
        return declared::encode(aggregate, declared);
    }
    let private = aggregate.krate.private();
    let puts = event.fields.iter().map(|field| {
        let name = &field.ident;
        let key = field.key();
        let stored = stored(aggregate, field);
        quote!(#stored::put(&self.#name, #key, fields)?;)
    });
    quote! {
        #(#puts)*
        #private::Result::Ok(())
    }
}

fn decode(aggregate: &Aggregate, event: &Event) -> TokenStream {
    if let Some(declared) = &event.declared {
        return declared::decode(aggregate, declared);
    }
    let private = aggregate.krate.private();
    let takes = event.fields.iter().map(|field| {
        let name = &field.ident;
        let key = field.key();
        let stored = stored(aggregate, field);
        quote!(#name: #stored::take(#key, fields)?)
    });
    quote!(#private::Result::Ok(Self { #(#takes),* }))
}

/// `<String as Stored>`, at the type.
fn stored(aggregate: &Aggregate, field: &Param) -> TokenStream {
    let private = aggregate.krate.private();
    let ty = field.stored_type(&aggregate.krate);
    spans::all_at(field.ty.span(), quote!(<#ty as #private::Stored>))
}

fn from(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let event_enum = aggregate.event_enum();
    let payload = aggregate.payload(event);
    let name = &event.name;
    quote! {
        impl #private::From<#payload> for #event_enum {
            fn from(event: #payload) -> Self {
                Self::#name(event)
            }
        }
    }
}

fn clone(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let bounds = bounds(aggregate, event, &quote!(#private::Clone));
    let fields = members(event)
        .into_iter()
        .map(|name| quote!(#name: #private::Clone::clone(&self.#name)));
    quote! {
        impl #private::Clone for #payload #bounds {
            fn clone(&self) -> Self {
                Self { #(#fields),* }
            }
        }
    }
}

fn debug(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let name = names::plain(&payload);
    let bounds = bounds(aggregate, event, &quote!(#private::Debug));
    let fields = event.fields.iter().map(|field| {
        let name = &field.ident;
        let key = field.key();
        quote!((#key, &self.#name))
    });
    let shown = match event.declared {
        Some(_) => quote!(#private::Debug::fmt(&self.0, f)),
        None => quote!(#private::debug_struct(f, #name, &[#(#fields),*])),
    };
    quote! {
        impl #private::Debug for #payload #bounds {
            fn fmt(&self, f: &mut #private::Formatter<'_>) -> #private::FmtResult {
                #shown
            }
        }
    }
}

fn partial_eq(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let payload = aggregate.payload(event);
    let bounds = bounds(aggregate, event, &quote!(#private::PartialEq));
    let names = members(event);
    let (other, equal) = if names.is_empty() {
        (quote!(_), quote!(true))
    } else {
        let equal = quote!(#(#private::PartialEq::eq(&self.#names, &other.#names))&&*);
        (quote!(other), equal)
    };
    quote! {
        impl #private::PartialEq for #payload #bounds {
            fn eq(&self, #other: &Self) -> #private::bool {
                #equal
            }
        }
    }
}

/// `where for<'a> String: Clone`.
fn bounds(aggregate: &Aggregate, event: &Event, bound: &TokenStream) -> TokenStream {
    if let Some(declared) = &event.declared {
        return super::where_all([quote!(#declared)].into_iter(), bound);
    }
    let types = event
        .fields
        .iter()
        .map(|field| field.stored_type(&aggregate.krate));
    super::where_all(types, bound)
}

/// The names of the struct's fields, or `0` where it is a tuple struct around the user's.
fn members(event: &Event) -> Vec<Member> {
    match event.declared {
        Some(_) => vec![Member::from(0)],
        None => event
            .fields
            .iter()
            .map(|field| field.ident.clone().into())
            .collect(),
    }
}
