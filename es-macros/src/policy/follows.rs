//! The parentheses of `#[policy(..)]`: one event, several of one aggregate, all of one, or
//! everything else. Options may stand among them.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ExprPath, Meta, Path, Token};

use super::options::is_option;
use crate::syntax::names;
use crate::syntax::tokens::is_punct;

/// The events that a policy follows.
pub(crate) enum Follows {
    /// `Dog::TrickAdded`.
    One(ExprPath),
    /// `Dog::Registered, Dog::TrickAdded`: events of one aggregate.
    Several(Vec<ExprPath>),
    /// `Dog::*`: all events of the aggregate.
    All(Path),
    /// `_`: everything that no other policy follows.
    Rest(Token![_]),
}

impl Follows {
    /// The events that are named one by one.
    pub(crate) fn events(&self) -> &[ExprPath] {
        match self {
            Self::One(event) => std::slice::from_ref(event),
            Self::Several(events) => events,
            Self::All(_) | Self::Rest(_) => &[],
        }
    }
}

/// `Dog` of `Dog::TrickAdded`; `None` if the event is not written with its aggregate in front.
pub(crate) fn aggregate_of(event: &ExprPath) -> Option<Path> {
    if event.qself.is_some() {
        return None;
    }
    let mut path = event.path.clone();
    path.segments.pop()?;
    path.segments.pop_punct();
    (!path.segments.is_empty()).then_some(path)
}

const NEEDS_EVENT: &str = "a policy says which event it follows: `#[policy(Dog::TrickAdded)]`";

/// One part of the list, between commas.
enum Part {
    Event(ExprPath),
    /// The aggregate, and the star behind it.
    All(Path, TokenTree),
    Rest(Token![_]),
}

