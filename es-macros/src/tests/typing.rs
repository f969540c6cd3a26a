//! Code that is being typed: whatever is half-written in a block, the rest of it comes out, so that
//! an editor knows the other methods, types and constants.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{aggregate, application, process_application};

/// The names in the block below that other code may use.
const OF_DOG: &[&str] = &[
    "pub fn register (",
    "struct DogRegistered",
    "const Registered",
    "pub fn sit (",
    "struct DogSat",
    "const Sat",
    "enum DogEvent",
    "impl :: es_system :: Aggregate for Dog",
];

/// The block of an aggregate with something half-written between two events.
fn dog_with(half_written: &TokenStream) -> String {
    let expanded = aggregate::expand(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self
                }

                #half_written

                #[event(Sat)]
                pub fn sit(&mut self) {}
            }
        },
    );
    expanded.to_string()
}

#[track_caller]
fn assert_has(expanded: &str, items: &[&str]) {
    for item in items {
        assert!(expanded.contains(item), "{item} is missing in {expanded}");
    }
}

#[test]
fn a_half_written_command_leaves_the_events() {
    for body in [
        quote!(self.),
        quote!(let trick =),
        quote!(if self.tricks.is_empty() {
            return Err();
        },),
        quote!(match self.state() { DogState:: },),
        quote!(self.sit(); for trick in),
    ] {
        let expanded = dog_with(&quote!(pub fn learn(&mut self) -> Result<()> { #body }));
        assert_has(&expanded, OF_DOG);
        assert_has(&expanded, &["pub fn learn ("]);
        assert!(!expanded.contains("compile_error"), "{expanded}");
    }
}

#[test]
fn a_half_written_body_of_an_event_leaves_its_event_too() {
    for body in [
        quote!(self.),
        quote!(self.tricks.push(),),
        quote!(let trick: =),
        quote!(if trick.),
    ] {
        let method =
            quote!(#[event(TrickAdded)] pub fn add_trick(&mut self, trick: &str) { #body });
        let expanded = dog_with(&method);
        assert_has(&expanded, OF_DOG);
        assert_has(&expanded, &["struct DogTrickAdded", "const TrickAdded"]);
        assert!(!expanded.contains("compile_error"), "{expanded}");
    }
}

#[test]
fn a_half_written_event_attribute_leaves_its_method() {
    for marker in [
        quote!(#[event]),
        quote!(#[event()]),
        quote!(#[event(Trick::)]),
        quote!(#[event(TrickAdded,)]),
        quote!(#[event(TrickAdded, version)]),
        quote!(#[event("Tri")]),
    ] {
        let expanded = dog_with(&quote!(#marker pub fn add_trick(&mut self, trick: &str) {}));
        assert_has(&expanded, OF_DOG);
        assert_has(&expanded, &["pub fn add_trick ("]);
    }
}

#[test]
fn a_half_written_signature_leaves_the_events() {
    for signature in [
        quote!(pub fn add_trick),
        quote!(pub fn add_trick()),
        quote!(#[event(TrickAdded)] pub fn add_trick(&mut self, trick) {}),
        quote!(#[event(TrickAdded)] pub fn add_trick(&mut self, trick: &) {}),
        quote!(pub fn add_trick(&self) -> {}),
        quote!(pub),
        quote!(#[event(TrickAdded)] pub),
        quote!(const MOST: usize =),
    ] {
        assert_has(&dog_with(&signature), OF_DOG);
    }
}

#[test]
fn a_half_written_id_function_leaves_the_events() {
    for function in [
        quote!(#[id] pub fn create_id(name: &str) -> Uuid { Uuid:: }),
        quote!(#[id] pub fn create_id(name: ) -> Uuid {}),
        quote!(
            #[id]
            pub fn create_id() {}
        ),
        quote!(
            #[id()]
            pub fn create_id() -> Uuid {}
        ),
    ] {
        assert_has(&dog_with(&function), OF_DOG);
    }
}

#[test]
fn a_half_written_option_leaves_the_aggregate() {
    for options in [
        quote!(snapshot_every),
        quote!(snapshot_every =),
        quote!(topic = ,),
        quote!(snap),
    ] {
        let expanded = aggregate::expand(
            options,
            quote!(
                pub struct Dog;
            ),
        );
        let expanded = expanded.to_string();
        assert_has(&expanded, &["struct DogState", "HasState for Dog"]);
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
    }
}

#[test]
fn a_half_written_policy_leaves_the_others() {
    for half_written in [
        quote!(
            #[policy]
            fn count(&self) {}
        ),
        quote!(
            #[policy()]
            fn count(&self, event: &DomainEvent<DogTrickAdded>) {}
        ),
        quote!(
            #[policy(Dog::)]
            fn count(&self, event: &DomainEvent) -> Result<()> {}
        ),
        quote!(#[policy(Dog::TrickAdded)] fn count(&self, event: ) {}),
        quote!(#[policy(Dog::TrickAdded)] fn count),
        quote!(fn total(&self) -> u64 { self. }),
    ] {
        let expanded = process_application::expand(
            quote!(),
            quote! {
                impl Counters {
                    #half_written

                    #[policy(Dog::Registered)]
                    fn note(&self, event: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {}

                    pub fn noted(&self) -> u64 { 0 }
                }
            },
        );
        let items = [
            "FollowerType for Counters",
            "on (Dog :: Registered",
            "fn note (",
            "pub fn noted (",
        ];
        assert_has(&expanded.to_string(), &items);
    }
}

#[test]
fn a_half_written_option_leaves_the_application() {
    let expanded = application::expand(
        quote!(name =),
        quote!(
            pub struct School;
        ),
    );
    assert_has(
        &expanded.to_string(),
        &["struct School", "ApplicationType for School", "pub fn new"],
    );
}

#[test]
fn a_body_that_is_being_typed_leaves_everything_else() {
    let expanded = aggregate::expand(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self { tricks: Vec:: }
                }

                #[event(TrickAdded)]
                pub fn add_trick(&mut self, trick: &str) {
                    self.tricks.
                }

                pub fn learn(&mut self) {
                    let x =
                }
            }
        },
    );
    let expanded = expanded.to_string();
    for item in [
        "struct DogRegistered",
        "struct DogTrickAdded",
        "enum DogEvent",
        "fn learn",
    ] {
        assert!(expanded.contains(item), "{item} is missing in {expanded}");
    }
    assert!(!expanded.contains("compile_error"), "{expanded}");
}

#[test]
fn an_item_that_is_being_typed_leaves_everything_else() {
    let expanded = aggregate::expand(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self
                }

                #[event(Renamed)]
                pub fn rename(&mut self, name: ) {}

                pub fn half(&self, x: ) {}

                #[event(TrickAdded)]
                pub fn add_trick(&mut self, trick: &str) {}
            }
        },
    );
    let expanded = expanded.to_string();
    for item in ["struct DogRegistered", "struct DogTrickAdded", "fn half"] {
        assert!(expanded.contains(item), "{item} is missing in {expanded}");
    }
    assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
}

#[test]
fn an_item_that_cannot_be_read_is_given_back() {
    let block = quote! {
        impl Default for Dog {
            #[event(Registered)]
            fn default() -> Self {}
        }
    };
    let expanded = aggregate::expand(quote!(), block).to_string();
    assert!(
        expanded.contains("impl Default for Dog { fn default"),
        "{expanded}"
    );
    assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
}
