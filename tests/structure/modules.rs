//! The modules of a crate, their names, and the paths by which they use each other's names.
//!
//! A path inside a macro call is not seen. So the code that an attribute emits by `quote!` adds no
//! arrow to its module.

use std::collections::BTreeMap;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::sources::{Source, is_for_tests, of_library, parse};

/// A path from the root of the crate; the root itself is empty.
pub(crate) type Names = Vec<String>;

/// One crate.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<Names, Module>,
}

/// One module, without those inside it.
#[derive(Default)]
pub(crate) struct Module {
    names: BTreeMap<String, Name>,
    globs: Vec<Names>,
    pub(crate) paths: Vec<Mention>,
}

/// A name that is known in a module.
enum Name {
    /// The module defines the name.
    Defined,
    /// The module imports the name from this path. The path begins with no module of the crate if
    /// it leads to another crate.
    Imported(Names),
}

/// A path in the source of a module.
pub(crate) struct Mention {
    path: Names,
    /// The file and the line.
    pub(crate) place: String,
}

impl Crate {
    /// Reads a library without its tests.
    pub(crate) fn read(library: &str) -> Self {
        let files = of_library(library);
        Self::parse(files.iter().map(|(path, source)| (names_of(path), source)))
    }

    fn parse<'a>(files: impl Iterator<Item = (Names, &'a Source)>) -> Self {
        let mut this = Self::default();
        for (path, source) in files {
            let mut reader = Reader {
                source,
                found: &mut this,
                path,
            };
            reader.module();
            reader.visit_file(&parse(source));
        }
        this
    }

    /// Returns the module that defines the item of a mention in the module `from`, or `None` if
    /// another crate defines it.
    pub(crate) fn target(&self, from: &Names, mention: &Mention) -> Option<Names> {
        self.find(&self.absolute(from, &mention.path)?, 0)
    }

    /// Returns the path from the root, or `None` if it leads to another crate or to a name in the
    /// scope of a function.
    fn absolute(&self, from: &Names, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([from, rest].concat()),
            "super" => {
                let parent = &from[..from.len().checked_sub(1)?];
                match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&parent.to_vec(), rest),
                    _ => Some([parent, rest].concat()),
                }
            }
            _ => match self.modules.get(from)?.names.get(first)? {
                Name::Defined => Some([from, path].concat()),
                Name::Imported(to) => Some([&self.absolute(from, to)?, rest].concat()),
            },
        }
    }

    /// Returns the module that defines the item at a path from the root. Imports are followed.
    fn find(&self, path: &[String], depth: usize) -> Option<Names> {
        // Two modules that import everything from each other would never end.
        if depth > 20 {
            return None;
        }
        let is_module = |length: &usize| self.modules.contains_key(&path[..*length]);
        let length = (0..=path.len()).rev().find(is_module)?;
        let at = path[..length].to_vec();
        let rest = &path[length..];
        let Some((name, behind)) = rest.split_first() else {
            return Some(at);
        };
        let module = self.modules.get(&at)?;
        match module.names.get(name) {
            Some(Name::Defined) => Some(at),
            Some(Name::Imported(to)) => {
                let to = [&self.absolute(&at, to)?, behind].concat();
                self.find(&to, depth + 1)
            }
            None => module.globs.iter().find_map(|glob| {
                let to = [&self.absolute(&at, glob)?, rest].concat();
                self.find(&to, depth + 1)
            }),
        }
    }
}

/// Returns the module path of a file below `src`.
fn names_of(file: &Path) -> Names {
    let file = file.with_extension("");
    let names = file.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "lib").collect()
}

struct Reader<'a> {
    source: &'a Source,
    found: &'a mut Crate,
    path: Names,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.found.modules.entry(self.path.clone()).or_default()
    }

    fn define(&mut self, name: &syn::Ident) {
        self.module().names.insert(name.to_string(), Name::Defined);
    }

    fn mention(&mut self, path: Names, at: proc_macro2::Span) {
        let place = format!("{}:{}", self.source.name, at.start().line);
        self.module().paths.push(Mention { path, place });
    }

    fn import(&mut self, before: &[String], tree: &syn::UseTree) {
        let to = |name: &syn::Ident| match &*name.to_string() {
            "self" => before.to_vec(),
            name => [before, &[name.to_owned()]].concat(),
        };
        match tree {
            syn::UseTree::Path(path) => self.import(&to_path(before, &path.ident), &path.tree),
            syn::UseTree::Group(group) => {
                group
                    .items
                    .iter()
                    .for_each(|tree| self.import(before, tree));
            }
            syn::UseTree::Name(name) => {
                let to = to(&name.ident);
                self.imported(to.last().cloned(), to, name.span());
            }
            syn::UseTree::Rename(rename) => {
                let name = Some(rename.rename.to_string());
                self.imported(name, to(&rename.ident), rename.span());
            }
            syn::UseTree::Glob(glob) => {
                self.module().globs.push(before.to_vec());
                self.mention(before.to_vec(), glob.span());
            }
        }
    }

    fn imported(&mut self, name: Option<String>, to: Names, at: proc_macro2::Span) {
        let name = name.filter(|name| Some(name) != to.first());
        if let Some(name) = name {
            // A macro may have the name of a module. It leads to no module.
            let names = &mut self.module().names;
            if !matches!(names.get(&name), Some(Name::Defined)) {
                names.insert(name, Name::Imported(to.clone()));
            }
        }
        self.mention(to, at);
    }
}

fn to_path(before: &[String], name: &syn::Ident) -> Names {
    [before, &[name.to_string()]].concat()
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (attributes, name) = match item {
            syn::Item::Const(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            syn::Item::Impl(item) => (&item.attrs, None),
            syn::Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            syn::Item::Mod(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Static(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Type(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Union(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            self.define(name);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.path.push(item.ident.to_string());
            self.module();
            visit::visit_item_mod(self, item);
            self.path.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let names = path.segments.iter().map(|part| part.ident.to_string());
            self.mention(names.collect(), path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// Returns a crate of files that are given by their paths below `src` and their texts.
#[cfg(test)]
pub(crate) fn of_texts(files: &[(&str, &str)]) -> Crate {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let source = Source {
                name: (*path).to_owned(),
                text: (*text).to_owned(),
                is_test: false,
            };
            (names_of(Path::new(path)), source)
        })
        .collect();
    Crate::parse(files.iter().map(|(path, source)| (path.clone(), source)))
}
