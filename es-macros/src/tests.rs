//! The expansions of the attributes, as a reader sees them.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{aggregate, application, process_application, projection};

mod bodies;
mod docs;
mod panics;
mod rules;
mod typing;

/// The expansion as rustfmt would set it. The library's root is shown as `es`, its hidden module as
/// `p`.
fn pretty(expanded: &TokenStream) -> String {
    let short = expanded.to_string();
    let short = short
        .replace(":: es_system :: __private", "p")
        .replace(":: es_system", "es");
    prettyplease::unparse(&syn::parse_file(&short).expect("the expansion is Rust"))
}

fn pretty_aggregate(args: TokenStream, item: TokenStream) -> String {
    pretty(&aggregate::expand(args, item))
}

#[test]
fn the_struct_half() {
    let expanded = pretty_aggregate(
        quote!(),
        quote! {
            /// A dog.
            #[derive(Debug, Clone, Serialize)]
            pub struct Dog {
                /// The tricks of the dog.
                pub tricks: Vec<String>,
            }
        },
    );
    insta::assert_snapshot!(expanded);
}

#[test]
fn the_struct_half_with_options() {
    let expanded = pretty_aggregate(
        quote!(
            topic = "dogschool:Counter",
            snapshot_every = 100,
            version = 2,
            upcast(1 => upcasters::add_limit),
            crate = sourcing
        ),
        quote!(
            enum Counter {
                Zero,
                More(u64),
            }
        ),
    );
    insta::assert_snapshot!(expanded);
}

#[test]
fn the_impl_half() {
    let expanded = pretty_aggregate(
        quote!(),
        quote! {
            impl Dog {
                #[id]
                pub fn create_id(name: &str) -> Uuid {
                    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
                }

                #[event(Registered)]
                pub fn register(name: &str) -> Self {
                    Self { name: name.to_owned(), tricks: Vec::new() }
                }

                #[event(TrickAdded)]
                pub fn add_trick(&mut self, trick: &str) {
                    self.tricks.push(trick.to_owned());
                }
            }
        },
    );
    insta::assert_snapshot!(expanded);
}

#[test]
fn a_fresh_id_and_an_event_without_fields() {
    let expanded = pretty_aggregate(
        quote!(vis = pub(crate)),
        quote! {
            impl Flag {
                #[event(Raised)]
                fn raise() -> Self {
                    Self
                }
            }
        },
    );
    insta::assert_snapshot!(expanded);
}

#[test]
fn events_in_later_versions_and_the_struct_of_an_event() {
    let expanded = pretty_aggregate(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self
                }

                #[event(TrickAdded, payload = Taught, version = 3, upcast(1 => add_level, 2 => Self::rename))]
                pub fn add_trick(&mut self, trick: &str, level: u8) {
                    self.tricks.push((trick.to_owned(), level));
                }
            }
        },
    );
    let items = [
        "fn add_trick",
        "pub struct DogTrickAdded",
        "Deref for DogTrickAdded",
        "From<Taught>",
        "EventPayload for DogTrickAdded",
        "Debug for DogTrickAdded",
        "Clone for DogTrickAdded",
        "EventSet for DogEvent",
        "Apply<DogTrickAdded>",
    ];
    let items = items.map(|text| item_containing(&expanded, text));
    insta::assert_snapshot!(items.join("\n"));
}

#[test]
fn parameters_in_the_body_and_in_the_wrapper() {
    let expanded = pretty_aggregate(
        quote!(),
        quote! {
            impl Parcel {
                const MOST: usize = 2;

                #[event(Moved)]
                #[expect(clippy::too_many_arguments)]
                fn move_to(&mut self, mut stops: Vec<u8>, note: Option<&str>, timestamp: Timestamp) {
                    stops.truncate(Self::MOST);
                    self.moved(stops, note, timestamp);
                }

                #[event(Packed)]
                fn pack() -> Self {
                    Self::default()
                }
            }
        },
    );
    let body = item_containing(&expanded, "Apply<ParcelMoved>");
    let wrapper = item_containing(&expanded, "fn move_to");
    insta::assert_snapshot!(format!("{wrapper}\n\n{body}"));
}

