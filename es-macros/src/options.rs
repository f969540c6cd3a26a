//! The options in the parentheses of an attribute: `#[aggregate(topic = "dogschool:Dog", vis = pub(crate))]`.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Path, Token, Visibility};

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::names;
use crate::versions::{self, Upcast, Version};

/// What one half of an attribute takes.
pub(crate) struct Accepted {
    /// How messages call the attribute, with the item it is on.
    pub(crate) attribute: &'static str,
    /// The options that belong here, and what one writes.
    pub(crate) here: &'static [(&'static str, &'static str)],
    /// The options that belong elsewhere, and where.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// The options that were written.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) krate: CratePath,
    pub(crate) topic: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) vis: Option<Visibility>,
    pub(crate) snapshot_every: Option<SnapshotEvery>,
    pub(crate) versions: versions::Written,
    pub(crate) payload: Option<Path>,
}

/// `snapshot_every = 100`.
pub(crate) struct SnapshotEvery {
    /// Where it was asked for.
    pub(crate) key: Ident,
    /// After how many events.
    pub(crate) events: u64,
}

impl Options {
    /// Reads the options; those with a mistake are reported and left out.
    pub(crate) fn parse(args: TokenStream, accepted: &Accepted, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let all = |input: ParseStream| {
            let mut seen = Vec::new();
            while !input.is_empty() {
                if let Err(error) = options.parse_one(input, accepted, &mut seen, errors) {
                    errors.add(error);
                    skip_to_comma(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = all.parse2(args) {
            errors.add(error);
        }
        options
    }

    fn parse_one(
        &mut self,
        input: ParseStream,
        accepted: &Accepted,
        seen: &mut Vec<String>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let key = input.call(Ident::parse_any).map_err(|error| {
            let message = format!("expected an option of {}: {}", accepted.attribute, accepted);
            syn::Error::new(error.span(), message)
        })?;
        check_place(&key, accepted)?;
        if seen.contains(&names::plain(&key)) {
            errors.at(
                key.span(),
                format!("`{key}` is given twice: remove one of the two"),
            );
        }
        seen.push(names::plain(&key));
        let example = accepted.example(&key);
        self.parse_value(&key, input, errors)
            .map_err(|error| syn::Error::new(error.span(), format!("{error}: write {example}")))
    }

    fn parse_value(
        &mut self,
        key: &Ident,
        input: ParseStream,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let ends = |what| syn::Error::new(key.span(), format!("expected {what}"));
        let name = names::plain(key);
        if name != "upcast" {
            if input.is_empty() {
                return Err(ends("`=`"));
            }
            input.parse::<Token![=]>()?;
        }
        if input.is_empty() {
            return Err(ends("a value"));
        }
        match name.as_str() {
            "crate" => self.krate = CratePath::written(input.call(Path::parse_mod_style)?),
            "topic" => self.topic = Some(stored_name(input)?),
            "name" => self.name = Some(stored_name(input)?),
            "snapshot_every" => {
                self.snapshot_every = Some(SnapshotEvery {
                    key: key.clone(),
                    events: positive(input)?,
                });
            }
            "version" => self.versions.version = Some(Version::parse(key, input)?),
            "upcast" => self.versions.upcast = Some(Upcast::parse(key, input, errors)?),
            "payload" => self.payload = Some(declared(input)?),
            _ => self.vis = Some(input.parse()?),
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        Err(input.error("unexpected"))
    }
}

impl Accepted {
    fn example(&self, key: &Ident) -> &'static str {
        let found = self.here.iter().find(|(name, _)| key == name);
        found.map_or("an option", |(_, example)| example)
    }
}

/// Lists what may be written.
impl std::fmt::Display for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let examples: Vec<_> = self.here.iter().map(|(_, example)| *example).collect();
        f.write_str(&examples.join(", "))
    }
}

/// An option stands where the attribute knows it.
fn check_place(key: &Ident, accepted: &Accepted) -> syn::Result<()> {
    let Accepted {
        attribute,
        here,
        elsewhere,
    } = accepted;
    if here.iter().any(|(name, _)| key == name) {
        return Ok(());
    }
    let message = match elsewhere.iter().find(|(name, _)| key == name) {
        Some((_, place)) => format!("`{key}` belongs to {place}: move it there"),
        None => format!("{attribute} has no option `{key}`; it has {accepted}"),
    };
    Err(syn::Error::new(key.span(), message))
}

/// A name that is stored: text without spaces, not empty.
fn stored_name(input: ParseStream) -> syn::Result<LitStr> {
    let name: LitStr = input.parse()?;
    let value = name.value();
    if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(syn::Error::new(
            name.span(),
            "a stored name is not empty and has no spaces",
        ));
    }
    Ok(name)
}

/// The name of a struct, or a path to it.
fn declared(input: ParseStream) -> syn::Result<Path> {
    let wrong = syn::Error::new(input.span(), "expected the name of a struct");
    let path = input.call(Path::parse_mod_style).map_err(|_| wrong)?;
    match input.peek(Token![<]) {
        true => Err(input.error(
            "a struct with type arguments needs a name of its own, such as `type TrickAdded = Taught<String>;`",
        )),
        false => Ok(path),
    }
}

/// A number of events: an integer above 0.
fn positive(input: ParseStream) -> syn::Result<u64> {
    let not_positive = |span| syn::Error::new(span, "expected a positive number of events");
    let wrong = not_positive(input.span());
    let number: LitInt = input.parse().map_err(|_| wrong)?;
    match number.base10_parse() {
        Ok(events) if events > 0 && number.suffix().is_empty() => Ok(events),
        _ => Err(not_positive(number.span())),
    }
}

/// Goes on behind a mistake.
pub(crate) fn skip_to_comma(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
