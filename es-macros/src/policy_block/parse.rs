//! The impl block as it was written.

use proc_macro2::TokenStream;

use crate::kind::Kind;
use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::ImplBlock;
use crate::syntax::options::{Accepted, CRATE, Options};

/// `#[process_application] impl Counters { .. }`, not yet checked.
pub(crate) struct Block {
    pub(crate) kind: Kind,
    pub(crate) krate: CratePath,
    pub(crate) block: ImplBlock,
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

pub(super) fn block(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Block> {
    let accepted = Accepted {
        attribute: kind.attribute(),
        on: " on an impl block",
        here: &[CRATE],
        elsewhere: match kind {
            Kind::Projection => &[NAME_OF_PROJECTION],
            _ => &[
                NAME_OF_PROCESS_APPLICATION,
                AGGREGATES_OF_PROCESS_APPLICATION,
            ],
        },
    };
    let options = Options::parse(args, &accepted, errors);
    Ok(Block {
        kind,
        krate: options.krate,
        block: syn::parse2(item)?,
    })
}
