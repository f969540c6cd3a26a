//! Generated code needs no name of the user's scope, and no prelude.

#![no_implicit_prelude]
#![allow(non_camel_case_types, dead_code)]

struct String;
struct Vec;
struct Option;
struct Result;
struct Some;
struct None;
struct Ok;
struct Err;
struct Box;
struct u64_;
trait Clone {}
trait From {}
trait Into {}
trait ToOwned {}
trait Borrow {}
trait Deref {}
trait PartialEq {}
trait Debug {}
mod std {}
mod core {}
mod serde {}

#[derive(::es_system::prelude::Serialize, ::es_system::prelude::Deserialize)]
pub struct Moved {
    to: ::std::string::String,
    over: ::std::option::Option<::std::string::String>,
    stops: ::std::vec::Vec<u8>,
}

#[::es_system::aggregate(version = 2, upcast(1 => state))]
#[derive(::es_system::prelude::Serialize, ::es_system::prelude::Deserialize)]
pub struct Dog {
    name: ::std::string::String,
    tricks: ::std::vec::Vec<::std::string::String>,
}

#[::es_system::aggregate]
impl Dog {
    #[id]
    pub fn create_id(name: &str) -> ::std::string::String {
        ::std::borrow::ToOwned::to_owned(name)
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            name: ::std::borrow::ToOwned::to_owned(name),
            tricks: ::std::vec::Vec::new(),
        }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str, level: u8, note: ::std::option::Option<&str>) {
        let _ = (level, note);
        self.tricks.push(::std::borrow::ToOwned::to_owned(trick));
    }

    #[event(Moved, payload = Moved, version = 3, upcast(1 => state, 2 => from))]
    pub fn move_to(&mut self, to: &str, over: ::std::option::Option<&str>, stops: &[u8]) {
        self.tricks.push(::std::format!("{to} {over:?} {stops:?}"));
    }
}

fn state(state: &mut impl ::es_system::StoredState) {
    state.remove("name");
}

fn from(
    from: &mut impl ::es_system::StoredState,
) -> ::std::result::Result<(), ::es_system::FieldError> {
    from.insert("stops", "none")
}

#[::es_system::application]
pub struct School {
    name: ::std::string::String,
}

#[::es_system::process_application]
pub struct Counters;

#[::es_system::process_application]
impl Counters {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &::es_system::DomainEvent<DogTrickAdded>,
        _: &mut ::es_system::ProcessingEvent,
    ) -> ::es_system::Result<()> {
        let _ = &event.trick;
        ::std::result::Result::Ok(())
    }

    #[policy(Dog::Registered)]
    fn one(
        &self,
        _: &::es_system::DomainEvent<DogRegistered>,
        _: &mut ::es_system::ProcessingEvent,
    ) -> ::es_system::Result<()> {
        ::std::result::Result::Ok(())
    }

    #[policy(_)]
    fn rest(
        &self,
        _: &::es_system::UndecodedEvent,
        _: &mut ::es_system::ProcessingEvent,
    ) -> ::es_system::Result<()> {
        ::std::result::Result::Ok(())
    }
}

#[::es_system::process_application]
pub struct Names;

#[::es_system::process_application]
impl Names {
    #[policy(Dog::*)]
    fn all(
        &self,
        event: &::es_system::DomainEvent<DogEvent>,
        _: &mut ::es_system::ProcessingEvent,
    ) -> ::es_system::Result<()> {
        let _ = &event.payload;
        ::std::result::Result::Ok(())
    }
}

#[::core::prelude::v1::test]
fn main() {
    let mut dog = Dog::register("Billy");
    dog.add_trick("sit", 1, ::std::option::Option::None);
    dog.move_to("Oslo", ::std::option::Option::None, &[1]);
}
