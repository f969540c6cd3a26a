//! The impl block as it was written.

use proc_macro2::TokenStream;

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::impl_block::ImplBlock;
use crate::options::{Accepted, Options};

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
