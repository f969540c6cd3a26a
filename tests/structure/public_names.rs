//! The public names of es-system, and the list that gives the reason for each.

use std::collections::BTreeSet;
use std::path::Path;

use syn::{Attribute, Item, UseTree, Visibility};

/// The modules whose names are not listed one by one.
const LISTS: [&str; 5] = ["cli", "guide", "operating", "store", "testing"];

/// A line of the list.
pub(crate) struct Reason {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Parses the lines `name — reason` of the list. A line of another form has no reason.
pub(crate) fn reasons(list: &str) -> Vec<Reason> {
    let line = |line: &str| {
        let (name, reason) = line.split_once(" — ").unwrap_or((line, ""));
        Reason {
            name: name.to_owned(),
            reason: reason.to_owned(),
        }
    };
    list.lines().map(line).collect()
}

/// Returns the public names of the library in `src`: those of the root and of its modules, except
/// [`LISTS`].
pub(crate) fn of(src: &Path) -> BTreeSet<String> {
    let root = parse(&src.join("lib.rs"));
    let mut names = names(&root);
    collect_macros(src, &mut names);
    for module in modules(&root) {
        if LISTS.contains(&module.as_str()) {
            continue;
        }
        for name in self::names(&parse(&src.join(format!("{module}.rs")))) {
            // The prelude re-exports names of the root.
            if !(module == "prelude" && names.contains(&name)) {
                names.insert(format!("{module}::{name}"));
            }
        }
    }
    names
}

fn parse(path: &Path) -> syn::File {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Returns the public names that a file itself defines or imports.
fn names(file: &syn::File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Use(item) if is_public(&item.vis, &item.attrs) => leaves(&item.tree, &mut names),
            _ => names.extend(defined(item)),
        }
    }
    names
}

fn defined(item: &Item) -> Option<String> {
    let (vis, attrs, ident) = match item {
        Item::Const(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Enum(item) => (&item.vis, &item.attrs, &item.ident),
        Item::ExternCrate(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Fn(item) => (&item.vis, &item.attrs, &item.sig.ident),
        Item::Mod(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Static(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Struct(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Trait(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Type(item) => (&item.vis, &item.attrs, &item.ident),
        Item::Union(item) => (&item.vis, &item.attrs, &item.ident),
        _ => return None,
    };
    is_public(vis, attrs).then(|| ident.to_string())
}

fn modules(file: &syn::File) -> Vec<String> {
    let modules = file.items.iter().filter_map(|item| match item {
        Item::Mod(_) => defined(item),
        _ => None,
    });
    modules.collect()
}

/// Collects the names at the ends of a `pub use`. A glob, or a whole module, is refused, because it
/// would add names that nobody has decided on.
fn leaves(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        UseTree::Name(name) if name.ident != "self" => {
            names.insert(name.ident.to_string());
        }
        // A trait without a name brings its methods alone.
        UseTree::Rename(rename) if rename.rename == "_" => {}
        UseTree::Rename(rename) if rename.ident != "self" => {
            names.insert(rename.rename.to_string());
        }
        UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => {
            panic!("a public `use` of a whole module: write its names one by one")
        }
    }
}

/// Adds the macros that any file exports at the root.
fn collect_macros(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_macros(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(parse(&path).items.iter().filter_map(exported));
        }
    }
}

fn exported(item: &Item) -> Option<String> {
    let Item::Macro(item) = item else { return None };
    let is_exported = item
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("macro_export"));
    let name = item.ident.as_ref()?;
    (is_exported && !is_hidden(&item.attrs)).then(|| name.to_string())
}

fn is_public(vis: &Visibility, attrs: &[Attribute]) -> bool {
    matches!(vis, Visibility::Public(_)) && !is_hidden(attrs)
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let list = attr.meta.require_list();
        attr.path().is_ident("doc") && list.is_ok_and(|list| list.tokens.to_string() == "hidden")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(text: &str) -> Vec<String> {
        names(&syn::parse_file(text).expect("Rust"))
            .into_iter()
            .collect()
    }

    #[test]
    fn public_items_and_ends_of_public_uses_are_names_and_nothing_else_is() {
        let text = "
            pub use a::{B, c::{D as E, f}};
            use a::G;
            pub(crate) use a::H;
            pub fn i() {}
            fn j() {}
            pub mod k;
            #[doc(hidden)]
            pub mod l;
            #[doc(inline)]
            pub use m::n;
            pub trait O {}
        ";
        assert_eq!(names_of(text), ["B", "E", "O", "f", "i", "k", "n"]);
    }

    #[test]
    #[should_panic(expected = "a public `use` of a whole module")]
    fn all_names_of_a_module_are_not_let_through() {
        names_of("pub use a::*;");
    }

    #[test]
    #[should_panic(expected = "a public `use` of a whole module")]
    fn a_module_under_a_new_name_is_not_let_through() {
        names_of("pub use a::{self as b, C};");
    }

    #[test]
    fn a_line_without_a_reason_has_none() {
        let [with, without] = &reasons("Env — where events are stored\nError")[..] else {
            panic!("not two lines");
        };
        assert_eq!(
            (&*with.name, &*with.reason),
            ("Env", "where events are stored")
        );
        assert_eq!((&*without.name, &*without.reason), ("Error", ""));
    }
}
