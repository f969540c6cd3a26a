//! `fn tables(tx: &mut Transaction<'_>) -> Result<()>`, which makes the tables of a projection.

use quote::quote;
use syn::{FnArg, ReturnType, Type};

use crate::policy_block::{Block, Context};
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::{BlockItem, ImplBlock, Method};
use crate::syntax::spans;

const SIGNATURE: &str = "`fn tables(tx: &mut Transaction<'_>) -> Result<()>`";

/// The function, if it can be called.
struct Tables {
    takes: Type,
    returns: Type,
}

/// Reads what the policies of the block work on: tables, which its function makes.
pub(super) fn context(block: &Block, errors: &mut Errors) -> Context {
    let private = block.krate.private();
    let self_ty = &block.block.self_ty;
    let table = match check(&block.block, errors) {
        None => quote!(in_tables(|_| #private::Result::Ok(()))),
        Some(Tables { takes, returns }) => {
            // rustc shows a mistake in one of the types there.
            let tx = spans::covering(takes, quote!(&mut *__tx));
            quote! {
                in_tables(|__tx| {
                    <#returns as #private::TablesResult>::into_result(Self::tables(#tx))
                })
            }
        }
    };
    // rustc reports, at the user's block, a struct half that is no projection's.
    let has_struct = spans::covering(self_ty, quote!(#private::assert_has_struct::<#self_ty>()));
    let krate = &block.krate;
    Context {
        ty: quote!(InTables),
        table,
        items: quote! {
            const _: () = #has_struct;
            impl #krate::Projection for #self_ty {}
        },
    }
}

/// Rule: the block has the function, and the library can call it.
fn check(block: &ImplBlock, errors: &mut Errors) -> Option<Tables> {
    let tables = block.items.iter().find_map(|item| match item {
        BlockItem::Method(method) if method.sig.ident == "tables" => Some(method),
        _ => None,
    });
    let Some(method) = tables else {
        let message = format!(
            "a projection makes its tables in a function of this block: write {SIGNATURE}, with a \
             `CREATE TABLE` for each, named by `tx.table(..)`"
        );
        errors.on(&block.self_ty, message);
        return None;
    };
    check_signature(method, errors)
}

fn check_signature(method: &Method, errors: &mut Errors) -> Option<Tables> {
    let sig = &method.sig;
    if let Some(receiver) = sig.receiver() {
        let message = format!(
            "the tables are made before there is an application: remove `self`, and write {SIGNATURE}"
        );
        errors.on(receiver, message);
        return None;
    }
    let mut params = sig.inputs.iter();
    let is_plain = sig.asyncness.is_none() && sig.generics.params.is_empty();
    let (Some(FnArg::Typed(param)), None, true) = (params.next(), params.next(), is_plain) else {
        let message = format!("the library calls this to make the tables: write {SIGNATURE}");
        errors.on(sig, message);
        return None;
    };
    let ReturnType::Type(_, returns) = &sig.output else {
        let message =
            "`tables` returns `Result<()>`: write `-> Result<()>`, and end the body with `Ok(())`";
        errors.on(&sig.ident, message);
        return None;
    };
    Some(Tables {
        takes: (*param.ty).clone(),
        returns: (**returns).clone(),
    })
}
