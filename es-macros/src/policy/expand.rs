//! ```text
//! impl Counters { the block as written }
//! const _: () = assert_follows(<Counters as Leader>::ROLE);
//! impl Follower for Counters { fn policies() -> Policies<Self> { .. } }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::model::{Follower, Policy};
use crate::spans;

/// The table comes first: a policy that takes the wrong event is told so before its body is looked at.
pub(super) fn follower(follower: &Follower) -> TokenStream {
    let block = block(follower);
    let table = table(follower);
    quote!(#table #block)
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
    let (keyword, name) = (&follower.impl_token, self_ty.span());
    let of = spans::all_at(name, quote!(#krate::Follower for));
    let body = quote! {
            fn policies() -> #private::Policies<Self> {
                #[allow(unused_mut)]
                let mut #table = #private::Policies::new();
                #(#entries)*
                #table
            }
    };
    let body = spans::braces(name, body);
    quote! {
        const _: () = #follows;
        #keyword #of #self_ty #body
    }
}

/// The user's own tokens name the types that the method takes and returns, and the names around them stand in the
/// same places: what is wrong with one of the types is shown there.
fn entry(policy: &Policy, table: &Ident, private: &TokenStream) -> TokenStream {
    let Policy {
        event,
        cfgs,
        method,
        takes,
        collects,
        returns,
    } = policy;
    let taken = Ident::new("__event", takes.span());
    let collecting = spans::covering(collects, quote!(&mut *__processing_event));
    let of = spans::covering(takes, quote!(#private::PolicyEvent::of));
    quote! {
        #(#cfgs)*
        #table.on(#event, |__application: &Self, #taken, __processing_event| {
            let #taken: &#takes = #of(#taken);
            let result = Self::#method(__application, #taken, #collecting);
            <#returns as #private::PolicyResult>::into_result(result)
        });
    }
}
