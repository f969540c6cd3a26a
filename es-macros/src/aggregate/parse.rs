//! The two halves as they were written.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, DeriveInput, LitStr, Token, Visibility};

use crate::syntax::crate_path::CratePath;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::{self, ImplBlock};
use crate::syntax::options::{Accepted, CRATE, ON_ERROR, Options, SnapshotEvery, UPCAST, VERSION};
use crate::syntax::versions::Versions;

/// The half that the attribute is on.
pub(super) enum Half {
    State(StateHalf),
    Events(EventsHalf),
}

/// `#[aggregate] struct Dog { .. }`.
pub(super) struct StateHalf {
    pub(super) krate: CratePath,
    pub(super) topic: Option<LitStr>,
    pub(super) snapshot_every: Option<SnapshotEvery>,
    pub(super) versions: Versions,
    pub(super) item: DeriveInput,
}

/// `#[aggregate] impl Dog { .. }`, not yet checked.
pub(super) struct EventsHalf {
    pub(super) krate: CratePath,
    pub(super) vis: Visibility,
    pub(super) block: ImplBlock,
}

const TOPIC: (&str, &str) = ("topic", "`topic = \"dogschool:Dog\"`");
const SNAPSHOTS: (&str, &str) = ("snapshot_every", "`snapshot_every = 100`");
const VIS: (&str, &str) = ("vis", "`vis = pub(crate)`");
const OF_WHAT_IS_STORED: &str =
    "the `#[aggregate]` on the struct, or to the `#[event(..)]` whose fields have changed";
const OF_FOLLOWER: &str = "the `#[policy(..)]` that may fail, or to the `#[process_application]` \
                           or `#[projection]` on its impl block";

const ON_STRUCT: Accepted = Accepted {
    attribute: "#[aggregate]",
    on: " on a struct",
    here: &[TOPIC, SNAPSHOTS, VERSION, UPCAST, CRATE],
    elsewhere: &[
        (
            "vis",
            "the `#[aggregate]` on the impl block, which makes the events",
        ),
        (ON_ERROR.0, OF_FOLLOWER),
    ],
};

const ON_IMPL: Accepted = Accepted {
    attribute: "#[aggregate]",
    on: " on an impl block",
    here: &[VIS, CRATE],
    elsewhere: &[
        (
            "topic",
            "the `#[aggregate]` on the struct, whose stored name it is",
        ),
        (
            "snapshot_every",
            "the `#[aggregate]` on the struct, whose state is stored",
        ),
        ("version", OF_WHAT_IS_STORED),
        ("upcast", OF_WHAT_IS_STORED),
        (ON_ERROR.0, OF_FOLLOWER),
    ],
};

/// Reads the half that the attribute is on.
pub(super) fn half(args: TokenStream, item: TokenStream, errors: &mut Errors) -> syn::Result<Half> {
    if impl_block::is_impl_block(&item) {
        events_half(args, item, errors).map(Half::Events)
    } else {
        state_half(args, item, errors).map(Half::State)
    }
}

fn events_half(
    args: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> syn::Result<EventsHalf> {
    let options = Options::parse(args, &ON_IMPL, errors);
    let public = || Visibility::Public(Token![pub](Span::call_site()));
    Ok(EventsHalf {
        krate: options.krate,
        vis: options.vis.unwrap_or_else(public),
        block: syn::parse2(item)?,
    })
}

fn state_half(args: TokenStream, item: TokenStream, errors: &mut Errors) -> syn::Result<StateHalf> {
    let found = errors.count();
    let options = Options::parse(args, &ON_STRUCT, errors);
    let versions = options.versions.check_after(found, errors);
    Ok(StateHalf {
        krate: options.krate,
        topic: options.topic,
        snapshot_every: options.snapshot_every,
        versions,
        item: state_item(item)?,
    })
}

fn state_item(item: TokenStream) -> syn::Result<DeriveInput> {
    syn::parse2(item.clone()).map_err(|error| {
        if is_data(&item) {
            return error;
        }
        syn::Error::new_spanned(
            item,
            "`#[aggregate]` is for a struct or an enum and its impl block: remove it here",
        )
    })
}

fn is_data(item: &TokenStream) -> bool {
    let peek = |input: ParseStream| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let is_data = input.peek(Token![struct]) || input.peek(Token![enum]);
        input.parse::<TokenStream>()?;
        Ok(is_data)
    };
    peek.parse2(item.clone()).unwrap_or(false)
}
