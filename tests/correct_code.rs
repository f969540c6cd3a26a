//! The code that the attributes accept. Each module is a program, whose `main` function is a test.
//!
//! They are modules of one crate, because a crate for each takes minutes to build.

/// The programs, which stand beside the mistakes of the compile-fail tests.
#[path = "compile_fail/ui/pass"]
pub mod pass {
    pub mod a_lone_domain;
    pub mod a_projection_with_a_field;
    pub mod a_users_own_result;
    pub mod aggregates_inside_functions;
    pub mod aggregates_made_by_a_macro;
    pub mod aggregates_that_are_listed;
    pub mod applications_with_fields;
    pub mod halves_in_different_modules;
    pub mod names_that_repeat_and_parameters_that_are_not_used;
    pub mod no_prelude_and_shadowed_names;
    pub mod no_warnings;
    pub mod nothing_is_forced_on_fields;
    pub mod parameters_of_every_kind;
    pub mod policies_that_come_and_go;
    pub mod projections;
    pub mod rules_for_failing_policies;
    pub mod snapshots;
    pub mod states_of_every_shape;
    pub mod states_with_methods_of_the_aggregates_names;
}

#[test]
fn each_program_is_in_the_list() {
    let listed = include_str!("correct_code.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/compile_fail/ui/pass");
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let is_listed = listed.contains(&format!("pub mod {name};"));
        assert!(is_listed, "`pass` lacks {name}");
    }
}
