//! What an aggregate must be. Every rule is a function; what it finds is reported with the rest.

mod around_state;
mod body;
mod command;
mod event;
mod fallible;
mod id;
mod params;
mod state;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Attribute;

use super::model::{Aggregate, Event, EventKind, IdFn, Item};
use super::parse::EventsHalf;
use crate::alone;
use crate::errors::Errors;
use crate::impl_block::{BlockItem, Method, OtherItem};
use crate::names;
use body::Scope;
pub(super) use state::check as state;

/// Checks the impl half. What is wrong is reported, and what could be understood comes out.
pub(super) fn events(half: EventsHalf, errors: &mut Errors) -> Aggregate {
    let EventsHalf {
        krate,
        vis,
        mut block,
    } = half;
    alone::check("aggregate", &mut block.attrs, errors);
    let name = block.name();
    let scope = Scope::of(&block);
    let mut id = None;
    let items = block.items.into_iter();
    let items: Vec<Item> = items
        .map(|item| check_item(item, &scope, &mut id, errors))
        .collect();
    let items = check_unique_names(items, errors);
    let mut aggregate = Aggregate {
        krate,
        vis,
        attrs: block.attrs,
        impl_token: block.impl_token,
        self_ty: block.self_ty,
        name,
        brace: block.brace.span(),
        items,
        id,
        is_created: true,
    };
    aggregate.is_created = check_creating_event(&aggregate, errors);
    id::check_parameters(&mut aggregate, errors);
    aggregate
}

/// `#[event(..)]` and `#[id]` on a method, taken off it.
#[derive(Default)]
struct Markers {
    event: Option<Attribute>,
    id: Option<Attribute>,
}

fn check_item(item: BlockItem, scope: &Scope, id: &mut Option<IdFn>, errors: &mut Errors) -> Item {
    let mut method = match item {
        BlockItem::Method(method) => method,
        BlockItem::Other(other) => return Item::Plain(check_other(other, errors)),
    };
    let markers = take_markers(&mut method.attrs, errors);
    match markers {
        Markers {
            event: Some(event),
            id: None,
        } => event::check(&event, *method, scope, errors),
        Markers {
            event: None,
            id: Some(marker),
        } => {
            id::check(&marker, &method, id, errors);
            Item::Plain(method.into_token_stream())
        }
        Markers {
            event: Some(_),
            id: Some(marker),
        } => {
            let message = "a method is an event or computes the id, not both: write a second function for the id";
            errors.on(marker, message);
            Item::Broken(method)
        }
        Markers {
            event: None,
            id: None,
        } if command::changes_state(&method, errors)
            || around_state::is_taken_for_it(&method, scope, errors) =>
        {
            Item::Broken(method)
        }
        Markers {
            event: None,
            id: None,
        } => Item::Plain(method.into_token_stream()),
    }
}

/// `#[event]` and `#[id]` stand on methods.
fn check_other(mut other: OtherItem, errors: &mut Errors) -> proc_macro2::TokenStream {
    let markers = take_markers(&mut other.attrs, errors);
    for marker in [markers.event, markers.id].into_iter().flatten() {
        let is_method = other
            .tokens
            .clone()
            .into_iter()
            .any(|token| token.to_string() == "fn");
        if is_method {
            errors.add(other.error.clone());
            return proc_macro2::TokenStream::new();
        }
        let name = last_segment(&marker).map_or_else(String::new, Ident::to_string);
        errors.on(
            &marker,
            format!("`#[{name}]` is for a method: remove it here"),
        );
    }
    other.into_token_stream()
}

fn take_markers(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Markers {
    let mut markers = Markers::default();
    attrs.retain(|attr| {
        let place = match last_segment(attr) {
            Some(name) if name == "event" => &mut markers.event,
            Some(name) if name == "id" => &mut markers.id,
            _ => return true,
        };
        if place.is_some() {
            errors.on(
                attr,
                "written twice: a method makes one event; remove one of the two",
            );
        }
        place.get_or_insert_with(|| attr.clone());
        false
    });
    markers
}

fn last_segment(attr: &Attribute) -> Option<&Ident> {
    attr.path().segments.last().map(|segment| &segment.ident)
}

/// An aggregate begins with an event. A block without one may be a second block of the same aggregate.
fn check_creating_event(aggregate: &Aggregate, errors: &mut Errors) -> bool {
    let creates = |event: &Event| event.kind == EventKind::Creating;
    let unclear = |item: &Item| matches!(item, Item::Broken(_));
    if aggregate.events().any(creates) || aggregate.items.iter().any(unclear) {
        return true;
    }
    let name = names::plain(&aggregate.name);
    errors.on(
        &aggregate.self_ty,
        format!(
            "nothing creates `{name}`: write a method such as `#[event(Created)] pub fn create() -> Self {{ .. }}`, or move \
             the events to the block that has one"
        ),
    );
    false
}

/// One name, one event. A second method of that name stays a method only.
fn check_unique_names(items: Vec<Item>, errors: &mut Errors) -> Vec<Item> {
    let mut seen: Vec<(Ident, Ident)> = Vec::new();
    let check = |item| {
        let Item::Event(event) = item else {
            return item;
        };
        let Some((_, other)) = seen.iter().find(|(name, _)| *name == event.name) else {
            seen.push((event.name.clone(), event.method.sig.ident.clone()));
            return Item::Event(event);
        };
        let name = &event.name;
        let message = format!(
            "`{name}` is already the event of `{other}`: give each method an event of its own"
        );
        errors.at(name.span(), message);
        Item::Broken(Box::new(event.method))
    };
    items.into_iter().map(check).collect()
}

/// A name for messages: `add_trick`.
fn method_name(method: &Method) -> String {
    names::plain(&method.sig.ident)
}