#[test]
fn a_mistake_leaves_the_rest() {
    let expanded = pretty_aggregate(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self
                }

                #[event(Renamed)]
                pub fn rename(&mut self, name: &mut String, nick: &str) -> Result<()> {
                    Ok(())
                }
            }
        },
    );
    let mistakes: Vec<_> = expanded
        .lines()
        .filter(|line| line.contains("an event"))
        .collect();
    assert_eq!(mistakes.len(), 2, "{expanded}");
    let wrapper = item_containing(&expanded, "fn register");
    let payload = item_containing(&expanded, "struct DogRenamed");
    insta::assert_snapshot!(format!("{wrapper}\n\n{payload}"));
}

#[test]
fn an_application() {
    let expanded = application::expand(
        quote!(name = "School"),
        quote! {
            /// A school for dogs.
            pub struct DogSchool;
        },
    );
    insta::assert_snapshot!(pretty(&expanded));
}

#[test]
fn an_application_with_fields() {
    let expanded = application::expand(
        quote!(),
        quote! {
            #[derive(Debug)]
            pub struct School {
                /// Sends letters.
                pub mailer: Mailer,
                #[cfg(feature = "post")]
                post: Post,
            }
        },
    );
    let expanded = pretty(&expanded);
    let definition = item_containing(&expanded, "pub struct School");
    let new = item_containing(&expanded, "fn new");
    assert!(!expanded.contains("FromEnv"), "{expanded}");
    insta::assert_snapshot!(format!("{definition}\n\n{new}"));
}

#[test]
fn the_struct_half_of_a_process_application() {
    let expanded = process_application::expand(
        quote!(),
        quote!(
            struct Counters;
        ),
    );
    insta::assert_snapshot!(item_containing(&pretty(&expanded), "assert_has_policies"));
}

#[test]
fn the_impl_half_of_a_process_application() {
    let expanded = process_application::expand(
        quote!(),
        quote! {
            impl Counters {
                #[policy(Dog::TrickAdded)]
                fn count_trick(
                    &self,
                    event: &DomainEvent<DogTrickAdded>,
                    processing_event: &mut ProcessingEvent,
                ) -> Result<()> {
                    Ok(())
                }

                pub fn total(&self) -> u64 {
                    0
                }
            }
        },
    );
    insta::assert_snapshot!(pretty(&expanded));
}

#[test]
fn policies_for_several_events() {
    let expanded = process_application::expand(
        quote!(),
        quote! {
            impl Counters {
                #[policy(Dog::Registered, Dog::TrickAdded)]
                fn on_dog(&self, event: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {}

                #[policy(Cat::*)]
                fn on_cat(&self, event: &DomainEvent<CatEvent>, _: &mut ProcessingEvent) -> Result<()> {}

                #[policy(_)]
                fn on_rest(&self, event: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {}
            }
        },
    );
    insta::assert_snapshot!(item_containing(&pretty(&expanded), "fn policies"));
}

#[test]
fn policies_that_come_and_go() {
    let expanded = process_application::expand(
        quote!(retired(Dog::Registered, Cat::*, _)),
        quote! {
            impl Counters {
                #[policy(Dog::Renamed, added = now)]
                fn renamed(&self, _: &DomainEvent<DogRenamed>, _: &mut ProcessingEvent) -> Result<()> {}

                #[cfg(feature = "sales")]
                #[policy(Dog::Sold, Dog::Lent, added = replay)]
                fn sold(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {}
            }
        },
    );
    insta::assert_snapshot!(item_containing(&pretty(&expanded), "fn policies"));
}

#[test]
fn the_struct_half_of_a_projection() {
    let expanded = projection::expand(
        quote!(),
        quote!(
            pub struct TrickTable;
        ),
    );
    insta::assert_snapshot!(pretty(&expanded));
}

#[test]
fn the_impl_half_of_a_projection() {
    let expanded = projection::expand(
        quote!(),
        quote! {
            impl TrickTable {
                fn tables(tx: &mut Transaction<'_>) -> Result<()> {
                    Ok(())
                }

                #[policy(Dog::TrickAdded)]
                fn count(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
                    Ok(())
                }
            }
        },
    );
    insta::assert_snapshot!(pretty(&expanded));
}

/// The item or method of `expanded` in which `text` stands.
fn item_containing(expanded: &str, text: &str) -> String {
    let file = syn::parse_file(expanded).expect("the expansion is Rust");
    let print = |item: syn::Item| {
        let mut alone = syn::parse_file("").expect("an empty file");
        alone.items.push(item);
        prettyplease::unparse(&alone)
    };
    let mut items = file.items.into_iter().map(print);
    items
        .find(|item| item.contains(text))
        .expect("the item is there")
}
