//! The rules of an aggregate. Each rule is a function; what it finds is reported with the rest.

mod around_state;
mod command;
pub(super) mod state;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::Attribute;

use crate::aggregate::model::{Aggregate, Item};
use crate::aggregate::parse::EventsHalf;
use crate::event::scope::Scope;
use crate::event::{self, Event, EventKind};
use crate::id::{self, IdFn};
use crate::syntax::attributes::last_segment;
use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::{BlockItem, Method, OtherItem};
use crate::syntax::{exclusive, names};

/// Checks the impl half. Mistakes are reported, and what could be understood comes out.
pub(super) fn events(half: EventsHalf, errors: &mut Errors) -> Aggregate {
    let EventsHalf {
        krate,
        vis,
        mut block,
    } = half;
    exclusive::check("aggregate", &mut block.attrs, errors);
    let name = block.name();
    let scope = Scope::of(&block);
    let mut id = None;
    let items = block.items.into_iter();
    let items: Vec<Item> = items
        .map(|item| check_item(item, &scope, &krate, &mut id, errors))
        .collect();
    let items = check_short_names(items, &name, errors);
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
    check_parameters_of_id(&mut aggregate, errors);
    aggregate
}

/// `#[event(..)]` and `#[id]` on a method, taken off it.
#[derive(Default)]
struct Markers {
    event: Option<Attribute>,
    id: Option<Attribute>,
}

fn check_item(
    item: BlockItem,
    scope: &Scope,
    krate: &CratePath,
    id: &mut Option<IdFn>,
    errors: &mut Errors,
) -> Item {
    let mut method = match item {
        BlockItem::Method(method) => method,
        BlockItem::Other(other) => return Item::Plain(check_other(other, errors)),
    };
    let Markers { event, id: marker } = take_markers(&mut method.attrs, errors);
    match (event, marker) {
        (Some(event), None) => match event::read(&event, method, scope, krate, errors) {
            Ok(event) => Item::Event(Box::new(event)),
            Err(method) => Item::Broken(method),
        },
        (None, Some(marker)) => {
            id::read(&marker, &method, id, errors);
            Item::Plain(method.into_token_stream())
        }
        (Some(_), Some(marker)) => {
            let message = "a method is an event or computes the id, not both: write a second \
                           function for the id";
            errors.on(marker, message);
            Item::Broken(method)
        }
        (None, None) => check_plain(method, scope, errors),
    }
}

/// Rule: a method that is no event leaves the state alone, and does not take the aggregate for it.
fn check_plain(method: Box<Method>, scope: &Scope, errors: &mut Errors) -> Item {
    let is_broken = command::changes_state(&method, errors)
        || around_state::is_taken_for_it(&method, scope, errors);
    if is_broken {
        return Item::Broken(method);
    }
    Item::Plain(method.into_token_stream())
}

/// Rule: `#[event]` and `#[id]` stand on methods.
fn check_other(mut other: OtherItem, errors: &mut Errors) -> TokenStream {
    let markers = take_markers(&mut other.attrs, errors);
    for marker in [markers.event, markers.id].into_iter().flatten() {
        if other.is_broken_method() {
            errors.add(other.error.clone());
            return TokenStream::new();
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

/// Rule: an aggregate begins with an event. A block without one may be a second block of the same
/// aggregate.
fn check_creating_event(aggregate: &Aggregate, errors: &mut Errors) -> bool {
    let creates = |event: &Event| event.kind == EventKind::Creating;
    let unclear = |item: &Item| matches!(item, Item::Broken(_));
    if aggregate.events().any(creates) || aggregate.items.iter().any(unclear) {
        return true;
    }
    let name = names::plain(&aggregate.name);
    let message = format!(
        "nothing creates `{name}`: write a method such as `#[event(Created)] pub fn create() -> \
         Self {{ .. }}`, or move the events to the block that has one"
    );
    errors.on(&aggregate.self_ty, message);
    false
}

/// Rule: an event's name does not begin with the aggregate's, which generated names put in front of
/// it. One that does is read without it, so that what uses the event is not wrong too.
fn check_short_names(mut items: Vec<Item>, aggregate: &Ident, errors: &mut Errors) -> Vec<Item> {
    for item in &mut items {
        let Item::Event(event) = item else { continue };
        let Some(short) = names::without_aggregate(&event.name, aggregate) else {
            continue;
        };
        let (long, aggregate) = (&event.name, names::plain(aggregate));
        let message = format!(
            "`{aggregate}` is put in front of an event's name, so this would be \
             `{aggregate}{long}`: write `#[event({short})]`, or `r#{long}` if that is what you mean"
        );
        errors.at(long.span(), message);
        event.name = Ident::new(&short, long.span());
    }
    items
}

/// Rule: a name is one event's. A second method of that name stays a method only.
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

/// Rule: the `#[id]` function is called with what each creating method has.
fn check_parameters_of_id(aggregate: &mut Aggregate, errors: &mut Errors) {
    let Some(id) = &aggregate.id else { return };
    for item in &mut aggregate.items {
        if let Item::Event(event) = item {
            id::check_parameters(id, event, errors);
        }
    }
}
