//! `version = 3, upcast(1 => add_level, 2 => rename_trick)`: in which version something is stored, and what makes it of the
//! older ones.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{LitInt, Path, Token};

use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::{options, spans};

/// What was written, not yet checked.
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
pub(crate) struct Step {
    from: u64,
    place: Span,
    upcaster: Path,
}

/// The version in which something is stored, and the step from each older one to the next.
pub(crate) struct Versions {
    current: u64,
    /// Where it was asked for, if it is not the first version.
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
    /// Reads the parentheses behind `upcast`; a step with a mistake is reported and left out.
    pub(crate) fn parse(key: &Ident, input: ParseStream, errors: &mut Errors) -> syn::Result<Self> {
        let group: Group = match input.parse() {
            Ok(group) => group,
            Err(error) => return Err(syn::Error::new(error.span(), "expected its steps")),
        };
        let mut steps = Vec::new();
        let all = |input: ParseStream| {
            while !input.is_empty() {
                match step(input) {
                    Ok(step) => steps.push(step),
                    Err(error) => {
                        errors.add(error);
                        options::skip_to_comma(input)?;
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
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

impl Written {
    /// Checks that one step leads from each version below the current one. What was left out because of a mistake,
    /// since `found` mistakes were found, is not missed.
    pub(crate) fn check_after(self, found: usize, errors: &mut Errors) -> Versions {
        match errors.count() > found {
            true => Versions::default(),
            false => self.check(errors),
        }
    }

    fn check(self, errors: &mut Errors) -> Versions {
        let Self { version, upcast } = self;
        let found = errors.count();
        let upcast = match (&version, upcast) {
            (None, Some(upcast)) => {
                check_has_version(&upcast, errors);
                None
            }
            (_, upcast) => upcast,
        };
        let mut steps = upcast.map_or_else(Vec::new, |upcast| upcast.steps);
        steps.sort_by_key(|step| step.from);
        if let Some(version) = &version {
            check_each_once(&steps, errors);
            check_below(&steps, version, errors);
            check_complete(&steps, version, errors);
        }
        if errors.count() > found {
            steps.clear();
        }
        Versions {
            current: version.as_ref().map_or(1, |version| version.number),
            key: version.map(|version| version.key),
            steps,
        }
    }
}

/// Steps lead to a version.
fn check_has_version(upcast: &Upcast, errors: &mut Errors) {
    let last = upcast.steps.iter().map(|step| step.from).max();
    let version = last.map_or(2, |last| last.saturating_add(1));
    let message =
        format!("`upcast` needs the version that its steps lead to: add `version = {version}`");
    errors.at(upcast.key.span(), message);
}

/// One step leads from a version.
fn check_each_once(steps: &[Step], errors: &mut Errors) {
    for pair in steps.windows(2) {
        if let [first, second] = pair
            && first.from == second.from
        {
            let message = format!(
                "two steps lead from version {}: write one function that does both, or remove one",
                second.from
            );
            errors.at(second.place, message);
        }
    }
}

/// A step leads to the current version at most.
fn check_below(steps: &[Step], version: &Version, errors: &mut Errors) {
    for Step { from, place, .. } in steps.iter().filter(|step| step.from >= version.number) {
        let message = format!(
            "a step leads from an older version, and {from} is not below `version = {}`: remove it, or write `version = \
             {}`",
            version.number,
            from.saturating_add(1)
        );
        errors.at(*place, message);
    }
}

/// What was stored in any older version can be read.
fn check_complete(steps: &[Step], version: &Version, errors: &mut Errors) {
    const SHOWN: usize = 3;
    let has_step = |from: &u64| steps.iter().any(|step| step.from == *from);
    let mut missing = (1..version.number).filter(|from| !has_step(from));
    let shown: Vec<u64> = missing.by_ref().take(SHOWN).collect();
    if shown.is_empty() {
        return;
    }
    let more = if missing.next().is_some() { ", .." } else { "" };
    let (first, versions) = match shown[..] {
        [first] => (first, "version"),
        _ => (shown[0], "versions"),
    };
    let listed = |one: fn(&u64) -> String| shown.iter().map(one).collect::<Vec<_>>().join(", ");
    let message = format!(
        "no step leads on from {versions} {from}{more}: write `upcast({steps}{more})`, where `fn from_{first}(state: &mut \
         impl StoredState)` makes of the fields of version {first} those of version {next}",
        from = listed(u64::to_string),
        steps = listed(|from| format!("{from} => from_{from}")),
        next = first.saturating_add(1),
    );
    errors.at(version.place, message);
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
    /// Whether it is not the first version.
    pub(crate) fn is_versioned(&self) -> bool {
        self.current > 1
    }

    /// Where a version was asked for.
    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }

    /// The version as it is written.
    pub(crate) fn current(&self) -> proc_macro2::Literal {
        proc_macro2::Literal::u64_unsuffixed(self.current)
    }

    /// The body of a function that upcasts `state`, which is an `S`, from the version `from`. A `Self` in the path of an upcaster is `self_ty`.
    pub(crate) fn upcast_body(&self, krate: &CratePath, self_ty: &TokenStream) -> TokenStream {
        let private = krate.private();
        let ours = Span::mixed_site();
        let arms = self.steps.iter().map(|step| {
            let from = proc_macro2::Literal::u64_unsuffixed(step.from);
            let upcaster = of(&step.upcaster, self_ty);
            let run = quote_spanned!(ours=> #private::upcast::<S, _>(#upcaster, state));
            // What the upcaster has wrong is shown where it is named.
            let name = step.upcaster.segments.last().map(Spanned::span);
            let run = spans::shown_at(name.unwrap_or(step.place), run);
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

/// The path where `Self` is something else.
fn of(path: &Path, self_ty: &TokenStream) -> TokenStream {
    let respan = |ident: &Ident| spans::all_at(ident.span(), self_ty);
    let mut segments = path.segments.iter().map(|segment| &segment.ident);
    match (path.leading_colon, segments.next()) {
        (None, Some(first)) if first == "Self" => {
            let (first, rest) = (respan(first), segments);
            quote!(#first #(::#rest)*)
        }
        _ => path.to_token_stream(),
    }
}
