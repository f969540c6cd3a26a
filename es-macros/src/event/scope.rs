//! The meaning of the names in an aggregate's block.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::TypePath;

use crate::syntax::attributes;
use crate::syntax::impl_block::{BlockItem, ImplBlock};
use crate::syntax::names;

/// The names of a block's items, by what they are.
pub(crate) struct Scope {
    pub(super) self_ty: TypePath,
    pub(crate) name: Ident,
    /// The first method that creates the aggregate.
    pub(crate) creating: Option<String>,
    pub(super) events: Vec<String>,
    pub(super) methods: Vec<String>,
    /// Functions without `self`, and constants.
    pub(super) associated: Vec<String>,
}

impl Scope {
    /// Reads the names of the block.
    pub(crate) fn of(block: &ImplBlock) -> Self {
        let mut scope = Self {
            self_ty: block.self_ty.clone(),
            name: block.name(),
            creating: None,
            events: Vec::new(),
            methods: Vec::new(),
            associated: Vec::new(),
        };
        for item in &block.items {
            match item {
                BlockItem::Method(method) => {
                    let marked = |attr| attributes::is_called(attr, "event");
                    let is_event = method.attrs.iter().any(marked);
                    scope.add(method.name(), is_event, method.sig.receiver().is_some());
                }
                BlockItem::Other(other) => scope.associated.extend(constant_name(&other.tokens)),
            }
        }
        scope
    }

    fn add(&mut self, name: String, is_event: bool, takes_self: bool) {
        if is_event {
            if !takes_self {
                self.creating.get_or_insert_with(|| name.clone());
            }
            self.events.push(name);
        } else if takes_self {
            self.methods.push(name);
        } else {
            self.associated.push(name);
        }
    }
}

/// The `MAX` of `const MAX: u32 = 5;`.
fn constant_name(item: &TokenStream) -> Option<String> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident == "const"))?;
    match tokens.next() {
        Some(TokenTree::Ident(name)) => Some(names::plain(&name)),
        _ => None,
    }
}
