//! The rule for events whose policy fails: `on_error = stop`, `on_error = set_aside`, or
//! `on_error = retry(times = 5, backoff = "100ms..60s", then = set_aside)`.

mod retry;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use crate::syntax::errors::Errors;
use crate::syntax::tokens::is_parenthesis;
use retry::Retry;

/// The rule of a policy, or that of all policies of a block.
pub(crate) enum OnError {
    Stop,
    SetAside,
    Retry(Retry),
}

const RULES: &str = "write `on_error = stop` to stop in front of the event, `on_error = set_aside` \
                     to set it aside and go on behind it, or `on_error = retry(times = 5, backoff \
                     = \"100ms..60s\", then = stop)` to try it again";

/// Reads the value behind `on_error =`, and reports all its mistakes. `None` if it has any.
pub(crate) fn read((_, value): (Ident, TokenStream), errors: &mut Errors) -> Option<OnError> {
    let tokens: Vec<_> = value.clone().into_iter().collect();
    let (word, list) = match &tokens[..] {
        [TokenTree::Ident(word)] => (word, None),
        [TokenTree::Ident(word), TokenTree::Group(list)] if is_parenthesis(list) => {
            (word, Some(list))
        }
        _ => return unknown(value, errors),
    };
    let rule = match word.to_string().as_str() {
        "stop" => OnError::Stop,
        "set_aside" => OnError::SetAside,
        "retry" => {
            let list = list.map(|list| list.stream()).unwrap_or_default();
            return Retry::read(list, errors).map(OnError::Retry);
        }
        _ => return unknown(word, errors),
    };
    if let Some(list) = list {
        let message = format!("`{word}` has no list: remove the parentheses");
        errors.on(list, message);
        return None;
    }
    Some(rule)
}

fn unknown(tokens: impl ToTokens, errors: &mut Errors) -> Option<OnError> {
    let message = format!("`on_error` is `stop`, `set_aside` or `retry`: {RULES}");
    errors.on(tokens, message);
    None
}

impl OnError {
    /// Returns the rule as a value of the hidden module.
    pub(crate) fn value(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Stop => quote!(#private::OnError::Stop),
            Self::SetAside => quote!(#private::OnError::SetAside),
            Self::Retry(retry) => {
                let retry = retry.value(private);
                quote!(#private::OnError::Retry(#retry))
            }
        }
    }
}
