//! `#[policy(..)]` on a method of a block that follows other applications: attribute → signature.

mod added;
mod expand;
pub(crate) mod follows;
pub(crate) mod on_error;
mod options;
mod signature;
mod types;

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Type};

pub(crate) use expand::{entry, retired};
use follows::Follows;
use options::PolicyOptions;

use crate::kind::Kind;
use crate::syntax::attributes;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::misplaced;

/// `#[policy(Dog::TrickAdded)] fn count_trick(..)`.
pub(crate) struct Policy {
    /// The events that it follows.
    pub(crate) follows: Follows,
    options: PolicyOptions,
    /// The conditions under which the method exists.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) method: Ident,
    /// The `DomainEvent<DogTrickAdded>` that the method takes a reference to.
    takes: Type,
    /// The `&mut ProcessingEvent`, or the `&mut Transaction<'_>`.
    works_on: Type,
    returns: Type,
}

/// Expands the attribute where nothing reads it.
pub(crate) fn misplaced(_args: TokenStream, item: TokenStream) -> TokenStream {
    misplaced::report("policy", "process_application", item)
}

/// Reads a policy of a `kind` of application, and reports its mistakes. `None` if it has any.
pub(crate) fn read(
    kind: Kind,
    marker: &Attribute,
    method: &Method,
    errors: &mut Errors,
) -> Option<Policy> {
    let found = errors.count();
    let mut written = TokenStream::new();
    let follows = follows::parse(marker, &mut written);
    let follows = follows.map_err(|error| errors.add(error)).ok();
    let options = options::read(kind, written, errors);
    let types = signature::check(kind, method, follows.as_ref(), errors);
    if errors.count() > found {
        return None;
    }
    let signature::Types {
        takes,
        works_on,
        returns,
    } = types?;
    Some(Policy {
        follows: follows?,
        options,
        cfgs: attributes::cfgs(&method.attrs).cloned().collect(),
        method: method.sig.ident.clone(),
        takes,
        works_on,
        returns,
    })
}
