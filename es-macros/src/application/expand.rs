//! ```text
//! pub struct School { mailer: Mailer, application }
//! impl School { pub fn new(env: Env, mailer: Mailer) -> Result<Self> }
//! impl FromEnv for School { .. }      where there is no field
//! impl Leader for School { .. }
//! impl Deref for School { type Target = Application; .. }
//! impl TrickTable { pub fn read(..) }  of a projection
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Field, Fields, ItemStruct};

use super::parse::{Application, Kind};
use crate::derives::derives;
use crate::{names, spans};

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
    let assertion = assertion(application);
    let read = (application.kind == Kind::Projection).then(|| read(application));
    quote!(#definition #new #from_env #leader #deref #debug #assertion #read)
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
    let fields = quote!(#(#fields,)* __application: #krate::Application);
    let (keyword, body) = (&item.struct_token, spans::braces(ident.span(), fields));
    quote! {
        #(#attrs)*
        #vis #keyword #ident #body
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
    let has_fields =
        matches!(&application.item.fields, Fields::Named(fields) if !fields.named.is_empty());
    let fields = if has_fields {
        ", with its fields in order"
    } else {
        ""
    };
    let (open, doc) = match application.kind {
        Kind::Leader | Kind::Follower => (
            quote!(#private::open::<Self>),
            format!(
                " Opens the application on the store that `env` says, in memory if it says none{fields}."
            ),
        ),
        // Says, on the user's struct, when the impl half is missing.
        Kind::Projection => (
            quote!(#private::open_projection::<#ident>),
            format!(
                " Opens the projection on the store that `env` says{fields}, and makes its tables if they are missing."
            ),
        ),
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
                    __application: #open(#env)?,
                })
            }
        }
    }
}

/// A system can make one by itself.
fn from_env(application: &Application) -> TokenStream {
    let (krate, ident) = (&application.krate, &application.item.ident);
    quote! {
        impl #krate::FromEnv for #ident {
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
        Kind::Follower | Kind::Projection => quote!(Follower),
    };
    quote! {
        impl #krate::Leader for #ident {
            const NAME: &'static #private::str = #name;
            const ROLE: #krate::Role = #krate::Role::#role;
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

/// Fails to compile, on the user's struct, when the impl half is missing; on the impl half, when this is another kind of
/// struct.
fn assertion(application: &Application) -> TokenStream {
    let private = application.krate.private();
    let ident = &application.item.ident;
    match application.kind {
        Kind::Leader => TokenStream::new(),
        Kind::Follower => quote!(const _: () = #private::assert_has_policies::<#ident>();),
        Kind::Projection => quote!(impl #private::ProjectionStruct for #ident {}),
    }
}

/// The queries of a projection go through this.
fn read(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let (vis, ident) = (&application.item.vis, &application.item.ident);
    quote! {
        impl #ident {
            /// Reads the tables, in a transaction that sees one moment and changes nothing.
            ///
            /// # Errors
            /// What `work` says, and when the store cannot be read.
            #[allow(dead_code)]
            #vis fn read<T>(
                &self,
                work: impl #private::FnOnce(&mut #krate::Transaction<'_>) -> #krate::Result<T>,
            ) -> #krate::Result<T> {
                #private::read(self, work)
            }
        }
    }
}
