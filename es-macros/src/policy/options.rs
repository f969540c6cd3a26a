//! The options of a policy: `added = now`, and `on_error = set_aside`.

use proc_macro2::{TokenStream, TokenTree};

use super::added::{self, Added};
use super::on_error::{self, OnError};
use crate::kind::Kind;
use crate::syntax::errors::Errors;
use crate::syntax::options::{ADDED, Accepted, FROM, ON_ERROR, Options, RETIRED};
use crate::syntax::tokens::is_punct;

/// The options that were written.
pub(super) struct PolicyOptions {
    /// The rule for events that were recorded before the policy was added.
    pub(super) added: Option<Added>,
    /// The rule for events at which the policy fails.
    pub(super) on_error: Option<OnError>,
}

const OF_THE_BLOCK: &str = "the `#[process_application]` or `#[projection]` on the impl block";

const ACCEPTED: Accepted = Accepted {
    attribute: "#[policy]",
    on: "",
    here: &[ADDED, ON_ERROR],
    elsewhere: &[(FROM.0, OF_THE_BLOCK), (RETIRED.0, OF_THE_BLOCK)],
};

/// Returns true if the tokens are an option, and not an event.
pub(super) fn is_option(tokens: &[TokenTree]) -> bool {
    let known = [ADDED, ON_ERROR, FROM, RETIRED];
    match tokens {
        [TokenTree::Ident(_), equals, ..] if is_punct(equals, '=') => true,
        [TokenTree::Ident(key)] | [TokenTree::Ident(key), TokenTree::Group(_)] => {
            known.iter().any(|(name, _)| key == name)
        }
        _ => false,
    }
}

/// Reads the options of a policy of a `kind` of application, and reports their mistakes.
pub(super) fn read(kind: Kind, written: TokenStream, errors: &mut Errors) -> PolicyOptions {
    let Options {
        added, on_error, ..
    } = Options::parse(written, &ACCEPTED, errors);
    let added = added.and_then(|written| added::read(kind, written, errors));
    let on_error = on_error.and_then(|written| on_error::read(written, errors));
    PolicyOptions { added, on_error }
}
