//! A parameter as a name and a type: of an event method or of the `#[id]` function.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{GenericArgument, Pat, PatType, PathArguments, Token, Type, TypeReference};

use super::crate_path::CratePath;
use super::errors::Errors;
use super::{names, spans};

/// A parameter whose pattern is a plain name.
pub(crate) struct Param {
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) passing: Passing,
}

/// The way in which callers pass a parameter, which decides what is stored.
pub(crate) enum Passing {
    /// `T`: stored as it is.
    Owned,
    /// `&T`: stored as `T`'s owned form.
    Borrowed(Type),
    /// `Option<&T>`: stored as an `Option` of `T`'s owned form.
    OptionBorrowed(Type),
}

impl Param {
    /// Reads a parameter of `whose`. Rule: it has a plain name, which is the field's.
    pub(crate) fn read(param: &PatType, whose: &str, errors: &mut Errors) -> Option<Self> {
        let plain = match &*param.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat,
            Pat::Wild(pat) => {
                let message = format!("a parameter of {whose} is known by its name: give it one");
                errors.on(pat, message);
                return None;
            }
            pat => {
                let message =
                    format!("a parameter of {whose} is a plain name: take it apart in the body");
                errors.on(pat, message);
                return None;
            }
        };
        let ty = (*param.ty).clone();
        let passing = passing(&ty);
        Some(Self {
            mutability: plain.mutability,
            ident: plain.ident.clone(),
            ty,
            passing,
        })
    }

    /// The name under which the parameter is stored.
    pub(crate) fn key(&self) -> String {
        names::plain(&self.ident)
    }

    /// The type of the payload's field.
    pub(crate) fn stored_type(&self, krate: &CratePath) -> TokenStream {
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

fn passing(ty: &Type) -> Passing {
    match ty {
        Type::Reference(reference) => Passing::Borrowed((*reference.elem).clone()),
        Type::Paren(paren) => passing(&paren.elem),
        Type::Group(group) => passing(&group.elem),
        _ => match optional_reference(ty) {
            Some(reference) => Passing::OptionBorrowed((*reference.elem).clone()),
            None => Passing::Owned,
        },
    }
}

/// The `&T` in `Option<&T>`.
pub(crate) fn optional_reference(ty: &Type) -> Option<&TypeReference> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match args.args.first() {
        Some(GenericArgument::Type(Type::Reference(reference))) => Some(reference),
        _ => None,
    }
}

/// The owned form of a type: `String` for `str`, `Vec<T>` for `[T]`, and what `ToOwned` makes of
/// all others.
fn owned_form(ty: &Type, private: &TokenStream) -> TokenStream {
    match ty {
        Type::Path(path) if path.path.is_ident("str") => {
            spans::all_at(ty.span(), quote!(#private::String))
        }
        Type::Slice(slice) => {
            let item = &slice.elem;
            let vec = spans::all_at(ty.span(), quote!(#private::Vec));
            quote!(#vec<#item>)
        }
        _ => {
            let to_owned = spans::all_at(ty.span(), quote!(#private::ToOwned));
            quote!(<#ty as #to_owned>::Owned)
        }
    }
}