/// Reads the parentheses of an attribute, and adds the options among them to `options`.
pub(super) fn parse(marker: &Attribute, options: &mut TokenStream) -> syn::Result<Follows> {
    let Meta::List(list) = &marker.meta else {
        return Err(syn::Error::new_spanned(&marker.meta, NEEDS_EVENT));
    };
    let all = split.parse2(list.tokens.clone())?;
    let (written, events): (Vec<_>, Vec<_>) = all.into_iter().partition(|tokens| is_option(tokens));
    options.extend(written.iter().map(|option| quote!(#(#option)*,)));
    let parts: Vec<_> = events.into_iter().map(part).collect::<syn::Result<_>>()?;
    if parts.is_empty() {
        return Err(syn::Error::new_spanned(&marker.meta, NEEDS_EVENT));
    }
    check_one_aggregate(&parts)?;
    Ok(follows(parts))
}

fn follows(parts: Vec<Part>) -> Follows {
    let mut events = Vec::new();
    for part in parts {
        match part {
            Part::Event(event) => events.push(event),
            Part::All(aggregate, _) => return Follows::All(aggregate),
            Part::Rest(rest) => return Follows::Rest(rest),
        }
    }
    match <[ExprPath; 1]>::try_from(events) {
        Ok([event]) => Follows::One(event),
        Err(events) => Follows::Several(events),
    }
}

/// Reads a list of events, each by itself.
pub(crate) fn list(input: ParseStream) -> syn::Result<Vec<Follows>> {
    let parts = split(input)?.into_iter().map(part);
    parts.map(|part| Ok(follows(vec![part?]))).collect()
}

/// Splits a list at its commas.
fn split(input: ParseStream) -> syn::Result<Vec<Vec<TokenTree>>> {
    let mut parts = Vec::new();
    while !input.is_empty() {
        let mut tokens = Vec::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            tokens.push(input.parse::<TokenTree>()?);
        }
        let comma: Option<Token![,]> = input.parse()?;
        if tokens.is_empty() {
            return Err(syn::Error::new_spanned(comma, NEEDS_EVENT));
        }
        parts.push(tokens);
    }
    Ok(parts)
}

/// `Dog::TrickAdded`, `Dog::*` or `_`.
fn part(tokens: Vec<TokenTree>) -> syn::Result<Part> {
    let all: TokenStream = tokens.iter().cloned().collect();
    if let Ok(rest) = syn::parse2::<Token![_]>(all.clone()) {
        return Ok(Part::Rest(rest));
    }
    if let [aggregate @ .., first, second, star] = &tokens[..]
        && is_punct(first, ':')
        && is_punct(second, ':')
        && is_punct(star, '*')
    {
        let aggregate = aggregate.iter().cloned().collect();
        let aggregate = Path::parse_mod_style.parse2(aggregate);
        return match aggregate {
            Ok(aggregate) => Ok(Part::All(aggregate, star.clone())),
            Err(_) => Err(syn::Error::new_spanned(all, NEEDS_EVENT)),
        };
    }
    let event: ExprPath =
        syn::parse2(all.clone()).map_err(|_| syn::Error::new_spanned(all, NEEDS_EVENT))?;
    if event.qself.is_none() && event.path.segments.len() == 1 {
        return Err(no_event(&event));
    }
    check_short_name(&event)?;
    Ok(Part::Event(event))
}

/// Rule: an event is named without its aggregate's name, as `#[event(..)]` names it.
fn check_short_name(event: &ExprPath) -> syn::Result<()> {
    let mut last = event.path.segments.iter().rev();
    let (Some(name), Some(aggregate)) = (last.next(), last.next()) else {
        return Ok(());
    };
    let (name, aggregate) = (&name.ident, &aggregate.ident);
    let Some(short) = names::without_aggregate(name, aggregate) else {
        return Ok(());
    };
    let message = format!(
        "`{aggregate}{short}` is the event's struct, and `{aggregate}::{short}` its name: write \
         `{aggregate}::{short}`, or `r#{name}` if the event is called `{name}`"
    );
    Err(syn::Error::new(name.span(), message))
}

fn no_event(name: &ExprPath) -> syn::Error {
    let shown = name.to_token_stream();
    let message = format!(
        "`{shown}` is not an event: write `Dog::TrickAdded` for one event of `Dog`, or `Dog::*` \
         for all of them"
    );
    syn::Error::new_spanned(name, message)
}

/// Rule: the method takes one type, which is the payload of an event, the enum of an aggregate, or
/// the undecoded event.
fn check_one_aggregate(parts: &[Part]) -> syn::Result<()> {
    let mut first = None;
    for (at, part) in parts.iter().enumerate() {
        if let (Part::Rest(_), true) = (part, parts.len() > 1) {
            let message = "`_` is everything that no other policy follows: give it a method of its \
                           own, which takes `&UndecodedEvent`";
            return Err(syn::Error::new_spanned(part, message));
        }
        let aggregate = part.aggregate();
        let first = first.get_or_insert_with(|| aggregate.clone());
        if let (Some(first), Some(other)) = (&first, &aggregate)
            && first != other
        {
            return Err(another_aggregate(part, first, other));
        }
        if parts[..at]
            .iter()
            .any(|other| other.has(part) || part.has(other))
        {
            let message = "this is named twice: remove one of the two";
            return Err(syn::Error::new_spanned(part, message));
        }
    }
    Ok(())
}

fn another_aggregate(part: &Part, first: &Path, other: &Path) -> syn::Error {
    let first = first.to_token_stream();
    let other = other.to_token_stream();
    let message = format!(
        "a policy follows events of one aggregate, whose enum it takes, and `{other}` is another \
         than `{first}`: write a method for each aggregate, and let both call a third for what they share"
    );
    syn::Error::new_spanned(part, message)
}

impl Part {
    fn aggregate(&self) -> Option<Path> {
        match self {
            Self::Event(event) => aggregate_of(event),
            Self::All(aggregate, _) => Some(aggregate.clone()),
            Self::Rest(_) => None,
        }
    }

    /// Returns true if this names what `other` names, too.
    fn has(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Event(one), Self::Event(other)) => one == other,
            (Self::All(all, _), other) => other.aggregate().as_ref() == Some(all),
            _ => false,
        }
    }
}

impl ToTokens for Part {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Event(event) => event.to_tokens(tokens),
            Self::All(aggregate, star) => {
                aggregate.to_tokens(tokens);
                star.to_tokens(tokens);
            }
            Self::Rest(rest) => rest.to_tokens(tokens),
        }
    }
}
