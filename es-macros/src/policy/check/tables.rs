//! What makes the tables of a projection: `fn tables(tx: &mut Transaction<'_>) -> Result<()>`.

use syn::{FnArg, ReturnType};

use crate::errors::Errors;
use crate::impl_block::{BlockItem, ImplBlock, Method};
use crate::policy::model::Tables;

const SIGNATURE: &str = "`fn tables(tx: &mut Transaction<'_>) -> Result<()>`";

/// Reports it if it is missing, or is no function that the library can call.
pub(super) fn check(block: &ImplBlock, errors: &mut Errors) -> Option<Tables> {
    let tables = block.items.iter().find_map(|item| match item {
        BlockItem::Method(method) if method.sig.ident == "tables" => Some(method),
        _ => None,
    });
    let Some(method) = tables else {
        let message = format!(
            "a projection makes its tables in a function of this block: write {SIGNATURE}, with a `CREATE TABLE` for \
             each, named by `tx.table(..)`"
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
    let params: Vec<_> = sig.inputs.iter().collect();
    let is_plain = sig.asyncness.is_none() && sig.generics.params.is_empty();
    let [FnArg::Typed(param)] = params[..] else {
        errors.on(
            sig,
            format!("the library calls this to make the tables: write {SIGNATURE}"),
        );
        return None;
    };
    if !is_plain {
        errors.on(
            sig,
            format!("the library calls this to make the tables: write {SIGNATURE}"),
        );
        return None;
    }
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
