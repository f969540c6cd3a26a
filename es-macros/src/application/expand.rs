//! ```text
//! pub struct DogSchool { application }
//! impl DogSchool { pub fn new(env: Env) -> Result<Self> }
//! impl Leader for DogSchool { .. }
//! impl Deref for DogSchool { type Target = Application; .. }
//! ```

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::parse::{Application, Kind};
use crate::derives::derives;
use crate::{names, spans};

pub(super) fn application(application: &Application) -> TokenStream {
    let definition = definition(application);
    let new = new(application);
    let leader = leader(application);
    let deref = deref(application);
    let debug = (!derives(&application.item.attrs, "Debug")).then(|| debug(application));
    let assertion = (application.kind == Kind::Follower).then(|| assertion(application));
    quote!(#definition #new #leader #deref #debug #assertion)
}

fn definition(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let item = &application.item;
    let (attrs, vis, ident) = (&item.attrs, &item.vis, &item.ident);
    let keyword = &item.struct_token;
    let body = spans::braces(ident.span(), quote!(__application: #krate::Application));
    quote! {
        #(#attrs)*
        #vis #keyword #ident #body
    }
}

fn new(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let (vis, ident) = (&application.item.vis, &application.item.ident);
    quote! {
        impl #ident {
            /// Opens the application on the store that `env` says, in memory if it says none.
            ///
            /// # Errors
            /// When the environment is wrong, or the store cannot be opened.
            #[allow(dead_code)]
            #vis fn new(env: #krate::Env) -> #krate::Result<Self> {
                #private::open(env)
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

/// Fails to compile, on the user's struct, when the impl half is missing.
fn assertion(application: &Application) -> TokenStream {
    let private = application.krate.private();
    let ident = &application.item.ident;
    quote! {
        const _: () = #private::assert_has_policies::<#ident>();
    }
}
