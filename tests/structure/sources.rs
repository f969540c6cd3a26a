//! The source files to be checked.

use std::path::{Path, PathBuf};

/// The crates that users compile.
pub(crate) const LIBRARIES: [&str; 4] = ["es-core", "es-macros", "es-store", "es-system"];

/// The folders of all other sources. The files of `ui` are wrong on purpose.
const REST: [&str; 6] = [
    "es-core/tests",
    "es-macros/tests",
    "es-store/tests",
    "es-system/tests",
    "examples",
    "tests",
];

/// A part of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The libraries without their unit tests.
    Libraries,
    /// Unit tests in files of their own, and whatever is not a library.
    Rest,
}

/// A source file.
pub(crate) struct Source {
    /// The path from the root of the repository.
    pub(crate) name: String,
    pub(crate) text: String,
    /// True if items under `#[cfg(test)]` are checked, too.
    pub(crate) is_test: bool,
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns all files of a part, sorted.
pub(crate) fn of(part: Part) -> Vec<Source> {
    let mut paths = Vec::new();
    for library in LIBRARIES {
        collect(&root().join(library).join("src"), &mut paths);
    }
    let is_library = part == Part::Libraries;
    paths.retain(|path| is_test(path) != is_library);
    if !is_library {
        REST.iter()
            .for_each(|folder| collect(&root().join(folder), &mut paths));
    }
    paths.sort();
    paths.iter().map(|path| read(path, !is_library)).collect()
}

/// Returns all files of a library that are not tests, with their paths below `src`.
pub(crate) fn of_library(library: &str) -> Vec<(PathBuf, Source)> {
    let src = root().join(library).join("src");
    let mut paths = Vec::new();
    collect(&src, &mut paths);
    paths.sort();
    let is_library = |path: &&PathBuf| !is_test(path);
    let below = |path: &PathBuf| path.strip_prefix(&src).expect("it is below").to_owned();
    let found = paths.iter().filter(is_library);
    found.map(|path| (below(path), read(path, false))).collect()
}

fn is_test(path: &Path) -> bool {
    let below = path.strip_prefix(root()).expect("it is below the root");
    below
        .components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "ui") {
                collect(&path, paths);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read(path: &Path, is_test: bool) -> Source {
    let name = path.strip_prefix(root()).expect("it is below the root");
    Source {
        name: name.to_string_lossy().replace('\\', "/"),
        text: std::fs::read_to_string(path).expect("a file of text"),
        is_test,
    }
}

/// Parses a file.
pub(crate) fn parse(source: &Source) -> syn::File {
    syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.name))
}

/// Returns true if an item is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        let is_test = || {
            attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|on| on == "test")
        };
        attribute.path().is_ident("test") || cfg && is_test()
    })
}
