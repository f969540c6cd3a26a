//! A panic inside of an attribute.

use proc_macro2::TokenStream;
use quote::quote;

use crate::syntax::panics::caught;

#[test]
fn a_panic_is_an_error_that_asks_for_a_report_and_the_item_is_given_back() {
    let block = quote!(
        impl Dog {
            #[event(Registered)]
            pub fn register() -> Self {
                Self
            }
        }
    );
    let expanded = caught("aggregate", TokenStream::new(), block, |_, item| {
        panic!("no rule for {}", item.into_iter().count())
    });
    let file: syn::File = syn::parse2(expanded).expect("items");
    let [syn::Item::Impl(block), syn::Item::Macro(error)] = &file.items[..] else {
        panic!("not the block and an error: {file:?}");
    };
    let [syn::ImplItem::Fn(method)] = &block.items[..] else {
        panic!("not the method alone: {block:?}");
    };
    assert!(method.attrs.is_empty(), "the marker is left: {method:?}");
    let message = error.mac.tokens.to_string();
    for part in ["`#[aggregate]` panicked", "report", "no rule for 3"] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
}

#[test]
fn what_does_not_panic_is_passed_on() {
    let args = quote!(name = "School");
    let expanded = caught(
        "application",
        args,
        quote!(
            struct School;
        ),
        |args, item| quote!(#item #args),
    );
    assert_eq!(expanded.to_string(), "struct School ; name = \"School\"");
}
