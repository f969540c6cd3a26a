//! The attributes of the event-sourcing library, a module for each. The text of their pages is in
//! `doc/`.
//!
//! `application_struct` and `policy_block` expand the two halves of the three kinds of application;
//! `syntax` reads and writes tokens for all of them.

mod aggregate;
mod application;
mod event;
mod id;
mod policy;
mod process_application;
mod projection;

mod application_struct;
mod kind;
mod policy_block;
mod syntax;

use proc_macro::TokenStream;

use syntax::panics::caught;

#[doc = include_str!("../doc/aggregate.md")]
#[proc_macro_attribute]
pub fn aggregate(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("aggregate", args, item, aggregate::expand)
}

#[doc = include_str!("../doc/event.md")]
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("event", args, item, event::misplaced)
}

#[doc = include_str!("../doc/id.md")]
#[proc_macro_attribute]
pub fn id(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("id", args, item, id::misplaced)
}

#[doc = include_str!("../doc/application.md")]
#[proc_macro_attribute]
pub fn application(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("application", args, item, application::expand)
}

#[doc = include_str!("../doc/process_application.md")]
#[proc_macro_attribute]
pub fn process_application(args: TokenStream, item: TokenStream) -> TokenStream {
    caught(
        "process_application",
        args,
        item,
        process_application::expand,
    )
}

#[doc = include_str!("../doc/projection.md")]
#[proc_macro_attribute]
pub fn projection(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("projection", args, item, projection::expand)
}

#[doc = include_str!("../doc/policy.md")]
#[proc_macro_attribute]
pub fn policy(args: TokenStream, item: TokenStream) -> TokenStream {
    caught("policy", args, item, policy::misplaced)
}

#[cfg(test)]
mod tests;
