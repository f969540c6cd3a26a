//! The attributes of the event-sourcing library. The texts of their pages are in `doc/`.

mod aggregate;
mod alone;
mod application;
mod crate_path;
mod derives;
mod errors;
mod fallback;
mod impl_block;
mod marker;
mod names;
mod options;
mod policy;
mod spans;
mod versions;

use proc_macro::TokenStream;

#[doc = include_str!("../doc/aggregate.md")]
#[proc_macro_attribute]
pub fn aggregate(args: TokenStream, item: TokenStream) -> TokenStream {
    aggregate::expand(args.into(), item.into()).into()
}

#[doc = include_str!("../doc/event.md")]
#[proc_macro_attribute]
pub fn event(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("event", "aggregate", item.into()).into()
}

#[doc = include_str!("../doc/id.md")]
#[proc_macro_attribute]
pub fn id(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("id", "aggregate", item.into()).into()
}

#[doc = include_str!("../doc/application.md")]
#[proc_macro_attribute]
pub fn application(args: TokenStream, item: TokenStream) -> TokenStream {
    application::expand(application::Kind::Leader, args.into(), item.into()).into()
}

#[doc = include_str!("../doc/process_application.md")]
#[proc_macro_attribute]
pub fn process_application(args: TokenStream, item: TokenStream) -> TokenStream {
    policy::expand(args.into(), item.into()).into()
}

#[doc = include_str!("../doc/projection.md")]
#[proc_macro_attribute]
pub fn projection(args: TokenStream, item: TokenStream) -> TokenStream {
    policy::expand_projection(args.into(), item.into()).into()
}

#[doc = include_str!("../doc/policy.md")]
#[proc_macro_attribute]
pub fn policy(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("policy", "process_application", item.into()).into()
}

#[cfg(test)]
mod tests;
