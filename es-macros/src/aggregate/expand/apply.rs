//! ```text
//! impl Create<DogRegistered> for <Dog as HasState>::State { the user's body }
//! impl Apply<DogTrickAdded> for <Dog as HasState>::State { the user's body }
//! impl Aggregate for Dog { type Event = DogEvent; .. }
//! ```
//! The bodies stand on the state, where neither the root nor the other event methods are in reach.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ReturnType;
use syn::spanned::Spanned;

use super::lints;
use crate::aggregate::model::Aggregate;
use crate::event::{Event, EventKind};
use crate::syntax::param::{Param, Passing};
use crate::syntax::spans;

/// The user's body, where calls and replay run it.
///
/// The impl stands at the aggregate's name: there a missing struct half is reported, once.
pub(super) fn body(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let private = aggregate.krate.private();
    let state = aggregate.state();
    let payload = aggregate.payload(event);
    let at = aggregate.name.span();
    let block_lints = lints::levels(&aggregate.attrs);
    let role = match event.kind {
        EventKind::Creating => quote!(#private::Create),
        EventKind::Mutating => quote!(#private::Apply),
    };
    let head = spans::all_at(at, quote!(impl #role<#payload> for #state));
    let block = spans::braces(at, method(aggregate, event));
    let doc = format!(
        " The body of `{}::{}`, where calls and replay run it.",
        aggregate.name, event.method.sig.ident
    );
    quote! {
        #[doc = #doc]
        #[doc(hidden)]
        #[allow(private_interfaces)]
        #(#block_lints)*
        #head #block
    }
}

/// `fn create(event: &DogRegistered, timestamp: Timestamp) -> Self { .. }`
fn method(aggregate: &Aggregate, event: &Event) -> TokenStream {
    let krate = &aggregate.krate;
    let payload = aggregate.payload(event);
    let given = mixed("event");
    let time = mixed("timestamp");
    let lints = lints::levels(&event.method.attrs);
    let body = body_group(aggregate, event, &given, &time);
    let sig = &event.method.sig;
    let at = aggregate.name.span();
    let (name, receiver, output, keyword_at, params_at) = match event.kind {
        EventKind::Creating => {
            let (keyword, params) = (sig.fn_token.span, sig.paren_token.span.join());
            ("create", None, Some(output(event)), keyword, params)
        }
        EventKind::Mutating => ("apply", Some(receiver(event, at)), None, at, at),
    };
    let keyword = spans::all_at(keyword_at, quote!(fn));
    let name = Ident::new(name, sig.ident.span());
    let params = quote!(#receiver #given: &#payload, #time: #krate::Timestamp);
    let mut params = Group::new(Delimiter::Parenthesis, params);
    params.set_span(params_at);
    quote!(#(#lints)* #keyword #name #params #output #body)
}

/// The user's own `-> Self`, where a body that ends in something else is reported.
fn output(event: &Event) -> TokenStream {
    match &event.method.sig.output {
        output @ ReturnType::Type(..) if !event.broken => output.to_token_stream(),
        _ => quote!(-> Self),
    }
}

/// The method's own `&mut self`, which the body's `self` belongs to.
fn receiver(event: &Event, at: Span) -> TokenStream {
    match event.method.sig.receiver() {
        Some(receiver) if !event.broken => spans::moved(at, quote!(#receiver,)),
        _ => quote!(&mut self,),
    }
}

/// The parameters, then the user's statements, in one pair of braces with the user's span: rustc
/// would report a block inside of another as one too many.
fn body_group(aggregate: &Aggregate, event: &Event, given: &Ident, time: &Ident) -> TokenStream {
    let body = &event.method.body;
    let stream = if event.broken {
        quote!(let _ = (#given, #time); loop {})
    } else {
        let fields = event
            .fields
            .iter()
            .map(|field| binding(aggregate, event, field, given));
        let timestamp = event.timestamp.as_ref().map(|param| {
            let Param {
                mutability,
                ident,
                ty,
                ..
            } = param;
            quote!(let #mutability #ident: #ty = #time; let _ = &#ident;)
        });
        let statements = body.stream();
        quote!(let _ = (#given, #time); #(#fields)* #timestamp #statements)
    };
    spans::braces(body.span(), stream)
}

/// `let trick: &str = Borrow::borrow(&event.trick);`, and a use of it: a parameter is stored, so it
/// is not unused if the body does not read it.
fn binding(aggregate: &Aggregate, event: &Event, field: &Param, given: &Ident) -> TokenStream {
    let private = aggregate.krate.private();
    let Param {
        mutability,
        ident,
        ty,
        passing,
    } = field;
    let given = match event.declared {
        Some(_) => quote!(#given.0),
        None => given.to_token_stream(),
    };
    let value = match passing {
        Passing::Owned => {
            let clone = spans::all_at(ty.span(), quote!(<#ty as #private::Clone>::clone));
            quote!(#clone(&#given.#ident))
        }
        Passing::Borrowed(_) => quote!(#private::Borrow::borrow(&#given.#ident)),
        Passing::OptionBorrowed(_) => quote! {
            #private::Option::map(#private::Option::as_ref(&#given.#ident), #private::Borrow::borrow)
        },
    };
    let value = match event.declared {
        // The user's struct may have a field of another type.
        Some(_) => spans::moved(ident.span(), value),
        None => value,
    };
    quote!(let #mutability #ident: #ty = #value; let _ = &#ident;)
}

/// A name of our own, which cannot clash with a parameter of the user's.
fn mixed(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The impl that joins the halves.
pub(super) fn expand(aggregate: &Aggregate) -> TokenStream {
    let krate = &aggregate.krate;
    let self_ty = &aggregate.self_ty;
    let event_enum = aggregate.event_enum();
    let create = create_fn(aggregate);
    let apply = apply_fn(aggregate);
    let event = spans::all_at(aggregate.name.span(), quote!(type Event = #event_enum;));
    let keyword = &aggregate.impl_token;
    let name = aggregate.name.span();
    let of = spans::all_at(name, quote!(#krate::Aggregate for));
    let body = spans::braces(name, quote!(#event #create #apply));
    quote!(#keyword #of #self_ty #body)
}

fn create_fn(aggregate: &Aggregate) -> TokenStream {
    let krate = &aggregate.krate;
    let private = krate.private();
    let state = aggregate.state();
    let event_enum = aggregate.event_enum();
    let events: Vec<&Event> = of_kind(aggregate, EventKind::Creating);
    let at = |tokens: TokenStream| spans::all_at(aggregate.name.span(), tokens);
    let creating = events.iter().map(|event| &event.name);
    let create = events.iter().map(|event| {
        let payload = aggregate.payload(event);
        at(quote!(<#state as #private::Create<#payload>>::create))
    });
    let time = if events.is_empty() {
        quote!(_)
    } else {
        quote!(timestamp)
    };
    let otherwise = otherwise(
        aggregate,
        EventKind::Mutating,
        &quote!(#private::Option::None),
    );
    let keyword = at(quote!(fn));
    let output = at(quote!(-> #private::Option<#state>));
    quote! {
        #keyword __create(event: &#event_enum, #time: #krate::Timestamp) #output {
            match *event {
                #(#event_enum::#creating(ref event) => #private::Option::Some(#create(event, timestamp)),)*
                #otherwise
            }
        }
    }
}

fn apply_fn(aggregate: &Aggregate) -> TokenStream {
    let krate = &aggregate.krate;
    let private = krate.private();
    let state = aggregate.state();
    let event_enum = aggregate.event_enum();
    let events: Vec<&Event> = of_kind(aggregate, EventKind::Mutating);
    let at = |tokens: TokenStream| spans::all_at(aggregate.name.span(), tokens);
    let mutating = events.iter().map(|event| &event.name);
    let (into, time) = if events.is_empty() {
        (quote!(_), quote!(_))
    } else {
        (quote!(state), quote!(timestamp))
    };
    let otherwise = otherwise(aggregate, EventKind::Creating, &quote!(false));
    let keyword = at(quote!(fn));
    let output = at(quote!(-> #private::bool));
    let changed = at(quote!(&mut #state));
    quote! {
        #keyword __apply(#into: #changed, event: &#event_enum, #time: #krate::Timestamp) #output {
            match *event {
                #(#event_enum::#mutating(ref event) => {
                    #private::Apply::apply(state, event, timestamp);
                    true
                })*
                #otherwise
            }
        }
    }
}

fn of_kind(aggregate: &Aggregate, kind: EventKind) -> Vec<&Event> {
    aggregate
        .events()
        .filter(|event| event.kind == kind)
        .collect()
}

/// The arm of the events of the other kind.
fn otherwise(aggregate: &Aggregate, kind: EventKind, answer: &TokenStream) -> Option<TokenStream> {
    let event_enum = aggregate.event_enum();
    let others: Vec<_> = of_kind(aggregate, kind)
        .iter()
        .map(|event| &event.name)
        .collect();
    (!others.is_empty()).then(|| quote!(#(#event_enum::#others(_))|* => #answer,))
}
