//! ```text
//! impl Counters { the block as written }
//! const _: () = assert_follows(<Counters as Leader>::ROLE);
//! impl Follower for Counters { fn policies() -> Policies<Self> { .. } }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::model::{Follower, Follows, Policy};
use crate::spans;

pub(super) fn follower(follower: &Follower) -> TokenStream {
    let block = block(follower);
    let table = table(follower);
    quote!(#block #table)
}

fn block(follower: &Follower) -> TokenStream {
    let Follower {
        attrs,
        impl_token,
        self_ty,
        brace,
        items,
        ..
    } = follower;
    let block = spans::braces(*brace, quote!(#(#items)*));
    quote!(#(#attrs)* #impl_token #self_ty #block)
}

/// The dispatch table, which is made once.
fn table(follower: &Follower) -> TokenStream {
    let Follower { krate, self_ty, .. } = follower;
    let private = krate.private();
    let table = Ident::new("policies", Span::mixed_site());
    let entries = follower
        .policies
        .iter()
        .map(|policy| entry(policy, &table, &private));
    let follows = spans::covering(
        self_ty,
        quote!(#private::assert_follows(<#self_ty as #krate::Leader>::ROLE)),
    );
    quote! {
        const _: () = #follows;
        impl #krate::Follower for #self_ty {
            fn policies() -> #private::Policies<Self> {
                #[allow(unused_mut)]
                let mut #table = #private::Policies::new();
                #(#entries)*
                #table
            }
        }
    }
}

/// The user's own tokens name the types that the method takes and returns, and the names around them stand in the
/// same places: what is wrong with one of the types is shown there.
fn entry(policy: &Policy, table: &Ident, private: &TokenStream) -> TokenStream {
    let Policy {
        follows,
        cfgs,
        method,
        takes,
        collects,
        returns,
    } = policy;
    let taken = Ident::new("__event", takes.span());
    let collecting = spans::covering(collects, quote!(&mut *__processing_event));
    let of = match follows {
        Follows::Rest(_) => spans::covering(takes, quote!(#private::RestEvent::of(#taken))),
        _ => {
            let of = spans::covering(takes, quote!(#private::PolicyEvent::of));
            quote!(#of(#taken))
        }
    };
    let handler = quote! {
        |__application: &Self, #taken, __processing_event| {
            let #taken: &#takes = #of;
            let result = Self::#method(__application, #taken, #collecting);
            <#returns as #private::PolicyResult>::into_result(result)
        }
    };
    let entry = match follows {
        Follows::One(event) => quote!(#table.on(#event, #handler)),
        Follows::Several(events) => {
            quote!(#table.on_several([#(#private::one_of(#events)),*], #handler))
        }
        Follows::All(aggregate) => {
            let assertion = quote!(#private::assert_has_events::<#aggregate>());
            let assertion = spans::covering(aggregate, assertion);
            quote!({ #assertion; #table.on_all::<#aggregate>(#handler) })
        }
        Follows::Rest(_) => quote!(#table.on_rest(#handler)),
    };
    quote!(#(#cfgs)* #entry;)
}
