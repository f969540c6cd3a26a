//! ```text
//! policies.on(Dog::TrickAdded, |application, event, processing_event| { .. });
//! ```
//! The entry of a policy in the dispatch table.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Path;
use syn::spanned::Spanned;

use super::Policy;
use super::follows::Follows;
use super::options::PolicyOptions;
use crate::syntax::spans;

/// Adds the policy to `table`.
///
/// The user's own tokens name the types that the method takes and returns, and the names around
/// them stand in the same places: there rustc shows a mistake in one of the types.
pub(crate) fn entry(policy: &Policy, table: &Ident, private: &TokenStream) -> TokenStream {
    let handler = handler(policy, private);
    let entry = match &policy.follows {
        Follows::One(event) => quote!(#table.on(#event, #handler)),
        Follows::Several(events) => {
            quote!(#table.on_several([#(#private::one_of(#events)),*], #handler))
        }
        Follows::All(aggregate) => {
            let assertion = has_events(aggregate, private);
            quote!({ #assertion; #table.on_all::<#aggregate>(#handler) })
        }
        Follows::Rest(_) => quote!(#table.on_rest(#handler)),
    };
    let cfgs = &policy.cfgs;
    let PolicyOptions { added, on_error } = &policy.options;
    let added = added.map(|added| {
        let rule = added.name();
        quote!(#(#cfgs)* #table.added(#private::Added::#rule);)
    });
    let on_error = on_error.as_ref().map(|rule| {
        let rule = rule.value(private);
        quote!(#(#cfgs)* #table.on_error(#rule);)
    });
    quote!(#(#cfgs)* #entry; #added #on_error)
}

/// Adds the policies that were taken out to `table`.
pub(crate) fn retired(follows: &Follows, table: &Ident, private: &TokenStream) -> TokenStream {
    match follows {
        Follows::One(event) => quote!(#table.retired(#event);),
        Follows::Several(events) => quote!(#(#table.retired(#events);)*),
        Follows::All(aggregate) => {
            let assertion = has_events(aggregate, private);
            quote!(#assertion; #table.retired_all::<#aggregate>();)
        }
        Follows::Rest(_) => quote!(#table.retired_rest();),
    }
}

fn has_events(aggregate: &Path, private: &TokenStream) -> TokenStream {
    let assertion = quote!(#private::assert_has_events::<#aggregate>());
    spans::covering(aggregate, assertion)
}

fn handler(policy: &Policy, private: &TokenStream) -> TokenStream {
    let Policy {
        follows,
        method,
        takes,
        works_on,
        returns,
        ..
    } = policy;
    let taken = Ident::new("__event", takes.span());
    let of = match follows {
        Follows::Rest(_) => spans::covering(takes, quote!(#private::RestEvent::of(#taken))),
        _ => {
            let of = spans::covering(takes, quote!(#private::PolicyEvent::of));
            quote!(#of(#taken))
        }
    };
    let works_on = spans::covering(works_on, quote!(&mut *__works_on));
    quote! {
        |__application: &Self, #taken, __works_on| {
            let #taken: &#takes = #of;
            let result = Self::#method(__application, #taken, #works_on);
            <#returns as #private::PolicyResult>::into_result(result)
        }
    }
}
