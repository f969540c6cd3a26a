//! The impl block as it was written.

use proc_macro2::{Ident, TokenStream};
use syn::parse::Parser;

use super::from::{self, From};
use crate::kind::Kind;
use crate::policy::follows::{self, Follows};
use crate::policy::on_error::{self, OnError};
use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::ImplBlock;
use crate::syntax::options::{ADDED, Accepted, CRATE, FROM, ON_ERROR, Options, RETIRED};

/// `#[process_application] impl Counters { .. }`, not yet checked.
pub(crate) struct Block {
    pub(crate) kind: Kind,
    pub(crate) krate: CratePath,
    pub(crate) block: ImplBlock,
    /// The events whose policies were taken out.
    pub(crate) retired: Vec<Follows>,
    /// The rule of policies that have none of their own.
    pub(super) on_error: Option<OnError>,
    /// The first event of a new follower.
    pub(super) from: Option<From>,
}

const NAME_OF_PROCESS_APPLICATION: (&str, &str) = (
    "name",
    "the `#[process_application]` on the struct, whose stored name it is",
);
const AGGREGATES_OF_PROCESS_APPLICATION: (&str, &str) = (
    "aggregates",
    "the `#[process_application]` on the struct, which saves them",
);
const NAME_OF_PROJECTION: (&str, &str) = (
    "name",
    "the `#[projection]` on the struct, whose stored name it is",
);
const ADDED_OF_POLICY: (&str, &str) = (ADDED.0, "the `#[policy(..)]` on the method that was added");

pub(super) fn block(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Block> {
    let accepted = Accepted {
        attribute: kind.attribute(),
        on: " on an impl block",
        here: &[RETIRED, ON_ERROR, FROM, CRATE],
        elsewhere: match kind {
            Kind::Projection => &[NAME_OF_PROJECTION, ADDED_OF_POLICY],
            _ => &[
                NAME_OF_PROCESS_APPLICATION,
                AGGREGATES_OF_PROCESS_APPLICATION,
                ADDED_OF_POLICY,
            ],
        },
    };
    let options = Options::parse(args, &accepted, errors);
    let retired = options.retired.map(retired).transpose();
    let retired = retired.map_err(|error| errors.add(error)).ok().flatten();
    let on_error = options.on_error;
    let on_error = on_error.and_then(|written| on_error::read(written, errors));
    let from = options.from.and_then(|written| from::read(written, errors));
    Ok(Block {
        kind,
        krate: options.krate,
        block: syn::parse2(item)?,
        retired: retired.unwrap_or_default(),
        on_error,
        from,
    })
}

fn retired((key, list): (Ident, TokenStream)) -> syn::Result<Vec<Follows>> {
    let retired = follows::list.parse2(list)?;
    if retired.is_empty() {
        let message = "the list is empty: write the events whose policies were taken out, as in \
                       `retired(Dog::Renamed)`, or remove it";
        return Err(syn::Error::new(key.span(), message));
    }
    Ok(retired)
}
