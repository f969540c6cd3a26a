//! The struct as it was written.

use proc_macro2::TokenStream;
use syn::{ItemStruct, LitStr, Path};

use crate::kind::Kind;
use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::options::{AGGREGATES, Accepted, CRATE, FROM, ON_ERROR, Options, RETIRED};
use crate::syntax::tokens;

/// `#[application] struct DogSchool;`.
pub(super) struct Application {
    pub(super) kind: Kind,
    pub(super) krate: CratePath,
    pub(super) name: Option<LitStr>,
    /// The aggregates that it saves; `None` if they are not listed.
    pub(super) aggregates: Option<Vec<Path>>,
    pub(super) item: ItemStruct,
}

const NAME: (&str, &str) = ("name", "`name = \"DogSchool\"`");
const OF_PROCESS_APPLICATION: &str =
    "the `#[process_application]` on the impl block, which has the policies";
const OF_PROJECTION: &str = "the `#[projection]` on the impl block, which has the policies";
const OF_FOLLOWER: &str = "the `#[process_application]` or `#[projection]` on the impl block of an \
                           application that follows others";

pub(super) fn application(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<Application> {
    let accepted = Accepted {
        attribute: kind.attribute(),
        on: "",
        here: match kind {
            Kind::Application | Kind::ProcessApplication => &[NAME, AGGREGATES, CRATE],
            Kind::Projection => &[NAME, CRATE],
        },
        elsewhere: match kind {
            Kind::Application => &[(ON_ERROR.0, OF_FOLLOWER), (FROM.0, OF_FOLLOWER)],
            Kind::ProcessApplication => &[
                (RETIRED.0, OF_PROCESS_APPLICATION),
                (ON_ERROR.0, OF_PROCESS_APPLICATION),
                (FROM.0, OF_PROCESS_APPLICATION),
            ],
            Kind::Projection => &[
                (RETIRED.0, OF_PROJECTION),
                (ON_ERROR.0, OF_PROJECTION),
                (FROM.0, OF_PROJECTION),
            ],
        },
    };
    let options = Options::parse(args, &accepted, errors);
    let item = syn::parse2(item.clone()).map_err(|error| not_a_struct(kind, &item, error))?;
    Ok(Application {
        kind,
        krate: options.krate,
        name: options.name,
        aggregates: options.aggregates,
        item,
    })
}

/// The error on an item that is no struct. A struct that cannot be read keeps the parser's error.
fn not_a_struct(kind: Kind, item: &TokenStream, error: syn::Error) -> syn::Error {
    if tokens::has_word(item, "struct") {
        return error;
    }
    let message = if kind == Kind::Application && tokens::has_word(item, "impl") {
        "`#[application]` is for the struct only: remove it here, or write \
         `#[process_application]` if this block has policies"
            .to_owned()
    } else {
        let attribute = kind.attribute();
        format!("`{attribute}` is for a struct: `{attribute} pub struct DogSchool;`")
    };
    syn::Error::new_spanned(item, message)
}
