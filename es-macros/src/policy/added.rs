//! The option of a policy that tells what becomes of earlier events: `added = now` or
//! `added = replay`.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::kind::Kind;
use crate::syntax::errors::Errors;
use crate::syntax::tokens::is_punct;

/// `added = now`, where `now` is the word.
pub(crate) struct Added {
    word: Ident,
    rule: Rule,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Now,
    Replay,
}

const OPTIONS: &str = "write `added = now` for a policy that begins with the events to come, or \
                       `added = replay` for one that begins with the first event";

/// Returns true if the tokens are an option, and not an event.
pub(super) fn is_option(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Ident(_), equals, ..] if is_punct(equals, '='))
}

/// Reads `added = now`. `known` is the option that was read before.
pub(super) fn parse(tokens: &[TokenTree], known: Option<&Added>) -> syn::Result<Added> {
    let all: TokenStream = tokens.iter().cloned().collect();
    let wrong = |message| Err(syn::Error::new_spanned(&all, message));
    match tokens {
        [TokenTree::Ident(key), _, value @ ..] if key == "added" => {
            if known.is_some() {
                return wrong("`added` is given twice: remove one of the two".to_owned());
            }
            match value {
                [TokenTree::Ident(word)] if word == "now" || word == "replay" => Ok(Added {
                    word: word.clone(),
                    rule: if word == "now" {
                        Rule::Now
                    } else {
                        Rule::Replay
                    },
                }),
                _ => wrong(format!("`added` is `now` or `replay`: {OPTIONS}")),
            }
        }
        _ => wrong(format!(
            "`#[policy]` has no such option; it has `added`: {OPTIONS}"
        )),
    }
}

impl Added {
    /// Rule: what is in the tables of a projection depends on the order of all its events, so an
    /// added policy cannot be given the earlier ones behind the later ones.
    pub(super) fn check(&self, kind: Kind, errors: &mut Errors) {
        if kind == Kind::Projection && self.rule == Rule::Replay {
            let message = "the tables of a projection depend on the order of its events, so an \
                           added policy replays none: rebuild the projection, or write `added = \
                           now` to leave the earlier events out";
            errors.on(&self.word, message);
        }
    }

    /// The name of the rule in the hidden module.
    pub(super) fn name(&self) -> Ident {
        let name = match self.rule {
            Rule::Now => "Now",
            Rule::Replay => "Replay",
        };
        Ident::new(name, proc_macro2::Span::mixed_site())
    }
}
