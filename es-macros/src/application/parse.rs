//! The struct as it was written.

use proc_macro2::TokenStream;
use syn::{ItemStruct, LitStr};

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::options::{Accepted, Options};

/// `#[application] struct DogSchool;`.
pub(super) struct Application {
    pub(super) kind: Kind,
    pub(super) krate: CratePath,
    pub(super) name: Option<LitStr>,
    pub(super) item: ItemStruct,
}

/// Which of the attributes it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `#[application]`: it keeps events.
    Leader,
    /// `#[process_application]`: it follows others, too.
    Follower,
    /// `#[projection]`: it follows others, and keeps tables.
    Projection,
}

impl Kind {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leader => "application",
            Self::Follower => "process_application",
            Self::Projection => "projection",
        }
    }

    /// How messages call it.
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Leader => "#[application]",
            Self::Follower => "#[process_application]",
            Self::Projection => "#[projection]",
        }
    }

    fn accepted(self) -> Accepted {
        let attribute = match self {
            Self::Leader => "`#[application]`",
            Self::Follower => "`#[process_application]`",
            Self::Projection => "`#[projection]`",
        };
        let here = &[
            ("name", "`name = \"DogSchool\"`"),
            ("crate", "`crate = other_name`"),
        ];
        Accepted {
            attribute,
            here,
            elsewhere: &[],
        }
    }
}

pub(super) fn application(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Application> {
    let options = Options::parse(args, &kind.accepted(), errors);
    let item = syn::parse2(item.clone()).map_err(|error| not_a_struct(kind, &item, error))?;
    Ok(Application {
        kind,
        krate: options.krate,
        name: options.name,
        item,
    })
}

/// A struct that cannot be read has the parser's error; anything else is told what the attribute is for.
fn not_a_struct(kind: Kind, item: &TokenStream, error: syn::Error) -> syn::Error {
    let is_struct = item
        .clone()
        .into_iter()
        .any(|token| token.to_string() == "struct");
    if is_struct {
        return error;
    }
    let attribute = kind.attribute();
    let is_impl = item
        .clone()
        .into_iter()
        .any(|token| token.to_string() == "impl");
    let message = match (kind, is_impl) {
        (Kind::Leader, true) => {
            "`#[application]` is for the struct only: remove it here, or write `#[process_application]` if this block has \
             policies"
                .to_owned()
        }
        _ => format!("`{attribute}` is for a struct: `{attribute} pub struct DogSchool;`"),
    };
    syn::Error::new_spanned(item, message)
}
