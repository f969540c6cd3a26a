//! The impl block as it was written.

use proc_macro2::TokenStream;

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::impl_block::ImplBlock;
use crate::options::Options;
use crate::policy::kind::Kind;

/// `#[process_application] impl Counters { .. }`, not yet checked.
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) krate: CratePath,
    pub(super) block: ImplBlock,
}

pub(super) fn block(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Block> {
    let options = Options::parse(args, &kind.accepted(), errors);
    Ok(Block {
        kind,
        krate: options.krate,
        block: syn::parse2(item)?,
    })
}
