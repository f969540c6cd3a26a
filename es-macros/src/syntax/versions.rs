//! `version = 3, upcast(1 => add_level, 2 => rename_trick)`: the version in which something is
//! stored, and the functions that upcast what was stored in an older one.

mod check;

use proc_macro2::{Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{LitInt, Path, Token};

use super::crate_path::CratePath;
use super::errors::Errors;
use super::{list, spans};

/// The options as they were written, not yet checked.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) version: Option<Version>,
    pub(crate) upcast: Option<Upcast>,
}

/// `version = 3`.
pub(crate) struct Version {
    number: u64,
    key: Ident,
    place: Span,
}

/// `upcast(1 => add_level, 2 => rename_trick)`.
pub(crate) struct Upcast {
    key: Ident,
    steps: Vec<Step>,
}

/// `1 => add_level`.
struct Step {
    from: u64,
    place: Span,
    upcaster: Path,
}

/// The version in which something is stored, and the step from each older one to the next.
pub(crate) struct Versions {
    current: u64,
    /// The place where the version was asked for, if it was.
    key: Option<Ident>,
    steps: Vec<Step>,
}

impl Version {
    /// Reads the `3` of `version = 3`.
    pub(crate) fn parse(key: &Ident, input: ParseStream) -> syn::Result<Self> {
        let place = input.span();
        let number = input.parse().and_then(|number| as_version(&number));
        Ok(Self {
            number: number.map_err(|_| syn::Error::new(place, "expected a version, from 1 on"))?,
            key: key.clone(),
            place,
        })
    }
}

impl Upcast {
    /// Reads the parentheses behind `upcast`. A step with a mistake is reported and left out.
    pub(crate) fn parse(key: &Ident, input: ParseStream, errors: &mut Errors) -> syn::Result<Self> {
        let group: Group = match input.parse() {
            Ok(group) => group,
            Err(error) => return Err(syn::Error::new(error.span(), "expected its steps")),
        };
        let mut steps = Vec::new();
        let all = |input: ParseStream| {
            list::each_item(input, errors, |input, _| {
                steps.push(step(input)?);
                Ok(())
            })
        };
        all.parse2(group.stream())?;
        let key = key.clone();
        Ok(Self { key, steps })
    }
}

fn step(input: ParseStream) -> syn::Result<Step> {
    const EXAMPLE: &str = "a step is a version and a function: write `1 => add_level`";
    let place = input.span();
    let read = |input: ParseStream| -> syn::Result<(LitInt, Path)> {
        let from: LitInt = input.parse()?;
        input.parse::<Token![=>]>()?;
        Ok((from, input.call(Path::parse_mod_style)?))
    };
    let (from, upcaster) = match read(input) {
        Ok(read) if input.is_empty() || input.peek(Token![,]) => read,
        _ if input.is_empty() => return Err(syn::Error::new(place, EXAMPLE)),
        _ => return Err(input.error(EXAMPLE)),
    };
    let from = as_version(&from).map_err(|_| syn::Error::new(place, "versions begin at 1"))?;
    Ok(Step {
        from,
        place,
        upcaster,
    })
}

/// An integer above 0.
fn as_version(number: &LitInt) -> syn::Result<u64> {
    match number.base10_parse() {
        Ok(version) if version > 0 && number.suffix().is_empty() => Ok(version),
        _ => Err(syn::Error::new(number.span(), "no version")),
    }
}

/// The first version.
impl Default for Versions {
    fn default() -> Self {
        Self {
            current: 1,
            key: None,
            steps: Vec::new(),
        }
    }
}

impl Versions {
    /// Returns true if this is not the first version.
    pub(crate) fn is_versioned(&self) -> bool {
        self.current > 1
    }

    /// The place where a version was asked for.
    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }

    /// The version as it is written.
    pub(crate) fn current(&self) -> Literal {
        Literal::u64_unsuffixed(self.current)
    }

    /// The body of a function that upcasts `state`, which is an `S`, from the version `from`. A
    /// `Self` in the path of an upcaster becomes `self_ty`.
    pub(crate) fn upcast_body(&self, krate: &CratePath, self_ty: &TokenStream) -> TokenStream {
        let private = krate.private();
        let ours = Span::mixed_site();
        let arms = self.steps.iter().map(|step| {
            let from = Literal::u64_unsuffixed(step.from);
            let upcaster = with_self(&step.upcaster, self_ty);
            let run = quote_spanned!(ours=> #private::upcast::<S, _>(#upcaster, state));
            // A mistake in the upcaster is shown where it is named.
            let name = step.upcaster.segments.last().map(Spanned::span);
            let run = spans::moved(name.unwrap_or(step.place), run);
            quote!(#from => #run,)
        });
        quote_spanned! {ours=>
            match from {
                #(#arms)*
                _ => #private::Result::Ok(()),
            }
        }
    }
}

/// The path with `self_ty` in place of a `Self`.
fn with_self(path: &Path, self_ty: &TokenStream) -> TokenStream {
    let mut segments = path.segments.iter().map(|segment| &segment.ident);
    match (path.leading_colon, segments.next()) {
        (None, Some(first)) if first == "Self" => {
            let first = spans::all_at(first.span(), self_ty);
            quote!(#first #(::#segments)*)
        }
        _ => path.to_token_stream(),
    }
}
