//! Sizes of files and functions.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::sources::{Source, is_for_tests, parse};

const FILE: usize = 400;
const FUNCTION: usize = 60;

/// Returns the file if it is too long.
pub(crate) fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let is_long = lines > FILE;
    Vec::from_iter(is_long.then(|| format!("{}:{FILE}: the file has {lines} lines", source.name)))
}

/// Returns the functions that are too long, from the line of `fn` to the last brace.
pub(crate) fn long_functions(source: &Source) -> Vec<String> {
    let mut finder = Finder {
        source,
        found: Vec::new(),
    };
    finder.visit_file(&parse(source));
    finder.found
}

struct Finder<'a> {
    source: &'a Source,
    found: Vec<String>,
}

impl Finder<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.span().start().line;
        let lines = block.span().end().line + 1 - first;
        if lines > FUNCTION {
            let file = &self.source.name;
            let name = &signature.ident;
            let found = format!("{file}:{first}: the function `{name}` has {lines} lines");
            self.found.push(found);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if self.source.is_test || !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: String) -> Source {
        Source {
            name: "a.rs".to_owned(),
            text,
            is_test: false,
        }
    }

    #[test]
    fn what_is_one_line_too_long_is_found_and_what_is_not_is_not() {
        for (lines, count) in [(58, 0), (59, 1)] {
            let body = "    let _ = 1;\n".repeat(lines);
            for text in [
                format!("/// Doc.\nfn long() {{\n{body}}}\n"),
                format!("impl A {{\n    fn long() {{\n{body}    }}\n}}\n"),
            ] {
                assert_eq!(long_functions(&source(text)).len(), count);
            }
        }
        assert!(long_file(&source("\n".repeat(400))).is_empty());
        assert_eq!(long_file(&source("\n".repeat(401))).len(), 1);
    }
}
