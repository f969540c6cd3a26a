//! ```text
//! fn __changed_field(&self, other: &Self) -> Option<&'static str> {
//!     changed("payload", same(self, other), &[("trick", same(&self.trick, &other.trick))])
//! }
//! ```
//! for tests, which read what they have stored and compare it. Values are compared, not types, so
//! that a type is not named again, and a type without `PartialEq` is passed over.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, Field, Fields, Index};

use crate::aggregate::model::Aggregate;
use crate::aggregate::parse::StateHalf;
use crate::event::Event;
use crate::syntax::names;

/// The comparison of one kind of event.
pub(super) fn payload(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let fields = event.fields.iter().filter(|_| event.declared.is_none());
    let fields: Vec<_> = fields
        .map(|field| {
            let name = &field.ident;
            let key = field.key();
            let same = same(&private, quote!(&self.#name), quote!(&other.#name));
            quote!((#key, #same))
        })
        .collect();
    // An event without fields cannot change.
    if fields.is_empty() && event.declared.is_none() {
        return TokenStream::new();
    }
    let whole = same(&private, quote!(self), quote!(other));
    let result = result(&private);
    quote! {
        fn __changed_field(&self, other: &Self) -> #result {
            #[allow(unused_imports)]
            use #private::CannotCompare as _;
            #private::changed("payload", #whole, &[#(#fields),*])
        }
    }
}

/// The comparison of two events of an aggregate.
pub(super) fn event_enum(aggregate: &Aggregate, variants: &[&Ident]) -> TokenStream {
    let private = aggregate.krate.private();
    let result = result(&private);
    let otherwise = (variants.len() != 1).then(|| quote!(_ => #private::Option::None,));
    quote! {
        fn __changed_field(&self, other: &Self) -> #result {
            match (self, other) {
                #((Self::#variants(a), Self::#variants(b)) => {
                    #private::EventPayload::__changed_field(a, b)
                })*
                #otherwise
            }
        }
    }
}

/// The comparison of two states: field by field, or as a whole where it is an enum.
pub(super) fn state(half: &StateHalf) -> TokenStream {
    let private = half.krate.private();
    let state = names::state(&half.item.ident);
    let fields = match &half.item.data {
        Data::Struct(data) => stored_fields(&private, &data.fields),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    };
    // A struct without stored fields cannot change.
    if fields.is_empty() && matches!(half.item.data, Data::Struct(_)) {
        return TokenStream::new();
    }
    let whole = same(&private, quote!(one), quote!(other));
    let result = result(&private);
    quote! {
        #[allow(deprecated)]
        fn __changed_field(one: &#state, other: &#state) -> #result {
            #[allow(unused_imports)]
            use #private::CannotCompare as _;
            #private::changed("state", #whole, &[#(#fields),*])
        }
    }
}

/// The comparison of each field that serde does not skip.
fn stored_fields(private: &TokenStream, fields: &Fields) -> Vec<TokenStream> {
    let compared = |(index, field): (usize, &Field)| {
        let (member, name) = match &field.ident {
            Some(ident) => (ident.to_token_stream(), names::plain(ident)),
            None => (Index::from(index).to_token_stream(), index.to_string()),
        };
        let cfg = field
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("cfg"));
        let same = same(private, quote!(&one.#member), quote!(&other.#member));
        quote!(#(#cfg)* (#name, #same))
    };
    let fields = fields.iter().enumerate();
    let stored = fields.filter(|(_, field)| !field.attrs.iter().any(skips));
    stored.map(compared).collect()
}

/// Returns true for `#[serde(skip)]` and its like, by which a field is not stored or not read.
fn skips(attr: &Attribute) -> bool {
    let Ok(list) = attr.meta.require_list() else {
        return false;
    };
    let is_skip = |token: &str| ["skip", "skip_serializing", "skip_deserializing"].contains(&token);
    let mut tokens = list.tokens.clone().into_iter();
    attr.path().is_ident("serde") && tokens.any(|token| is_skip(&token.to_string()))
}

fn same(private: &TokenStream, one: TokenStream, other: TokenStream) -> TokenStream {
    quote!(#private::SameProbe::new(#one, #other).is_same())
}

fn result(private: &TokenStream) -> TokenStream {
    quote!(#private::Option<&'static #private::str>)
}
