//! `#[event(..)]` on a method of an aggregate's block: attribute → signature → parameters → body.

mod attribute;
mod body;
mod fallible;
mod params;
pub(crate) mod scope;
mod signature;

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Path};

use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::misplaced;
use crate::syntax::param::Param;
use crate::syntax::versions::Versions;
use attribute::EventAttribute;
use params::Params;
use scope::Scope;

/// An `#[event]` method.
pub(crate) struct Event {
    pub(crate) name: Ident,
    pub(crate) kind: EventKind,
    pub(crate) versions: Versions,
    /// The user's own struct of the fields.
    pub(crate) declared: Option<Path>,
    /// The parameters that are stored, in order.
    pub(crate) fields: Vec<Param>,
    /// The parameter that takes the event's time.
    pub(crate) timestamp: Option<Param>,
    pub(crate) method: Method,
    /// True if the method has a mistake. Its event comes out as far as it was understood, for those
    /// who use it.
    pub(crate) broken: bool,
}

/// The effect of an event on the aggregate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A method without `self` that returns `Self`.
    Creating,
    /// A method with `&mut self`.
    Mutating,
}

/// Expands the attribute where nothing reads it.
pub(crate) fn misplaced(_args: TokenStream, item: TokenStream) -> TokenStream {
    misplaced::report("event", "aggregate", item)
}

/// Reads the event that `method` makes, and reports its mistakes.
///
/// # Errors
/// The method, if its attribute gives no name to the event.
pub(crate) fn read(
    marker: &Attribute,
    mut method: Box<Method>,
    scope: &Scope,
    krate: &CratePath,
    errors: &mut Errors,
) -> Result<Event, Box<Method>> {
    let found = errors.count();
    let attribute = EventAttribute::read(marker, errors);
    let kind = signature::check(&method, errors);
    let declared = attribute
        .as_ref()
        .is_some_and(|read| read.declared.is_some());
    let Params { fields, timestamp } = Params::read(&method, declared, errors);
    if errors.count() == found {
        fallible::check(&method, errors);
    }
    method.body = body::for_state(&method, kind, scope, krate, errors);
    let Some(EventAttribute {
        name,
        versions,
        declared,
    }) = attribute
    else {
        return Err(method);
    };
    Ok(Event {
        name,
        kind,
        versions,
        declared,
        fields,
        timestamp,
        method: *method,
        broken: errors.count() > found,
    })
}
