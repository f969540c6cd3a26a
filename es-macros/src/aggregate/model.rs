//! An aggregate's impl half after the checks: what can be expanded.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Token, TypePath, Visibility};

use crate::event::Event;
use crate::id::IdFn;
use crate::syntax::crate_path::CratePath;
use crate::syntax::impl_block::Method;
use crate::syntax::{names, spans};

/// The impl half.
pub(super) struct Aggregate {
    pub(super) krate: CratePath,
    /// The visibility of what is generated.
    pub(super) vis: Visibility,
    pub(super) attrs: Vec<Attribute>,
    pub(super) impl_token: Token![impl],
    pub(super) self_ty: TypePath,
    pub(super) name: Ident,
    pub(super) brace: Span,
    pub(super) items: Vec<Item>,
    pub(super) id: Option<IdFn>,
    /// True if an event creates the aggregate. Without one, only what others may name comes out.
    pub(super) is_created: bool,
}

/// One item of the block, in the order in which they stand.
pub(super) enum Item {
    /// As written.
    Plain(TokenStream),
    Event(Box<Event>),
    /// A method with a mistake: its signature stays, so that no caller is wrong too.
    Broken(Box<Method>),
}

impl Aggregate {
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.items.iter().filter_map(|item| match item {
            Item::Event(event) => Some(&**event),
            Item::Plain(_) | Item::Broken(_) => None,
        })
    }

    pub(super) fn payload(&self, event: &Event) -> Ident {
        names::payload(&self.name, &event.name)
    }

    pub(super) fn event_enum(&self) -> Ident {
        names::event_enum(&self.name)
    }

    /// The method of `event`, for docs: a link if readers of the docs can follow it.
    pub(super) fn link_to_method(&self, event: &Event) -> String {
        let rest = format!("::{}", event.method.sig.ident);
        match event.method.vis {
            Visibility::Public(_) => self.link(&rest),
            _ => format!("`{}{rest}`", self.name),
        }
    }

    /// The aggregate and what follows behind it, for docs. The path is given where the name alone
    /// does not lead there.
    pub(super) fn link(&self, rest: &str) -> String {
        let path = self.self_ty.to_token_stream().to_string().replace(' ', "");
        if self.name == path {
            format!("[`{path}{rest}`]")
        } else {
            format!("[`{}{rest}`]({path}{rest})", self.name)
        }
    }

    /// The state: never by its name, so that a missing struct half is what is reported.
    pub(super) fn state(&self) -> TokenStream {
        let Self {
            krate,
            self_ty,
            name,
            ..
        } = self;
        let private = krate.private();
        spans::all_at(name.span(), quote!(<#self_ty as #private::HasState>::State))
    }
}
