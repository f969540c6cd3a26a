//! The parentheses of `#[event(TrickAdded, version = 2, upcast(1 => add_level))]`: a name, and
//! options.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta, Path, Token};

use crate::syntax::errors::Errors;
use crate::syntax::names;
use crate::syntax::options::{Accepted, Options, UPCAST, VERSION};
use crate::syntax::versions::Versions;

/// The attribute as it was understood.
pub(super) struct EventAttribute {
    pub(super) name: Ident,
    pub(super) versions: Versions,
    /// The user's own struct of the fields.
    pub(super) declared: Option<Path>,
}

/// The endings of the names of an aggregate's own generated types.
const TAKEN: &[&str] = &["State", "Event"];

const NEEDS_NAME: &str = "an event needs a name, which says what happened: `#[event(TrickAdded)]`";

const OPTIONS: Accepted = Accepted {
    attribute: "#[event(..)]",
    on: "",
    here: &[VERSION, UPCAST, ("payload", "`payload = TrickAdded`")],
    elsewhere: &[
        (
            "topic",
            "the `#[aggregate]` on the struct, with whose stored name those of its events begin",
        ),
        (
            "snapshot_every",
            "the `#[aggregate]` on the struct, whose state is stored",
        ),
        ("vis", "the `#[aggregate]` on the impl block"),
        ("crate", "the `#[aggregate]` on the impl block"),
    ],
};

impl EventAttribute {
    /// Reads the attribute. `None` if it has no name that could be one.
    pub(super) fn read(marker: &Attribute, errors: &mut Errors) -> Option<Self> {
        let found = errors.count();
        let (name, options) = match &marker.meta {
            Meta::List(list) if !list.tokens.is_empty() => parse.parse2(list.tokens.clone()),
            _ => Err(syn::Error::new_spanned(&marker.meta, NEEDS_NAME)),
        }
        .map_err(|error| errors.add(error))
        .ok()?;
        let options = Options::parse(options, &OPTIONS, errors);
        Some(Self {
            name,
            versions: options.versions.check_after(found, errors),
            declared: options.payload,
        })
    }
}

/// Reads `TrickAdded`, and what stands behind the comma.
fn parse(input: ParseStream) -> syn::Result<(Ident, TokenStream)> {
    if let Some(quoted) = input.parse::<Option<LitStr>>()? {
        input.parse::<TokenStream>()?;
        let message = format!(
            "write the event's name without quotes: `#[event({})]`",
            quoted.value()
        );
        return Err(syn::Error::new(quoted.span(), message));
    }
    let name = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), NEEDS_NAME))?;
    check_name(&name)?;
    check_stands_alone(&name, input)?;
    Ok((name, options(input)?))
}

/// Rule: the name becomes part of a type's.
fn check_name(name: &Ident) -> syn::Result<()> {
    let plain = names::plain(name);
    let message = if TAKEN.contains(&plain.as_str()) {
        format!(
            "the aggregate's own type ends in `{plain}`: give the event a name that says what \
             happened"
        )
    } else if !plain.starts_with(char::is_uppercase) || plain.contains('_') || plain == "Self" {
        "the event's name becomes a type's: write it like one, such as `TrickAdded`".to_owned()
    } else {
        return Ok(());
    };
    Err(syn::Error::new(name.span(), message))
}

/// Rule: the name stands alone. The aggregate is the block's, and the fields are the method's
/// parameters.
fn check_stands_alone(name: &Ident, input: ParseStream) -> syn::Result<()> {
    if input.peek(Token![::]) {
        let rest: TokenStream = input.parse()?;
        let last = rest.clone().into_iter().last();
        let name = last.map_or_else(String::new, |last| last.to_string());
        let message =
            format!("the event is the block's own: write its name alone, `#[event({name})]`");
        return Err(syn::Error::new_spanned(rest, message));
    }
    if input.peek(syn::token::Brace) || input.peek(syn::token::Paren) || input.peek(Token![<]) {
        let rest: TokenStream = input.parse()?;
        let message = format!(
            "the fields of an event are the method's parameters: write its name alone, \
             `#[event({name})]`"
        );
        return Err(syn::Error::new_spanned(rest, message));
    }
    Ok(())
}

/// Reads what follows the name. Rule: that is options, not a second name.
fn options(input: ParseStream) -> syn::Result<TokenStream> {
    if input.is_empty() {
        return Ok(TokenStream::new());
    }
    input.parse::<Token![,]>()?;
    let ahead = input.fork();
    let is_name = |name: Ident| name.to_string().starts_with(char::is_uppercase);
    if ahead.call(Ident::parse_any).is_ok_and(is_name)
        && (ahead.is_empty() || ahead.peek(Token![,]))
    {
        let message = "a method makes one event: write one name, and a method for each other event";
        let rest: TokenStream = input.parse()?;
        return Err(syn::Error::new_spanned(rest, message));
    }
    input.parse()
}
