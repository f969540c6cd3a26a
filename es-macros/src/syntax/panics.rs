//! A panic of an attribute is a bug of the library. It becomes an error that asks for a report, and
//! the user's item is given back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::TokenStream;
use quote::quote;

use super::fallback;

/// Runs `expand`, and catches its panic.
///
/// Unwind safety: `expand` owns all that it changes, and after a panic that is gone.
pub(crate) fn caught<T: From<TokenStream> + Into<TokenStream>>(
    attribute: &str,
    args: T,
    item: T,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
) -> T {
    let (args, item) = (args.into(), item.into());
    let given = item.clone();
    let expanded = catch_unwind(AssertUnwindSafe(|| expand(args, item)));
    let expanded = expanded.unwrap_or_else(|panic| {
        let said = said(&*panic);
        let message = format!(
            "`#[{attribute}]` panicked, which is a bug of the library and no mistake of yours: \
             report this item and this text, please: {said}"
        );
        let item = fallback::without_markers(given);
        quote!(#item ::core::compile_error! { #message })
    });
    expanded.into()
}

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
