//! `retry(times = 5, backoff = "100ms..60s", then = stop)`: the further attempts at an event.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Token};

use crate::syntax::errors::Errors;
use crate::syntax::{list, tokens};

/// The keys that were written. The library has the values of the others.
#[derive(Default)]
pub(crate) struct Retry {
    times: Option<u32>,
    /// The shortest and the longest pause in milliseconds.
    backoff: Option<(u64, u64)>,
    /// The name of what follows the last attempt in the hidden module.
    then: Option<&'static str>,
}

const TIMES: &str = "write `times = 5`";
const BACKOFF: &str = "write `backoff = \"100ms..60s\"`";
const THEN: &str = "write `then = stop` or `then = set_aside`";

/// The keys, each with its repair.
const KEYS: [(&str, &str); 3] = [("times", TIMES), ("backoff", BACKOFF), ("then", THEN)];

/// The units of a pause, each with its milliseconds.
const UNITS: [(&str, u64); 3] = [("ms", 1), ("min", 60_000), ("s", 1_000)];

/// The longest pause in milliseconds, which is a day.
const LONGEST: u64 = 24 * 60 * 60_000;

impl Retry {
    /// Reads the list between the parentheses, and reports all its mistakes. `None` if it has any.
    pub(super) fn read(keys: TokenStream, errors: &mut Errors) -> Option<Self> {
        let found = errors.count();
        let mut retry = Self::default();
        let mut seen = Vec::new();
        let all = |input: ParseStream| {
            list::each_item(input, errors, |input, errors| {
                retry.read_one(input, &mut seen, errors)
            })
        };
        if let Err(error) = all.parse2(keys) {
            errors.add(error);
        }
        (errors.count() == found).then_some(retry)
    }

    fn read_one(
        &mut self,
        input: ParseStream,
        seen: &mut Vec<String>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        const HAS: &str = "it has `times = 5`, `backoff = \"100ms..60s\"`, `then = set_aside`";
        let no_key = syn::Error::new(input.span(), format!("expected a key of `retry`: {HAS}"));
        let key = input.call(Ident::parse_any).map_err(|_| no_key)?;
        let name = key.to_string();
        let Some((_, repair)) = KEYS.iter().find(|(known, _)| name == *known) else {
            let message = format!("`retry` has no `{key}`; {HAS}");
            return Err(syn::Error::new(key.span(), message));
        };
        if seen.contains(&name) {
            let message = format!("`{key}` is given twice: remove one of the two");
            errors.at(key.span(), message);
        }
        let equals: Option<Token![=]> = input.parse()?;
        let value = tokens::up_to_comma(input)?;
        if equals.is_none() || value.is_empty() {
            let message = format!("`{key}` has no value: {repair}");
            return Err(syn::Error::new(key.span(), message));
        }
        match name.as_str() {
            "times" => self.times = Some(times(value)?),
            "backoff" => self.backoff = Some(backoff(value)?),
            _ => self.then = Some(then(value)?),
        }
        seen.push(name);
        Ok(())
    }

    /// Returns the attempts as a value of the hidden module.
    pub(super) fn value(&self, private: &TokenStream) -> TokenStream {
        let Self {
            times,
            backoff,
            then,
        } = self;
        let by_default = quote!(#private::Retry::DEFAULT);
        let is_whole = times.is_some() && backoff.is_some() && then.is_some();
        let is_empty = times.is_none() && backoff.is_none() && then.is_none();
        if is_empty {
            return by_default;
        }
        let times = times.map(|times| quote!(times: #times,));
        let backoff = backoff
            .map(|(shortest, longest)| quote!(backoff: #private::backoff(#shortest, #longest),));
        let then = then.map(|name| {
            let name = Ident::new(name, proc_macro2::Span::mixed_site());
            quote!(then: #private::Then::#name,)
        });
        let rest = (!is_whole).then(|| quote!(..#by_default));
        quote!(#private::Retry { #times #backoff #then #rest })
    }
}

/// Rule: a policy that is tried again is tried at least once more.
fn times(value: TokenStream) -> syn::Result<u32> {
    let written = syn::parse2::<LitInt>(value.clone());
    let written = written.ok().filter(|times| times.suffix().is_empty());
    let times = written.and_then(|times| times.base10_parse::<u32>().ok());
    let message = match times {
        Some(times @ 1..) => return Ok(times),
        Some(_) => format!(
            "`retry` makes at least one further attempt: {TIMES}, or `on_error = stop` or `on_error \
             = set_aside` for none"
        ),
        None => format!("`times` is a number of further attempts from 1 to 4294967295: {TIMES}"),
    };
    Err(syn::Error::new_spanned(value, message))
}

fn then(value: TokenStream) -> syn::Result<&'static str> {
    let tokens: Vec<_> = value.clone().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(word)] if word == "stop" => Ok("Stop"),
        [TokenTree::Ident(word)] if word == "set_aside" => Ok("SetAside"),
        _ => {
            let message = format!("`then` is `stop` or `set_aside`: {THEN}");
            Err(syn::Error::new_spanned(value, message))
        }
    }
}

/// Rule: a backoff goes from the shortest to the longest pause.
fn backoff(value: TokenStream) -> syn::Result<(u64, u64)> {
    let wrong = |message: String| Err(syn::Error::new_spanned(&value, message));
    let Ok(text) = syn::parse2::<LitStr>(value.clone()) else {
        return wrong(format!(
            "`backoff` is the shortest and the longest pause, in quotes: {BACKOFF}"
        ));
    };
    let text = text.value();
    let Some((shortest, longest)) = text.split_once("..") else {
        return wrong(format!(
            "`backoff` is the shortest and the longest pause, with two dots between them: {BACKOFF}"
        ));
    };
    let (shortest, longest) = (shortest.trim(), longest.trim());
    match (pause(shortest), pause(longest)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        (Some(_), Some(_)) => wrong(format!(
            "the longest pause is shorter than the shortest one: write `backoff = \
             \"{longest}..{shortest}\"`"
        )),
        (from, _) => {
            let pause = if from.is_none() { shortest } else { longest };
            wrong(format!(
                "`{pause}` is not a pause, which is a whole number with `ms`, `s` or `min`, from \
                 1ms to 1440min: {BACKOFF}"
            ))
        }
    }
}

/// Returns the milliseconds of `100ms`, `2s` or `5min`.
fn pause(text: &str) -> Option<u64> {
    let mut units = UNITS.iter();
    let (number, millis) =
        units.find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))?;
    // `parse` takes a sign, too.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = number.parse::<u64>().ok()?.checked_mul(*millis)?;
    (1..=LONGEST).contains(&millis).then_some(millis)
}
