//! The impl block as it was written, and what stands in `#[policy(..)]`.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ExprPath, LitStr, Meta, Token};

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::impl_block::ImplBlock;
use crate::options::{Accepted, Options};

use super::names;

/// `#[process_application] impl Counters { .. }`, not yet checked.
pub(super) struct Block {
    pub(super) krate: CratePath,
    pub(super) block: ImplBlock,
}

const ACCEPTED: Accepted = Accepted {
    attribute: "`#[process_application]` on an impl block",
    here: &[("crate", "`crate = other_name`")],
    elsewhere: &[(
        "name",
        "the `#[process_application]` on the struct, whose stored name it is",
    )],
};

pub(super) fn block(
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Block> {
    let options = Options::parse(args, &ACCEPTED, errors);
    Ok(Block {
        krate: options.krate,
        block: syn::parse2(item)?,
    })
}

/// `Dog::TrickAdded` in `#[policy(Dog::TrickAdded)]`.
pub(super) fn event(marker: &Attribute) -> syn::Result<ExprPath> {
    match &marker.meta {
        Meta::List(list) if !list.tokens.is_empty() => one_path.parse2(list.tokens.clone()),
        other => Err(syn::Error::new_spanned(other, NEEDS_EVENT)),
    }
}

const NEEDS_EVENT: &str = "a policy says which event it follows: `#[policy(Dog::TrickAdded)]`";

fn one_path(input: ParseStream) -> syn::Result<ExprPath> {
    if input.peek(LitStr) {
        return Err(syn::Error::new_spanned(
            input.parse::<TokenStream>()?,
            NEEDS_EVENT,
        ));
    }
    if input.peek(Token![_]) {
        let rest: TokenStream = input.parse()?;
        let message = "a policy cannot follow every event yet: name one, such as `Dog::TrickAdded`, and write one \
                       method for each event";
        return Err(syn::Error::new_spanned(rest, message));
    }
    let begin = input.span();
    let path = input.parse().map_err(|error: syn::Error| {
        let place = if input.is_empty() {
            begin
        } else {
            error.span()
        };
        syn::Error::new(place, NEEDS_EVENT)
    })?;
    names::check_event(&path)?;
    let rest: TokenStream = input.parse()?;
    let is_more = rest.clone().into_iter().nth(1).is_some();
    match rest.is_empty() || (!is_more && rest.to_string() == ",") {
        true => Ok(path),
        false => Err(syn::Error::new_spanned(
            rest,
            "a policy follows one event: write one method for each event, and let both call a third for what they share",
        )),
    }
}
