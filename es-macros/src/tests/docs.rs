//! The docs of generated items: each item that a reader sees has a sentence, and the machinery is
//! hidden.

use quote::quote;
use syn::{Attribute, Item, ItemImpl, Visibility};

use crate::{aggregate, application, process_application};

/// Traits that generated code implements and nobody else names.
const MACHINERY: &[&str] = &["Create", "Apply", "HasState"];

/// All items that the attributes make of a small program whose own items have docs.
fn items() -> Vec<Item> {
    let expanded = [
        aggregate::expand(
            quote!(),
            quote!(
                /// A dog.
                pub struct Dog {
                    /// The tricks of the dog.
                    pub tricks: Vec<String>,
                }
            ),
        ),
        aggregate::expand(
            quote!(),
            quote!(
                impl Dog {
                    /// Makes one.
                    #[event(Registered)]
                    pub fn register() -> Self {
                        Self { tricks: Vec::new() }
                    }

                    /// Teaches it.
                    #[event(TrickAdded)]
                    pub fn add_trick(&mut self, trick: &str) {
                        self.tricks.push(trick.to_owned());
                    }
                }
            ),
        ),
        application::expand(
            quote!(),
            quote!(
                /// A school.
                pub struct School;
            ),
        ),
        process_application::expand(
            quote!(),
            quote!(
                impl Counters {
                    /// Counts.
                    #[policy(Dog::TrickAdded)]
                    fn count(
                        &self,
                        _: &DomainEvent<DogTrickAdded>,
                        _: &mut ProcessingEvent,
                    ) -> Result<()> {
                        Ok(())
                    }
                }
            ),
        ),
    ];
    let files = expanded.map(|tokens| syn::parse2::<syn::File>(tokens).expect("items"));
    files.into_iter().flat_map(|file| file.items).collect()
}

fn has_doc(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| attr.path().is_ident("doc") && attr.meta.require_name_value().is_ok())
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| attr.path().is_ident("doc") && attr.meta.require_list().is_ok())
}

fn trait_name(item: &ItemImpl) -> Option<String> {
    let (path, _) = item.trait_.as_ref()?;
    Some(path.segments.last()?.ident.to_string())
}

#[test]
fn the_machinery_is_hidden_and_nothing_else_is() {
    let mut hidden = 0;
    for item in items() {
        let Item::Impl(item) = item else { continue };
        let name = trait_name(&item).unwrap_or_default();
        let is_machinery = MACHINERY.contains(&name.as_str());
        assert_eq!(is_hidden(&item.attrs), is_machinery, "impl {name}");
        hidden += usize::from(is_machinery);
    }
    assert_eq!(hidden, MACHINERY.len());
}

#[test]
fn every_public_item_says_what_it_is() {
    let mut described = Vec::new();
    let mut describe = |name: String, attrs: &[Attribute]| {
        assert!(has_doc(attrs), "{name} has no docs");
        described.push(name);
    };
    for item in items() {
        match item {
            Item::Struct(item) => {
                describe(item.ident.to_string(), &item.attrs);
                let public = |field: &&syn::Field| matches!(field.vis, Visibility::Public(_));
                for field in item.fields.iter().filter(public) {
                    let name = field.ident.as_ref().expect("a name");
                    describe(format!("{}.{name}", item.ident), &field.attrs);
                }
            }
            Item::Enum(item) => {
                describe(item.ident.to_string(), &item.attrs);
                for variant in &item.variants {
                    describe(format!("{}::{}", item.ident, variant.ident), &variant.attrs);
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                for item in &item.items {
                    match item {
                        syn::ImplItem::Const(item) => describe(item.ident.to_string(), &item.attrs),
                        syn::ImplItem::Fn(item) => {
                            describe(item.sig.ident.to_string(), &item.attrs)
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    for name in [
        "DogState",
        "DogTrickAdded.trick",
        "DogEvent::Registered",
        "TrickAdded",
        "new",
    ] {
        assert!(
            described.iter().any(|known| known == name),
            "{name} is missing in {described:?}"
        );
    }
}
