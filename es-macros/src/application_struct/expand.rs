//! ```text
//! pub struct School { mailer: Mailer, application }
//! impl School { pub fn new(env: Env, mailer: Mailer) -> Result<Self> }
//! impl FromEnv for School { .. }      where there is no field
//! impl ApplicationType for School { .. }
//! impl Deref for School { type Target = Application; .. }
//! impl TrickTable { pub fn read(..) }  of a projection
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Field, Fields, ItemStruct};

use super::parse::Application;
use crate::kind::Kind;
use crate::syntax::attributes::{cfgs, derives};
use crate::syntax::{names, spans};

pub(super) fn application(application: &Application) -> TokenStream {
    let definition = definition(application);
    let new = new(application);
    let from_env = fields(&application.item)
        .next()
        .is_none()
        .then(|| from_env(application));
    let application_type = application_type(application);
    let deref = deref(application);
    let debug = (!derives(&application.item.attrs, "Debug")).then(|| debug(application));
    let assertion = assertion(application);
    let read = (application.kind == Kind::Projection).then(|| read(application));
    quote!(#definition #new #from_env #application_type #deref #debug #assertion #read)
}

/// The fields that the user wrote. Those without a name are a mistake, and were reported.
fn fields(item: &ItemStruct) -> impl Iterator<Item = &Field> {
    let named = match &item.fields {
        Fields::Named(fields) => Some(fields.named.iter()),
        Fields::Unnamed(_) | Fields::Unit => None,
    };
    named.into_iter().flatten()
}

fn definition(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let item = &application.item;
    let ItemStruct {
        attrs,
        vis,
        struct_token,
        ident,
        ..
    } = item;
    let fields = fields(item);
    let fields = quote!(#(#fields,)* __application: #krate::Application);
    let body = spans::braces(ident.span(), fields);
    quote! {
        #(#attrs)*
        #vis #struct_token #ident #body
    }
}

fn new(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ItemStruct { vis, ident, .. } = &application.item;
    // A field may have the same name.
    let env = Ident::new("env", Span::mixed_site());
    let parameters = fields(&application.item).map(|field| {
        let cfgs = cfgs(&field.attrs);
        let Field { ident, ty, .. } = field;
        quote!(#(#cfgs)* #ident: #ty)
    });
    let values = fields(&application.item).map(|field| {
        let cfgs = cfgs(&field.attrs);
        let name = &field.ident;
        quote!(#(#cfgs)* #name)
    });
    let open = match application.kind {
        Kind::Application | Kind::ProcessApplication => quote!(#private::open::<Self>),
        // rustc reports a missing impl half at the user's struct.
        Kind::Projection => quote!(#private::open_projection::<#ident>),
    };
    let doc = doc_of_new(application);
    quote! {
        impl #ident {
            #[doc = #doc]
            ///
            /// # Errors
            /// Fails when the environment is wrong, or the store cannot be opened.
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

fn doc_of_new(application: &Application) -> String {
    let with_fields = if fields(&application.item).next().is_some() {
        ", with its fields in order"
    } else {
        ""
    };
    match application.kind {
        Kind::Application | Kind::ProcessApplication => format!(
            " Opens the application on the store that `env` names, in memory if it names \
             none{with_fields}."
        ),
        Kind::Projection => format!(
            " Opens the projection on the store that `env` names{with_fields}, and makes its \
             tables if they are missing."
        ),
    }
}

/// The impl by which a system opens the application without the user's help.
fn from_env(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ident = &application.item.ident;
    quote! {
        impl #private::FromEnv for #ident {
            fn from_env(env: #krate::Env) -> #krate::Result<Self> {
                Self::new(env)
            }
        }
    }
}

fn application_type(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ident = &application.item.ident;
    let name = match &application.name {
        Some(name) => name.to_token_stream(),
        None => names::plain(ident).to_token_stream(),
    };
    let role = match application.kind {
        Kind::Application => quote!(Leader),
        Kind::ProcessApplication | Kind::Projection => quote!(Follower),
    };
    let aggregates = application.aggregates.as_ref().map(|aggregates| {
        // rustc shows a type that is no aggregate where it is listed.
        let saved = aggregates.iter().map(|aggregate| {
            spans::covering(
                aggregate,
                quote!(#private::SavedAggregate::of::<#aggregate>()),
            )
        });
        quote! {
            const __AGGREGATES: #private::Option<&'static [#private::SavedAggregate]> =
                #private::Option::Some(&[#(#saved),*]);
        }
    });
    quote! {
        impl #private::ApplicationType for #ident {
            const NAME: &'static #private::str = #name;
            const ROLE: #private::Role = #private::Role::#role;
            #aggregates
            const __MADE_BY_THE_ATTRIBUTE: #private::MadeByTheAttribute =
                #private::MadeByTheAttribute;
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

/// The item that does not compile where the other half is missing or another kind's. rustc reports
/// a missing impl half at the user's struct, and another kind of struct at the impl half.
fn assertion(application: &Application) -> TokenStream {
    let private = application.krate.private();
    let ident = &application.item.ident;
    match application.kind {
        Kind::Application => TokenStream::new(),
        Kind::ProcessApplication => {
            quote! {
                const _: () = #private::assert_has_policies::<#ident>();
                impl #private::FollowerStruct for #ident {}
            }
        }
        Kind::Projection => quote! {
            impl #private::FollowerStruct for #ident {}
            impl #private::ProjectionStruct for #ident {}
        },
    }
}

/// The method by which the queries of a projection read its tables.
fn read(application: &Application) -> TokenStream {
    let krate = &application.krate;
    let private = krate.private();
    let ItemStruct { vis, ident, .. } = &application.item;
    quote! {
        impl #ident {
            /// Reads the tables, in a transaction that sees one moment and changes nothing.
            ///
            /// # Errors
            /// Returns the error of `work`, and fails when the store cannot be read.
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
