//! ```text
//! pub struct School { mailer: Mailer, application }
//! impl School { pub fn new(env: Env, mailer: Mailer) -> Result<Self> }
//! impl FromEnv for School { .. }      where there is no field
//! impl Leader for School { .. }
//! impl Deref for School { type Target = Application; .. }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Field, Fields, ItemStruct};

use super::parse::{Application, Kind};
use crate::derives::derives;
use crate::names;

pub(super) fn application(application: &Application) -> TokenStream {
    let definition = definition(application);
    let new = new(application);
    let from_env = fields(&application.item)
        .next()
        .is_none()
        .then(|| from_env(application));
    let leader = leader(application);
    let deref = deref(application);
    let debug = (!derives(&application.item.attrs, "Debug")).then(|| debug(application));
    let assertion = (application.kind == Kind::Follower).then(|| assertion(application));
    quote!(#definition #new #from_env #leader #deref #debug #assertion)
}

/// The fields that the user wrote. Those without a name are a mistake, and were reported.
fn fields(item: &ItemStruct) -> impl Iterator<Item = &Field> {
    let named = match &item.fields {
        Fields::Named(fields) => Some(fields.named.iter()),
        Fields::Unnamed(_) | Fields::Unit => None,
    };
    named.into_iter().flatten()
}

/// The conditions under which a field exists.
fn cfgs(field: &Field) -> impl Iterator<Item = &Attribute> {
    let attrs = field.attrs.iter();
    attrs.filter(|attr| attr.path().is_ident("cfg"))
}

fn definition(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let item = &application.item;
    let (attrs, vis, ident) = (&item.attrs, &item.vis, &item.ident);
    let fields = fields(item);
    quote! {
        #(#attrs)*
        #vis struct #ident {
            #(#fields,)*
            __application: #krate::Application,
        }
    }
}

fn new(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let (vis, ident) = (&application.item.vis, &application.item.ident);
    // A field may have the same name.
    let env = Ident::new("env", Span::mixed_site());
    let parameters = fields(&application.item).map(|field| {
        let (cfgs, name, ty) = (cfgs(field), &field.ident, &field.ty);
        quote!(#(#cfgs)* #name: #ty)
    });
    let values = fields(&application.item).map(|field| {
        let (cfgs, name) = (cfgs(field), &field.ident);
        quote!(#(#cfgs)* #name)
    });
    let doc = match &application.item.fields {
        Fields::Named(fields) if !fields.named.is_empty() => {
            " Opens the application on the store that `env` says, in memory if it says none, with its fields in order."
        }
        _ => " Opens the application on the store that `env` says, in memory if it says none.",
    };
    quote! {
        impl #ident {
            #[doc = #doc]
            ///
            /// # Errors
            /// When the environment is wrong, or the store cannot be opened.
            #[allow(dead_code, clippy::too_many_arguments)]
            #vis fn new(#env: #krate::Env, #(#parameters),*) -> #krate::Result<Self> {
                #private::Result::Ok(Self {
                    #(#values,)*
                    __application: #private::open::<Self>(#env)?,
                })
            }
        }
    }
}

/// A system can make one by itself.
fn from_env(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ident = &application.item.ident;
    quote! {
        impl #private::FromEnv<Self> for #ident {
            fn from_env(env: #krate::Env) -> #krate::Result<Self> {
                Self::new(env)
            }
        }
    }
}

fn leader(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ident = &application.item.ident;
    let name = match &application.name {
        Some(name) => name.to_token_stream(),
        None => names::plain(ident).to_token_stream(),
    };
    let role = match application.kind {
        Kind::Leader => quote!(Leader),
        Kind::Follower => quote!(Follower),
    };
    quote! {
        impl #krate::Leader for #ident {
            const NAME: &'static #private::str = #name;
            const ROLE: #krate::Role = #krate::Role::#role;
            type __Itself = Self;
        }
    }
}

fn deref(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ident = &application.item.ident;
    quote! {
        impl #private::Deref for #ident {
            type Target = #krate::Application;
            fn deref(&self) -> &#krate::Application {
                &self.__application
            }
        }
    }
}

fn debug(application: &Application) -> TokenStream {
    let private = application.krate.private();
    let ident = &application.item.ident;
    let name = names::plain(ident);
    quote! {
        impl #private::Debug for #ident {
            fn fmt(&self, f: &mut #private::Formatter<'_>) -> #private::FmtResult {
                #private::debug_struct(f, #name, &[("application", &self.__application)])
            }
        }
    }
}

/// Fails to compile, on the user's struct, when the impl half is missing.
fn assertion(application: &Application) -> TokenStream {
    let private = application.krate.private();
    let ident = &application.item.ident;
    quote! {
        const _: () = #private::assert_has_policies::<#ident>();
    }
}
