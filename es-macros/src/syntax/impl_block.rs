//! An impl block as a user wrote it, read without its bodies.
//!
//! Bodies stay groups of tokens, and an item that cannot be read is passed on as it is: while a
//! body or an item is being typed, the others still come out.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Generics, Signature, Token, Type, TypePath, Visibility, WhereClause};

use super::{names, tokens};

/// `impl Dog { .. }`.
pub(crate) struct ImplBlock {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) impl_token: Token![impl],
    pub(crate) self_ty: TypePath,
    pub(crate) brace: Group,
    pub(crate) items: Vec<BlockItem>,
}

/// One item of the block.
pub(crate) enum BlockItem {
    Method(Box<Method>),
    Other(OtherItem),
}

/// A method or function, its body unread.
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

/// A constant, a macro call, or something that cannot be read.
pub(crate) struct OtherItem {
    pub(crate) attrs: Vec<Attribute>,
    /// The item without its attributes.
    pub(crate) tokens: TokenStream,
    /// The parser's error, which says why it is no method.
    pub(crate) error: syn::Error,
}

/// Returns true if the attribute is on an impl block.
pub(crate) fn is_impl_block(item: &TokenStream) -> bool {
    let peek = |input: ParseStream| {
        input.call(Attribute::parse_outer)?;
        let is_impl = input.peek(Token![impl]);
        input.parse::<TokenStream>()?;
        Ok(is_impl)
    };
    peek.parse2(item.clone()).unwrap_or(false)
}

impl ImplBlock {
    /// The name of the type.
    pub(crate) fn name(&self) -> Ident {
        match self.self_ty.path.segments.last() {
            Some(segment) => segment.ident.clone(),
            None => Ident::new("Self", Span::call_site()),
        }
    }
}

impl Method {
    /// Its name, for messages: `add_trick`.
    pub(crate) fn name(&self) -> String {
        names::plain(&self.sig.ident)
    }
}

impl OtherItem {
    /// Returns true if this is a method that could not be read.
    pub(crate) fn is_broken_method(&self) -> bool {
        tokens::has_word(&self.tokens, "fn")
    }
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let impl_token: Token![impl] = input.parse()?;
        let generics: Generics = input.parse()?;
        let self_ty: Type = input.parse()?;
        if input.peek(Token![for]) {
            return Err(trait_impl(&self_ty, input));
        }
        let where_clause: Option<WhereClause> = input.parse()?;
        let self_ty = plain_type(self_ty, &generics, where_clause)?;
        let brace: Group = input.parse()?;
        let items = parse_items.parse2(brace.stream())?;
        Ok(Self {
            attrs,
            impl_token,
            self_ty,
            brace,
            items,
        })
    }
}

impl Parse for Method {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        if !input.peek(syn::token::Brace) {
            return Err(input.error(NEEDS_BODY));
        }
        Ok(Self {
            attrs,
            vis,
            sig,
            body: body(input)?,
        })
    }
}

/// The braces of a body. One that came through a macro of the user, as `$body:block`, has a group
/// without delimiters around it.
fn body(input: ParseStream) -> syn::Result<Group> {
    match input.parse()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            body.parse2(group.stream())
        }
        TokenTree::Group(group) => Ok(group),
        other => Err(syn::Error::new_spanned(other, NEEDS_BODY)),
    }
}

const NEEDS_BODY: &str = "expected the method's body: `{ .. }`";

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attrs,
            vis,
            sig,
            body,
        } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

impl ToTokens for OtherItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attrs,
            tokens: item,
            ..
        } = self;
        tokens.extend(quote!(#(#attrs)* #item));
    }
}

/// Rule: the block is the type's own, not a trait's.
fn trait_impl(trait_: &Type, input: ParseStream) -> syn::Error {
    let ahead = input.fork();
    let ty = ahead
        .parse::<Token![for]>()
        .and_then(|_| ahead.parse::<Type>());
    let ty = ty.map_or_else(|_| "Type".to_owned(), |ty| ty.to_token_stream().to_string());
    let message = format!(
        "this attribute is for the block `impl {ty} {{ .. }}`; the impl of a trait needs none: \
         remove it here"
    );
    syn::Error::new_spanned(trait_, message)
}

/// Rule: the block is of one type, named by a path, without type parameters.
fn plain_type(
    self_ty: Type,
    generics: &Generics,
    where_clause: Option<WhereClause>,
) -> syn::Result<TypePath> {
    const GENERIC: &str = "the type cannot have type parameters or lifetimes: its stored name \
         stands for one type; remove them, or write one type for each case";
    if !generics.params.is_empty() {
        return Err(syn::Error::new_spanned(generics, GENERIC));
    }
    if let Some(clause) = where_clause {
        return Err(syn::Error::new_spanned(
            clause,
            "remove the `where` clause: the type is not generic",
        ));
    }
    match self_ty {
        Type::Path(path) if path.path.segments.iter().any(|s| !s.arguments.is_none()) => {
            Err(syn::Error::new_spanned(path, GENERIC))
        }
        Type::Path(path) if path.qself.is_none() => Ok(path),
        other => Err(syn::Error::new_spanned(
            other,
            "expected the name of a struct or enum",
        )),
    }
}

fn parse_items(input: ParseStream) -> syn::Result<Vec<BlockItem>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        match ahead.parse::<Method>() {
            Ok(method) => {
                input.advance_to(&ahead);
                items.push(BlockItem::Method(Box::new(method)));
            }
            Err(error) => items.push(BlockItem::Other(parse_other(input, error)?)),
        }
    }
    Ok(items)
}

/// Reads everything to the next `;` or `{ .. }`, or to where another item begins: this one may be
/// half-written. Of `const X: T = T { .. };` that is too little, and the rest becomes an item of
/// its own: all that matters is that the tokens come out in order.
fn parse_other(input: ParseStream, error: syn::Error) -> syn::Result<OtherItem> {
    let ahead = input.fork();
    let attrs = match ahead.call(Attribute::parse_outer) {
        Ok(attrs) => {
            input.advance_to(&ahead);
            attrs
        }
        Err(_) => Vec::new(),
    };
    let mut tokens = TokenStream::new();
    while !input.is_empty() && (tokens.is_empty() || !begins_item(input)) {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        tokens.extend([token]);
        if ends {
            break;
        }
    }
    Ok(OtherItem {
        attrs,
        tokens,
        error,
    })
}

/// Returns true in front of what stands at the beginning of an item only.
fn begins_item(input: ParseStream) -> bool {
    input.peek(Token![pub]) || (input.peek(Token![#]) && input.peek2(syn::token::Bracket))
}
