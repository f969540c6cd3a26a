//! Rules of the sources that a compiler does not check: sizes, arrows between modules, and the
//! lines and sentences of docs.

mod circles;
mod functions;
mod modules;
mod prose;
mod public_names;
mod sources;

use sources::{Part, Source};

/// Fails with the list of violations and the repair.
fn assert_none(found: &[String], rule: &str, repair: &str) {
    let count = found.len();
    let list = found.join("\n");
    assert!(
        found.is_empty(),
        "{count} against the rule: {rule}\n{repair}\n{list}\n"
    );
}

/// Checks `rule` on each file of `part`.
fn check(part: Part, find: impl Fn(&Source) -> Vec<String>, rule: &str, repair: &str) {
    let sources = sources::of(part);
    assert!(sources.len() > 20, "the sources are found");
    let found: Vec<_> = sources.iter().flat_map(find).collect();
    assert_none(&found, rule, repair);
}

const FILES: &str = "a file has at most 400 lines";
const FILES_REPAIR: &str =
    "Split the file: `foo.rs` keeps what others use, and `foo/` gets the rest.";

#[test]
fn no_file_of_a_library_is_longer_than_400_lines() {
    check(Part::Libraries, functions::long_file, FILES, FILES_REPAIR);
}

#[test]
fn no_file_of_a_test_or_an_example_is_longer_than_400_lines() {
    check(Part::Rest, functions::long_file, FILES, FILES_REPAIR);
}

const FUNCTIONS: &str = "a function has at most 60 lines";
const FUNCTIONS_REPAIR: &str = "Give a part of the function a name and a function of its own.";

#[test]
fn no_function_of_a_library_is_longer_than_60_lines() {
    let find = functions::long_functions;
    check(Part::Libraries, find, FUNCTIONS, FUNCTIONS_REPAIR);
}

#[test]
fn no_function_of_a_test_or_an_example_is_longer_than_60_lines() {
    let find = functions::long_functions;
    check(Part::Rest, find, FUNCTIONS, FUNCTIONS_REPAIR);
}

#[test]
fn no_modules_beside_each_other_depend_on_each_other_in_a_circle() {
    let found: Vec<_> = sources::LIBRARIES
        .into_iter()
        .flat_map(|library| circles::of(&modules::Crate::read(library)))
        .collect();
    assert_none(
        &found,
        "of modules with one parent, none reaches itself through the others",
        "Move what both sides need into a module below both, or turn one arrow round with a trait. \
         What is imported through a re-export counts where it is defined.",
    );
}

const LINES: &str =
    "a line of a comment has at most 100 columns, unless it has a URL or is a row of a table";
const LINES_REPAIR: &str = "Wrap the line.";

#[test]
fn no_line_of_a_comment_in_a_library_is_longer_than_100_columns() {
    check(Part::Libraries, prose::long_lines, LINES, LINES_REPAIR);
}

#[test]
fn no_line_of_a_comment_in_a_test_or_an_example_is_longer_than_100_columns() {
    check(Part::Rest, prose::long_lines, LINES, LINES_REPAIR);
}

const OPENINGS: &str = "no sentence of a doc comment opens with Says, Notes, What, Whether or How";
const OPENINGS_REPAIR: &str = "Describe a field by a noun phrase, a function by a verb (`Returns`, `Records`), a type by what it is.";

#[test]
fn no_sentence_in_the_docs_of_a_library_opens_like_a_riddle() {
    check(Part::Libraries, prose::riddles, OPENINGS, OPENINGS_REPAIR);
}

#[test]
fn no_sentence_in_the_docs_of_a_test_or_an_example_opens_like_a_riddle() {
    check(Part::Rest, prose::riddles, OPENINGS, OPENINGS_REPAIR);
}

/// The largest number of public names that es-system may have.
const MOST_NAMES: usize = 64;

#[test]
fn each_public_name_of_the_library_is_in_the_list_with_its_reason() {
    let library = sources::root().join("es-system");
    let path = library.join("public_names.txt");
    let list = std::fs::read_to_string(path).expect("the list is there");
    let lines = public_names::reasons(&list);
    let names = public_names::of(&library.join("src"));
    let missing = names
        .iter()
        .filter(|name| lines.iter().all(|line| line.name != **name));
    let missing: Vec<_> = missing.cloned().collect();
    assert_none(
        &missing,
        "a public name of es-system stands in es-system/public_names.txt",
        "Add `name — why a user types it`; a name that only generated code needs goes to `__private`.",
    );
    let gone = lines.iter().filter(|line| !names.contains(&line.name));
    let gone: Vec<_> = gone.map(|line| line.name.clone()).collect();
    assert_none(
        &gone,
        "a line of the list is a public name",
        "Remove the line.",
    );
    let bare = lines.iter().filter(|line| line.reason.trim().is_empty());
    let bare: Vec<_> = bare.map(|line| line.name.clone()).collect();
    assert_none(
        &bare,
        "a name has a reason",
        "Write `name — why a user types it`.",
    );
    let is_sorted = lines.is_sorted_by(|one, next| one.name < next.name);
    assert!(is_sorted, "the list is sorted, and has each name once");
}

#[test]
fn the_library_has_at_most_64_public_names() {
    let count = public_names::of(&sources::root().join("es-system/src")).len();
    assert!(
        count <= MOST_NAMES,
        "{count} names: take one back for each new one"
    );
}
