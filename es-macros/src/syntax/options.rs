//! The options of an attribute: `#[aggregate(topic = "dogschool:Dog", vis = pub(crate))]`.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Path, Token, Visibility, parenthesized, token};

use super::crate_path::CratePath;
use super::errors::Errors;
use super::list;
use super::names;
use super::tokens::up_to_comma;
use super::versions::{self, Upcast, Version};

/// The options that one half of an attribute takes.
pub(crate) struct Accepted {
    /// The attribute as it is written.
    pub(crate) attribute: &'static str,
    /// The item on which it is, if it can be on several: ` on a struct`.
    pub(crate) on: &'static str,
    /// The options that belong here, each with an example.
    pub(crate) here: &'static [(&'static str, &'static str)],
    /// The options that belong elsewhere, each with its place.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// Options that several attributes take, each with an example.
pub(crate) const CRATE: (&str, &str) = ("crate", "`crate = other_name`");
pub(crate) const VERSION: (&str, &str) = ("version", "`version = 2`");
pub(crate) const AGGREGATES: (&str, &str) = ("aggregates", "`aggregates(Dog, Cat)`");
pub(crate) const ADDED: (&str, &str) = ("added", "`added = now`");
pub(crate) const ON_ERROR: (&str, &str) = ("on_error", "`on_error = set_aside`");
pub(crate) const FROM: (&str, &str) = ("from", "`from = now`");
pub(crate) const RETIRED: (&str, &str) = ("retired", "`retired(Dog::Renamed)`");
pub(crate) const UPCAST: (&str, &str) = ("upcast", "`upcast(1 => add_level)`");

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
    /// The aggregates that are saved by an application.
    pub(crate) aggregates: Option<Vec<Path>>,
    /// The key and the list of the policies that were taken out.
    pub(crate) retired: Option<(Ident, TokenStream)>,
    /// The key and the rule for events that a policy has missed.
    pub(crate) added: Option<(Ident, TokenStream)>,
    /// The key and the rule for events at which a policy fails.
    pub(crate) on_error: Option<(Ident, TokenStream)>,
    /// The key and the first event of a new follower.
    pub(crate) from: Option<(Ident, TokenStream)>,
}

/// `snapshot_every = 100`.
pub(crate) struct SnapshotEvery {
    /// The place where it was asked for.
    pub(crate) key: Ident,
    /// The number of events between two snapshots.
    pub(crate) events: u64,
}

impl Options {
    /// Reads the options; those with a mistake are reported and left out.
    pub(crate) fn parse(args: TokenStream, accepted: &Accepted, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        let all = |input: ParseStream| {
            list::each_item(input, errors, |input, errors| {
                options.parse_one(input, accepted, &mut seen, errors)
            })
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
            let Accepted { attribute, on, .. } = accepted;
            let message = format!("expected an option of `{attribute}`{on}: {accepted}");
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
        if name == "aggregates" {
            self.aggregates = Some(aggregates(key, input, errors)?);
            return Ok(());
        }
        if name == "retired" {
            self.retired = Some((key.clone(), in_parentheses(key, input)?));
            return Ok(());
        }
        if name != "upcast" {
            if input.is_empty() || input.peek(Token![,]) {
                return Err(ends("`=`"));
            }
            input.parse::<Token![=]>()?;
        }
        if input.is_empty() || input.peek(Token![,]) {
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
            "added" => self.added = Some((key.clone(), up_to_comma(input)?)),
            "on_error" => self.on_error = Some((key.clone(), up_to_comma(input)?)),
            "from" => self.from = Some((key.clone(), up_to_comma(input)?)),
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

/// Rule: an option stands where the attribute knows it.
fn check_place(key: &Ident, accepted: &Accepted) -> syn::Result<()> {
    let Accepted {
        attribute,
        on,
        here,
        elsewhere,
    } = accepted;
    if here.iter().any(|(name, _)| key == name) {
        return Ok(());
    }
    let message = match elsewhere.iter().find(|(name, _)| key == name) {
        Some((_, place)) => format!("`{key}` belongs to {place}: move it there"),
        None => format!("`{attribute}`{on} has no option `{key}`; it has {accepted}"),
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
    if input.peek(Token![<]) {
        return Err(input.error(
            "a struct with type arguments needs a name of its own, such as `type TrickAdded = \
             Taught<String>;`",
        ));
    }
    Ok(path)
}

/// `(Dog, Cat)`: types, at least one, each once.
fn aggregates(key: &Ident, input: ParseStream, errors: &mut Errors) -> syn::Result<Vec<Path>> {
    let list = in_parentheses(key, input)?;
    let names = |input: ParseStream| names_of_aggregates(input, errors);
    let names = names.parse2(list)?;
    if names.is_empty() {
        let message = "the list is empty, so nothing could be saved";
        return Err(syn::Error::new(key.span(), message));
    }
    Ok(names)
}

/// The tokens of `(..)` behind a key.
fn in_parentheses(key: &Ident, input: ParseStream) -> syn::Result<TokenStream> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            key.span(),
            "expected a list in parentheses",
        ));
    }
    let list;
    parenthesized!(list in input);
    list.parse()
}

fn names_of_aggregates(input: ParseStream, errors: &mut Errors) -> syn::Result<Vec<Path>> {
    let mut names: Vec<Path> = Vec::new();
    while !input.is_empty() {
        let wrong = syn::Error::new(input.span(), "expected the names of aggregates");
        let path = input.call(Path::parse_mod_style).map_err(|_| wrong)?;
        if names.contains(&path) {
            errors.on(
                &path,
                "this aggregate is listed twice: remove one of the two",
            );
        } else {
            names.push(path);
        }
        if !input.is_empty() {
            let wrong = syn::Error::new(input.span(), "expected a comma between two aggregates");
            input.parse::<Token![,]>().map_err(|_| wrong)?;
        }
    }
    Ok(names)
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
