//! ```text
//! pub struct DogSchool { application }
//! impl DogSchool { pub fn new(env: Env) -> Result<Self> }
//! impl Leader for DogSchool { .. }
//! impl Deref for DogSchool { type Target = Application; .. }
//! impl TrickTable { pub fn read(..) }                 (of a projection)
//! ```

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::parse::{Application, Kind};
use crate::derives::derives;
use crate::names;

pub(super) fn application(application: &Application) -> TokenStream {
    let definition = definition(application);
    let new = new(application);
    let leader = leader(application);
    let deref = deref(application);
    let debug = (!derives(&application.item.attrs, "Debug")).then(|| debug(application));
    let assertion = assertion(application);
    let read = (application.kind == Kind::Projection).then(|| read(application));
    quote!(#definition #new #leader #deref #debug #assertion #read)
}

fn definition(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let item = &application.item;
    let (attrs, vis, ident) = (&item.attrs, &item.vis, &item.ident);
    quote! {
        #(#attrs)*
        #vis struct #ident {
            __application: #krate::Application,
        }
    }
}

fn new(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let (vis, ident) = (&application.item.vis, &application.item.ident);
    let (open, doc) = match application.kind {
        Kind::Leader | Kind::Follower => (
            quote!(#private::open),
            " Opens the application on the store that `env` says, in memory if it says none.",
        ),
        Kind::Projection => (
            // Says, on the user's struct, when the impl half is missing.
            quote!(#private::open_projection::<#ident>),
            " Opens the projection on the store that `env` says, and makes its tables if they are missing.",
        ),
    };
    quote! {
        impl #ident {
            #[doc = #doc]
            ///
            /// # Errors
            /// When the environment is wrong, or the store cannot be opened.
            #[allow(dead_code)]
            #vis fn new(env: #krate::Env) -> #krate::Result<Self> {
                #open(env)
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
            fn __from_application(application: #krate::Application) -> Self {
                Self { __application: application }
            }
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
