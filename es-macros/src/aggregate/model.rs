//! An aggregate's impl half after the checks: what can be expanded.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Path, Token, Type, TypePath, Visibility};

use crate::crate_path::CratePath;
use crate::impl_block::Method;
use crate::versions::Versions;
use crate::{names, spans};

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
    /// Whether an event creates the aggregate; without one, only what others may name comes out.
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

/// An `#[event]` method.
pub(super) struct Event {
    pub(super) name: Ident,
    pub(super) kind: EventKind,
    pub(super) versions: Versions,
    /// The user's own struct of the fields.
    pub(super) declared: Option<Path>,
    /// What is stored, in the order of the parameters.
    pub(super) fields: Vec<Param>,
    /// The parameter that takes the event's time.
    pub(super) timestamp: Option<Param>,
    pub(super) method: Method,
    /// Whether the method has a mistake. Its event comes out all the same, as far as it was understood, for
    /// those who use it.
    pub(super) broken: bool,
}

/// What an event does to the aggregate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    /// A method without `self` that returns `Self`.
    Creating,
    /// A method with `&mut self`.
    Mutating,
}

/// The `#[id]` function.
pub(super) struct IdFn {
    pub(super) name: Ident,
    /// What it returns, where an id of a wrong type is shown.
    pub(super) returns: Type,
    pub(super) params: Vec<Param>,
}

/// A parameter of an event method or of the `#[id]` function.
pub(super) struct Param {
    pub(super) mutability: Option<Token![mut]>,
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) passing: Passing,
}

/// How callers pass a parameter, which decides how it is stored.
pub(super) enum Passing {
    /// `T`: stored as it is.
    Owned,
    /// `&T`: stored as `T`'s owned form.
    Borrowed(Type),
    /// `Option<&T>`: stored as an `Option` of `T`'s owned form.
    OptionBorrowed(Type),
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

    /// The aggregate, for docs, and what follows behind it. The path is given where the name alone does not lead there.
    pub(super) fn link(&self, rest: &str) -> String {
        let path = self.self_ty.to_token_stream().to_string().replace(' ', "");
        match self.name == path {
            true => format!("[`{path}{rest}`]"),
            false => format!("[`{}{rest}`]({path}{rest})", self.name),
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
        spans::all_at(name.span(), quote!(<#self_ty as #krate::HasState>::State))
    }
}

impl Param {
    /// The name under which the parameter is stored.
    pub(super) fn key(&self) -> String {
        names::plain(&self.ident)
    }

    /// The type of the payload's field.
    pub(super) fn stored_type(&self, krate: &CratePath) -> TokenStream {
        let private = krate.private();
        match &self.passing {
            Passing::Owned => self.ty.to_token_stream(),
            Passing::Borrowed(ty) => owned_form(ty, &private),
            Passing::OptionBorrowed(ty) => {
                let owned = owned_form(ty, &private);
                quote!(#private::Option<#owned>)
            }
        }
    }
}

/// `String` for `str`, `Vec<T>` for `[T]`, and what `ToOwned` says for all others.
fn owned_form(ty: &Type, private: &TokenStream) -> TokenStream {
    match ty {
        Type::Path(path) if path.path.is_ident("str") => {
            spans::all_at(ty.span(), quote!(#private::String))
        }
        Type::Slice(slice) => {
            let (item, vec) = (&slice.elem, spans::all_at(ty.span(), quote!(#private::Vec)));
            quote!(#vec<#item>)
        }
        _ => {
            let to_owned = spans::all_at(ty.span(), quote!(#private::ToOwned));
            quote!(<#ty as #to_owned>::Owned)
        }
    }
}
