//! The option of a policy that tells what becomes of earlier events: `added = now` or
//! `added = replay`.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::kind::Kind;
use crate::syntax::errors::Errors;

/// The rule for events that were recorded before the policy was added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Now,
    Replay,
}

const OPTIONS: &str = "write `added = now` for a policy that begins with the events to come, or \
                       `added = replay` for one that begins with the first event";

/// Reads the value behind `added =`, and reports a mistake.
pub(super) fn read(
    kind: Kind,
    (_, value): (Ident, TokenStream),
    errors: &mut Errors,
) -> Option<Added> {
    let tokens: Vec<_> = value.clone().into_iter().collect();
    let added = match &tokens[..] {
        [TokenTree::Ident(word)] if word == "now" => Added::Now,
        [TokenTree::Ident(word)] if word == "replay" => Added::Replay,
        _ => {
            errors.on(value, format!("`added` is `now` or `replay`: {OPTIONS}"));
            return None;
        }
    };
    check(kind, added, value, errors);
    Some(added)
}

/// Rule: what is in the tables of a projection depends on the order of all its events, so an added
/// policy cannot be given the earlier ones behind the later ones.
fn check(kind: Kind, added: Added, value: TokenStream, errors: &mut Errors) {
    if kind == Kind::Projection && added == Added::Replay {
        let message = "the tables of a projection depend on the order of its events, so an added \
                       policy replays none: rebuild the projection, or write `added = now` to \
                       leave the earlier events out";
        errors.on(value, message);
    }
}

impl Added {
    /// Returns the name of the rule in the hidden module.
    pub(super) fn name(self) -> Ident {
        let name = match self {
            Self::Now => "Now",
            Self::Replay => "Replay",
        };
        Ident::new(name, proc_macro2::Span::mixed_site())
    }
}
