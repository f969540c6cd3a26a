//! ```text
//! impl Counters { the block as written }
//! impl FollowerType for Counters {
//!     type Context = Collecting;
//!     fn policies() -> Policies<Self, Collecting> { .. }
//! }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::model::{Context, Follower};
use crate::policy;
use crate::syntax::spans;

/// The table comes first: rustc reports a policy that takes the wrong event before its body.
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
    let Follower {
        krate,
        impl_token,
        self_ty,
        context,
        policies,
        retired,
        on_error,
        from,
        ..
    } = follower;
    let private = krate.private();
    let Context {
        ty,
        table: new,
        items,
    } = context;
    let table = Ident::new("policies", Span::mixed_site());
    let entries = policies
        .iter()
        .map(|policy| policy::entry(policy, &table, &private));
    let retired = retired
        .iter()
        .map(|follows| policy::retired(follows, &table, &private));
    let on_error = on_error.as_ref().map(|rule| {
        let rule = rule.value(&private);
        quote!(#table.on_error_of_all(#rule);)
    });
    let from = from.as_ref().map(|from| {
        let begin = from.value(&private);
        quote!(#table.from(#begin);)
    });
    let name = self_ty.span();
    let of = spans::all_at(name, quote!(#private::FollowerType for));
    let body = quote! {
            type Context = #private::#ty;
            fn policies() -> #private::Policies<Self, #private::#ty> {
                #[allow(unused_mut)]
                let mut #table = #private::Policies::#new;
                #(#entries)*
                #(#retired)*
                #on_error
                #from
                #table
            }
    };
    let body = spans::braces(name, body);
    quote! {
        #impl_token #of #self_ty #body
        #items
    }
}
