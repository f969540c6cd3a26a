//! ```text
//! pub struct Dog { root }
//! pub struct DogState { the user's fields }
//! impl HasState for Dog { type State = DogState; .. }
//! impl Deref for Dog { type Target = DogState; .. }
//! ```
//! with Clone, Debug and PartialEq for `Dog` where `DogState` has them, and Serialize where it was
//! derived.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Ident};

use super::{compare, versions};
use crate::aggregate::parse::StateHalf;
use crate::syntax::attributes::derives;
use crate::syntax::options::SnapshotEvery;
use crate::syntax::{names, spans};

pub(in crate::aggregate) fn expand(half: &StateHalf) -> TokenStream {
    let wrapper = wrapper(half);
    let state = state(half);
    let has_state = has_state(half);
    let deref = deref(half);
    let clone = clone(half);
    let debug = debug(half);
    let partial_eq = partial_eq(half);
    let serialize = derives(&half.item.attrs, "Serialize").then(|| serialize(half));
    quote!(#wrapper #state #has_state #deref #clone #debug #partial_eq #serialize)
}

/// The aggregate, which has the user's docs, since readers look it up.
fn wrapper(half: &StateHalf) -> TokenStream {
    let DeriveInput {
        attrs, vis, ident, ..
    } = &half.item;
    let private = half.krate.private();
    let attrs = attrs.iter().filter(|attr| is_of_wrapper(attr));
    let root = spans::all_at(ident.span(), quote!(#private::Root<#ident>));
    let head = spans::all_at(keyword(half), quote!(struct));
    let body = spans::braces(ident.span(), quote!(__root: #root));
    quote! {
        #(#attrs)*
        #vis #head #ident #body
    }
}

/// The place of the user's `struct` or `enum`: there rustc shows errors about the aggregate, and
/// not at the attribute.
fn keyword(half: &StateHalf) -> Span {
    match &half.item.data {
        Data::Struct(data) => data.struct_token.span,
        Data::Enum(data) => data.enum_token.span,
        Data::Union(data) => data.union_token.span,
    }
}

/// The state, which has everything else that the user wrote.
fn state(half: &StateHalf) -> TokenStream {
    let mut item = half.item.clone();
    let doc = format!(
        " The state of [`{}`], made by `#[aggregate]`: the fields as they were written, which its \
         events change.",
        names::plain(&item.ident)
    );
    item.ident = names::state(&item.ident);
    item.attrs.retain(|attr| !is_of_wrapper(attr));
    item.attrs.extend(serde_crate(half));
    quote! {
        #[doc = #doc]
        #item
    }
}

fn is_of_wrapper(attr: &Attribute) -> bool {
    ["doc", "must_use", "deprecated"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}

/// Lets serde's derives find serde in the library, unless the user gives another path. The
/// attribute must come after the derive, so it goes to the end.
fn serde_crate(half: &StateHalf) -> Option<Attribute> {
    let attrs = &half.item.attrs;
    let derived = derives(attrs, "Serialize") || derives(attrs, "Deserialize");
    let path = format!("{}::serde", half.krate.private()).replace(' ', "");
    (derived && !has_serde_crate(attrs)).then(|| syn::parse_quote!(#[serde(crate = #path)]))
}

fn has_serde_crate(attrs: &[Attribute]) -> bool {
    let serde = attrs.iter().filter(|attr| attr.path().is_ident("serde"));
    serde
        .filter_map(|attr| attr.meta.require_list().ok())
        .any(|list| {
            list.tokens
                .clone()
                .into_iter()
                .any(|token| token.to_string() == "crate")
        })
}

fn has_state(half: &StateHalf) -> TokenStream {
    let krate = &half.krate;
    let private = krate.private();
    let ident = &half.item.ident;
    let state = names::state(ident);
    let topic = match &half.topic {
        Some(topic) => topic.to_token_stream(),
        None => names::plain(ident).to_token_stream(),
    };
    let codec = codec(half);
    let snapshot_every = snapshot_every(half);
    let version = versions::of_state(half);
    let changed = compare::state(half);
    let root = root(half);
    quote! {
        #[doc(hidden)]
        impl #private::HasState for #ident {
            type State = #state;
            const TOPIC: &'static #private::str = #topic;
            const __CLONE_STATE: #private::Option<fn(&#state) -> #state> = {
                #[allow(unused_imports)]
                use #private::CannotClone as _;
                #private::CloneProbe::<#state>::CLONE
            };
            const __DEBUG_STATE: #private::Option<#private::DebugState<#state>> = {
                #[allow(unused_imports)]
                use #private::CannotDebug as _;
                #private::DebugProbe::<#state>::DEBUG
            };
            #snapshot_every
            #version
            #codec
            #changed
            #root
        }
    }
}

/// The way in which the state is stored in a snapshot, if it can be.
fn codec(half: &StateHalf) -> TokenStream {
    let private = half.krate.private();
    let state = names::state(&half.item.ident);
    let codec = quote!(#private::StateCodec::<#state>);
    let fall_back = quote! {
        #[allow(unused_imports)]
        use #private::CannotStoreState as _;
    };
    let result = |ok| quote!(#private::Option<#private::Result<#ok, #private::FieldError>>);
    let put = result(quote!(()));
    let taken = result(quote!(#state));
    quote! {
        const __STORES_STATE: #private::bool = {
            #fall_back
            #codec::STORES
        };
        fn __put_state<W: #private::FieldWriter>(state: &#state, fields: &mut W) -> #put {
            #fall_back
            #codec::put(state, fields)
        }
        fn __take_state<R: #private::FieldReader>(fields: &mut R) -> #taken {
            #fall_back
            #codec::take(fields)
        }
    }
}

/// The number of events between two snapshots, and a check that the state can be stored. rustc
/// shows its failure at the option.
fn snapshot_every(half: &StateHalf) -> Option<TokenStream> {
    let SnapshotEvery { key, events } = half.snapshot_every.as_ref()?;
    let private = half.krate.private();
    let state = names::state(&half.item.ident);
    let check = quote!(#private::assert_takes_snapshots::<#state>());
    let check = spans::all_at(key.span(), check);
    Some(quote! {
        const __SNAPSHOT_EVERY: #private::Option<#private::u64> = {
            #check;
            #private::Option::Some(#events)
        };
    })
}

/// The access to the root, which only the library uses.
fn root(half: &StateHalf) -> TokenStream {
    let private = half.krate.private();
    let has_events = has_events(half);
    let root = quote!(#private::Root<Self>);
    quote! {
        fn __root(&self) -> &#root #has_events {
            &self.__root
        }
        fn __root_mut(&mut self) -> &mut #root #has_events {
            &mut self.__root
        }
        fn __from_root(root: #root) -> Self #has_events {
            Self { __root: root }
        }
        fn __into_root(self) -> #root #has_events {
            self.__root
        }
    }
}

/// The bound of what exists only with the impl half. Without that half, rustc reports the struct's
/// one field.
fn has_events(half: &StateHalf) -> TokenStream {
    let krate = &half.krate;
    quote!(where for<'a> Self: #krate::Aggregate)
}

/// Read access to the state. There is no `DerefMut`: a state changes by an event or not at all.
fn deref(half: &StateHalf) -> TokenStream {
    let private = half.krate.private();
    let ident = &half.item.ident;
    let state = names::state(ident);
    quote! {
        impl #private::Deref for #ident {
            type Target = #state;
            fn deref(&self) -> &#state {
                #[allow(unused_imports)]
                use #private::NoEvents as _;
                #private::StateProbe::<Self>::STATE(self)
            }
        }
    }
}

fn clone(half: &StateHalf) -> TokenStream {
    let krate = &half.krate;
    let private = krate.private();
    let ident = &half.item.ident;
    let state = names::state(ident);
    quote! {
        impl #private::Clone for #ident
        where
            for<'a> #state: #private::Clone,
            for<'a> Self: #krate::Aggregate,
            for<'a> <Self as #krate::Aggregate>::Event: #private::Clone,
        {
            fn clone(&self) -> Self {
                Self { __root: #private::Clone::clone(&self.__root) }
            }
        }
    }
}

fn debug(half: &StateHalf) -> TokenStream {
    let krate = &half.krate;
    let private = krate.private();
    let ident = &half.item.ident;
    let state = names::state(ident);
    let name = names::plain(ident);
    quote! {
        impl #private::Debug for #ident
        where
            for<'a> #state: #private::Debug,
            for<'a> Self: #krate::Aggregate,
        {
            fn fmt(&self, f: &mut #private::Formatter<'_>) -> #private::FmtResult {
                let fields: [(&#private::str, &dyn #private::Debug); 3] = [
                    ("id", #krate::Aggregate::id(self)),
                    ("version", &#krate::Aggregate::version(self)),
                    ("state", #private::Deref::deref(self)),
                ];
                #private::debug_struct(f, #name, &fields)
            }
        }
    }
}

fn partial_eq(half: &StateHalf) -> TokenStream {
    let krate = &half.krate;
    let private = krate.private();
    let ident = &half.item.ident;
    let state = names::state(ident);
    quote! {
        impl #private::PartialEq for #ident
        where
            for<'a> #state: #private::PartialEq,
            for<'a> Self: #krate::Aggregate,
        {
            fn eq(&self, other: &Self) -> #private::bool {
                #private::PartialEq::eq(&self.__root, &other.__root)
            }
        }
    }
}

fn serialize(half: &StateHalf) -> TokenStream {
    let private = half.krate.private();
    let ident: &Ident = &half.item.ident;
    quote! {
        impl #private::serde::Serialize for #ident {
            fn serialize<S: #private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> #private::Result<S::Ok, S::Error> {
                #private::serde::Serialize::serialize(#private::Deref::deref(self), serializer)
            }
        }
    }
}
