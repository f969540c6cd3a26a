//! The search through the tokens of a body: what it finds, and what it leaves alone.

use proc_macro2::TokenStream;
use quote::quote;

use crate::aggregate;

fn with_method(method: &TokenStream) -> String {
    let expanded = aggregate::expand(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                fn register() -> Self { Self }

                #method
            }
        },
    );
    expanded.to_string()
}

fn command(statement: &TokenStream) -> String {
    with_method(&quote!(pub fn command(&mut self, other: &mut Other) { #statement }))
}

#[test]
fn a_command_that_changes_a_collection_is_told_where_to_do_it() {
    for statement in [
        quote!(self.tricks.push(name);),
        quote!(if self.tricks.is_empty() {
            self.owner.names.insert(0, name);
        }),
        quote!(self.check(); self.tricks.clear();),
        quote!(let tricks = &mut self.tricks; tricks.clear();),
        quote!(swap(&mut self.tricks[0], other);),
        quote!(for trick in &mut self.tricks {}),
    ] {
        let expanded = command(&statement);
        assert!(
            expanded.contains("a command cannot change the state"),
            "{statement}"
        );
    }
}

#[test]
fn a_method_that_takes_the_aggregate_for_its_state_is_told_what_it_is() {
    for statement in [
        quote!(let made = Self { tricks: Vec::new() };),
        quote!(let Dog { tricks } = self;),
        quote!(match self {
            Self::Open => {}
        }),
        quote!(match *self {
            Dog::Open | Dog::Shut => {}
        }),
        quote!(let open = matches!(self, Self::Open);),
        quote!(if let Self::Open = *self {}),
    ] {
        let expanded = command(&statement);
        assert!(
            expanded.contains("is the aggregate around it"),
            "{statement}"
        );
    }
}

#[test]
fn a_command_may_do_what_changes_nothing() {
    for statement in [
        quote!(other.tricks.push(name);),
        quote!(self.copies().push(name);),
        quote!(let longer = self.tricks.push_back(name);),
        quote!(let all = &mut self.tricks.iter();),
        quote!(let all = &mut self.tricks.iter::<u8>();),
        quote!(learn(&mut self);),
        quote!(match self.state() {
            DogState::Open => {}
        }),
        quote!(match self.mood {
            Mood::Good => {}
        }),
        quote!(let open = matches!(self.mood, Mood::Good);),
        quote!(if let Some(owner) = &self.owner {}),
        quote!(let make = |_: u8| -> Self { Self::register() };),
        quote!(let other = cats::Dog { lives: 7 };),
    ] {
        let expanded = command(&statement);
        assert!(!expanded.contains("compile_error"), "{statement}");
    }
}

#[test]
fn a_query_may_call_a_method_by_any_name() {
    let expanded = with_method(&quote!(
        fn query(&self) {
            self.seen.insert(1);
        }
    ));
    assert!(!expanded.contains("compile_error"), "{expanded}");
}

#[test]
fn an_events_body_cannot_fail_but_what_it_calls_may() {
    let event = |body: TokenStream| {
        with_method(&quote!(#[event(Aged)] fn age(&mut self, years: &str) { #body }))
    };
    for body in [
        quote!(self.age = years.parse()?;),
        quote!(if true {
            self.age = years.parse()?;
        }),
    ] {
        assert!(event(body.clone()).contains("it cannot fail"), "{body}");
    }
    for body in [
        quote!(self.age = years.chars().map(|year| { year.to_digit(10)?; None }).count();),
        quote!(fn parse(text: &str) -> Option<u8> { text.parse().ok()?; None } self.age = 1;),
    ] {
        assert!(!event(body.clone()).contains("compile_error"), "{body}");
    }
}

#[test]
fn a_command_may_compare_the_state_and_change_what_is_its_own() {
    let expanded = aggregate::expand(
        quote!(),
        quote! {
            impl Dog {
                #[event(Registered)]
                pub fn register() -> Self {
                    Self
                }

                pub fn check(&mut self, other: &mut Other) -> bool {
                    other.name = self.name.clone();
                    other.ages[self.age] += self.age;
                    match self.age { 0 => true, _ => self.age == 1 || self.age <= 2 && self.age != 3 }
                }
            }
        },
    );
    assert!(!expanded.to_string().contains("compile_error"));
}

#[test]
fn a_command_that_assigns_is_told_where_to_do_it() {
    for assignment in [
        quote!(self.name = name),
        quote!(self.age += 1),
        quote!(self.age <<= 1),
        quote!(self.tricks[0] = name),
        quote!(if true {
            self.inner.name = name
        }),
    ] {
        let expanded = aggregate::expand(
            quote!(),
            quote!(impl Dog {
                #[event(Registered)]
                fn register() -> Self { Self }
                fn command(&mut self, name: String) { #assignment; }
            }),
        );
        let expanded = expanded.to_string();
        assert!(
            expanded.contains("a command cannot change the state"),
            "{assignment}"
        );
    }
}
