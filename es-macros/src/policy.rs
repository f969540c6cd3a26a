//! `#[policy(..)]` on a method of a block that follows other applications: attribute → signature.

mod added;
mod expand;
pub(crate) mod follows;
mod signature;
mod types;

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Type};

use added::Added;
pub(crate) use expand::{entry, retired};
use follows::Follows;

use crate::kind::Kind;
use crate::syntax::attributes;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::misplaced;

/// `#[policy(Dog::TrickAdded)] fn count_trick(..)`.
pub(crate) struct Policy {
    /// The events that it follows.
    pub(crate) follows: Follows,
    /// The rule for events that were recorded before the policy was added.
    added: Option<Added>,
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
    let written = follows::parse(marker);
    let written = written.map_err(|error| errors.add(error)).ok();
    let found = errors.count();
    if let Some((_, Some(added))) = &written {
        added.check(kind, errors);
    }
    let follows = written.as_ref().map(|(follows, _)| follows);
    let types = signature::check(kind, method, follows, errors);
    if errors.count() > found {
        return None;
    }
    let signature::Types {
        takes,
        works_on,
        returns,
    } = types?;
    let (follows, added) = written?;
    Some(Policy {
        follows,
        added,
        cfgs: attributes::cfgs(&method.attrs).cloned().collect(),
        method: method.sig.ident.clone(),
        takes,
        works_on,
        returns,
    })
}
