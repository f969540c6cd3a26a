//! ```text
//! pub enum DogEvent { Registered(DogRegistered), TrickAdded(DogTrickAdded) }
//! impl EventSet for DogEvent { .. }
//! ```
//! with Clone, Debug and PartialEq where the payloads have them.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{compare, versions};
use crate::aggregate::model::Aggregate;
use crate::event::Event;
use crate::syntax::spans;

pub(super) fn expand(aggregate: &Aggregate) -> TokenStream {
    let parts = Parts::of(aggregate);
    let definition = parts.definition(aggregate);
    let event_set = parts.event_set(aggregate);
    let clone = parts.clone(aggregate);
    let debug = parts.debug(aggregate);
    let partial_eq = parts.partial_eq(aggregate);
    quote!(#definition #event_set #clone #debug #partial_eq)
}

/// The names that all the impls are made of.
struct Parts<'a> {
    name: Ident,
    events: Vec<&'a Event>,
    variants: Vec<&'a Ident>,
    payloads: Vec<Ident>,
}

impl<'a> Parts<'a> {
    fn of(aggregate: &'a Aggregate) -> Self {
        let events: Vec<&Event> = aggregate.events().collect();
        Self {
            name: aggregate.event_enum(),
            variants: events.iter().map(|event| &event.name).collect(),
            payloads: events
                .iter()
                .map(|event| aggregate.payload(event))
                .collect(),
            events,
        }
    }

    fn definition(&self, aggregate: &Aggregate) -> TokenStream {
        let vis = &aggregate.vis;
        let name = &self.name;
        let doc = format!(
            " All events of {}, one for each of its `#[event(..)]` methods.",
            aggregate.link("")
        );
        let variants = self
            .events
            .iter()
            .zip(&self.payloads)
            .map(|(event, payload)| {
                let doc = format!(" {} was called.", aggregate.link_to_method(event));
                let variant = &event.name;
                quote!(#[doc = #doc] #variant(#payload))
            });
        let head = spans::all_at(name.span(), quote!(#vis enum #name));
        let body = spans::braces(name.span(), quote!(#(#variants),*));
        quote! {
            #[doc = #doc]
            #[allow(unreachable_pub)]
            #head #body
        }
    }

    fn event_set(&self, aggregate: &Aggregate) -> TokenStream {
        let krate = &aggregate.krate;
        let private = krate.private();
        let Self { name, payloads, .. } = self;
        let topic = self.topic(aggregate);
        let encode = self.encode(aggregate);
        let decode = self.decode(aggregate);
        let versions = versions::of_event_enum(aggregate);
        let changed = compare::event_enum(aggregate, &self.variants);
        quote! {
            impl #private::EventSet for #name {
                const TOPICS: &'static [&'static #private::str] =
                    &[#(<#payloads as #private::EventPayload>::TOPIC),*];
                #topic
                #encode
                #decode
                #changed
                #versions
            }
        }
    }

    fn topic(&self, aggregate: &Aggregate) -> TokenStream {
        let krate = &aggregate.krate;
        let private = krate.private();
        let Self {
            variants, payloads, ..
        } = self;
        let on_self = self.on_self();
        quote! {
            fn topic(&self) -> &'static #private::str {
                match #on_self {
                    #(Self::#variants(_) => <#payloads as #private::EventPayload>::TOPIC,)*
                }
            }
        }
    }

    fn encode(&self, aggregate: &Aggregate) -> TokenStream {
        let krate = &aggregate.krate;
        let private = krate.private();
        let Self { variants, .. } = self;
        let on_self = self.on_self();
        let fields = if variants.is_empty() {
            quote!(_)
        } else {
            quote!(fields)
        };
        quote! {
            fn encode<W: #private::FieldWriter>(
                &self,
                #fields: &mut W,
            ) -> #private::Result<(), #krate::FieldError> {
                match #on_self {
                    #(Self::#variants(event) => #private::EventPayload::encode(event, fields),)*
                }
            }
        }
    }

    fn decode(&self, aggregate: &Aggregate) -> TokenStream {
        let krate = &aggregate.krate;
        let private = krate.private();
        let Self {
            variants, payloads, ..
        } = self;
        let fields = if variants.is_empty() {
            quote!(_)
        } else {
            quote!(fields)
        };
        quote! {
            fn decode<R: #private::FieldReader>(
                topic: &#private::str,
                #fields: &mut R,
            ) -> #private::Option<#private::Result<Self, #krate::FieldError>> {
                match topic {
                    #(<#payloads as #private::EventPayload>::TOPIC => {
                        let event = <#payloads as #private::EventPayload>::decode(fields);
                        #private::Option::Some(#private::Result::map(event, Self::#variants))
                    })*
                    _ => #private::Option::None,
                }
            }
        }
    }

    fn clone(&self, aggregate: &Aggregate) -> TokenStream {
        let private = aggregate.krate.private();
        let Self { name, variants, .. } = self;
        let on_self = self.on_self();
        let bounds = self.bounds(&quote!(#private::Clone));
        quote! {
            impl #private::Clone for #name #bounds {
                fn clone(&self) -> Self {
                    match #on_self {
                        #(Self::#variants(event) => Self::#variants(#private::Clone::clone(event)),)*
                    }
                }
            }
        }
    }

    fn debug(&self, aggregate: &Aggregate) -> TokenStream {
        let private = aggregate.krate.private();
        let Self { name, variants, .. } = self;
        let on_self = self.on_self();
        let bounds = self.bounds(&quote!(#private::Debug));
        let f = if variants.is_empty() {
            quote!(_)
        } else {
            quote!(f)
        };
        quote! {
            impl #private::Debug for #name #bounds {
                fn fmt(&self, #f: &mut #private::Formatter<'_>) -> #private::FmtResult {
                    match #on_self {
                        #(Self::#variants(event) => #private::Debug::fmt(event, f),)*
                    }
                }
            }
        }
    }

    fn partial_eq(&self, aggregate: &Aggregate) -> TokenStream {
        let private = aggregate.krate.private();
        let Self { name, variants, .. } = self;
        let bounds = self.bounds(&quote!(#private::PartialEq));
        let otherwise = (variants.len() != 1).then(|| quote!(_ => false,));
        quote! {
            impl #private::PartialEq for #name #bounds {
                fn eq(&self, other: &Self) -> #private::bool {
                    match (self, other) {
                        #((Self::#variants(a), Self::#variants(b)) => #private::PartialEq::eq(a, b),)*
                        #otherwise
                    }
                }
            }
        }
    }

    /// The value to match on: a reference to an enum without variants needs an arm, the enum itself
    /// needs none.
    fn on_self(&self) -> TokenStream {
        if self.variants.is_empty() {
            quote!(*self)
        } else {
            quote!(self)
        }
    }

    fn bounds(&self, bound: &TokenStream) -> TokenStream {
        super::where_all(self.payloads.iter().map(|payload| quote!(#payload)), bound)
    }
}
