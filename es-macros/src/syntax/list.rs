//! Lists between parentheses: `1 => add_level, 2 => rename_trick`.

use proc_macro2::TokenTree;
use syn::Token;
use syn::parse::ParseStream;

use super::errors::Errors;

/// Reads what stands between commas. An item with a mistake is reported and left out.
pub(crate) fn each_item(
    input: ParseStream,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    while !input.is_empty() {
        if let Err(error) = item(input, errors) {
            errors.add(error);
            skip_to_comma(input)?;
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn skip_to_comma(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
