//! ```text
//! impl Counters { the block as written }
//! const _: () = assert_follows(<Counters as Leader>::ROLE);
//! impl Follower for Counters { type Context = Collecting; fn policies() -> Policies<Self, Collecting> { .. } }
//! impl Projection for TrickTable {}                   (of a projection)
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::kind::Kind;
use super::model::{Follower, Follows, Policy, Tables};
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
    let Follower {
        kind,
        krate,
        self_ty,
        ..
    } = follower;
    let private = krate.private();
    let (context, new) = match kind {
        Kind::Collecting => (quote!(Collecting), quote!(new())),
        Kind::InTables => (quote!(InTables), make_tables(follower)),
    };
    let projection = (*kind == Kind::InTables).then(|| projection(follower));
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
            type Context = #private::#context;
            fn policies() -> #private::Policies<Self, #private::#context> {
                #[allow(unused_mut)]
                let mut #table = #private::Policies::#new;
                #(#entries)*
                #table
            }
    };
    let body = spans::braces(name, body);
    quote! {
        const _: () = #follows;
        #keyword #of #self_ty #body
        #projection
    }
}

/// As with a policy, what is wrong with one of the types is shown there.
fn make_tables(follower: &Follower) -> TokenStream {
    let private = follower.krate.private();
    let Some(Tables { takes, returns }) = &follower.tables else {
        return quote!(in_tables(|_| #private::Result::Ok(())));
    };
    let tx = spans::covering(takes, quote!(&mut *__tx));
    quote! {
        in_tables(|__tx| <#returns as #private::TablesResult>::into_result(Self::tables(#tx)))
    }
}

/// Says, on the user's block, that the struct half must be a projection's, too.
fn projection(follower: &Follower) -> TokenStream {
    let Follower { krate, self_ty, .. } = follower;
    let private = krate.private();
    let has_struct = spans::covering(self_ty, quote!(#private::assert_has_struct::<#self_ty>()));
    quote! {
        const _: () = #has_struct;
        impl #krate::Projection for #self_ty {}
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
