//! The attributes of the event-sourcing library. Examples stand where the library re-exports them.

mod aggregate;
mod alone;
mod application;
mod crate_path;
mod derives;
mod errors;
mod fallback;
mod impl_block;
mod marker;
mod names;
mod options;
mod policy;
mod spans;

use proc_macro::TokenStream;

/// Makes an event-sourced aggregate of a struct (or an enum) and its impl block; it stands on both.
///
/// # On the struct
/// `Dog` becomes two types. `DogState` holds the fields as they were written, with the derives. `Dog` has the state, the
/// identity, the version and the pending events, and gives access to the fields to read: there is no way to change
/// them but an event. `Dog` is `Clone`, `Debug` and `PartialEq` when its state is, and `Serialize` when that was derived.
///
/// - `topic = "dogschool:Dog"`: the stored name, by default the type's. With it, the type can be renamed.
/// - `snapshot_every = 100`: after each hundred events a snapshot is taken, from which the aggregate is loaded without
///   the events before it. The state then needs `Serialize` and `Deserialize`. A snapshot is written after the commit and in a
///   transaction of its own: if that fails, it is a warning, and nothing is lost. `app.take_snapshot::<Dog>(id, None)` takes one
///   when it is asked to.
/// - `crate = other_name`: the name under which the library is known, by default `::es_system`.
///
/// Write `#[aggregate]` in front of `#[derive(..)]`: a derive in front of it is not seen, and is for the wrong type.
///
/// # On the impl block
/// Methods with `#[event(..)]` make events, one function with `#[id]` computes the identity, and all else stays as it
/// is. One impl block has the attribute; other methods may stand in others. For each event there is a struct with the
/// parameters as fields (`DogTrickAdded`) and a constant that names it (`Dog::TrickAdded`); `DogEvent` is the enum of all.
///
/// - `vis = pub(crate)`: the visibility of what is generated, by default `pub`.
/// - `crate = other_name`: as above.
///
/// Names of generated types are put together, so an event `TrickAdded` of `Dog` and an event `Added` of `DogTrick` in
/// one module clash: move one of the two, or rename its event.
#[proc_macro_attribute]
pub fn aggregate(args: TokenStream, item: TokenStream) -> TokenStream {
    aggregate::expand(args.into(), item.into()).into()
}

/// Makes an event of a method, inside of an `#[aggregate]` impl block: `#[event(TrickAdded)]`.
///
/// The method's body is what the event does to the state; a call and a replay run the same body. The method that callers
/// see makes the event, applies it, numbers it and keeps it as pending. Without `self` and with `-> Self` it creates the
/// aggregate, with `&mut self` it changes it.
///
/// The parameters are stored, so they need serde, and `Clone` when they are taken by value. `&str`, `&[T]`, `&T` and
/// `Option<&T>` are stored as `String`, `Vec<T>` and so on. A parameter `timestamp: Timestamp` is the event's time: callers
/// do not pass it, and it is stored once.
///
/// The body has the state only: no identity, no other events, none of the aggregate's other methods. What it shares with
/// them goes into `impl DogState`. It cannot fail: a command checks first, and then calls the event.
#[proc_macro_attribute]
pub fn event(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("event", "aggregate", item.into()).into()
}

/// Marks the function that computes the identity of an aggregate, inside of an `#[aggregate]` impl block.
///
/// It returns a `Uuid` or a text. Its parameters are matched by name with those of each creating method. Without such a
/// function, an aggregate gets a fresh UUID.
#[proc_macro_attribute]
pub fn id(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("id", "aggregate", item.into()).into()
}

/// Makes an application of a struct without fields: `#[application] pub struct DogSchool;`.
///
/// It gets `DogSchool::new(env)`, and by `Deref` what every application has: `save`, `repository`, `notification_log`. Its
/// commands and queries are ordinary methods.
///
/// - `name = "DogSchool"`: the stored name, by default the type's. Tables and keys of the environment hang on it.
/// - `crate = other_name`: the name under which the library is known, by default `::es_system`.
#[proc_macro_attribute]
pub fn application(args: TokenStream, item: TokenStream) -> TokenStream {
    application::expand(application::Kind::Leader, args.into(), item.into()).into()
}

/// Makes an application that follows others by its `#[policy]` methods; it stands on the struct and on their impl block.
///
/// On the struct it does and takes what `#[application]` does. On the impl block it makes the table from events to
/// policies; the methods stay as they are. An event without a policy is skipped unread.
#[proc_macro_attribute]
pub fn process_application(args: TokenStream, item: TokenStream) -> TokenStream {
    policy::expand(args.into(), item.into()).into()
}

/// Makes a method handle an event of another application: `#[policy(Dog::TrickAdded)]`, inside of a
/// `#[process_application]` impl block. What it collects on the processing event is recorded exactly once. Effects outside
/// of the record (a mail, a call of another service) are at-least-once: a policy may run again for the same event.
///
/// The method takes `&self`, `event: &DomainEvent<DogTrickAdded>` and `processing_event: &mut ProcessingEvent`, and returns
/// `Result<()>`, with any error that can be boxed. Aggregates that it changes are given to
/// `processing_event.collect_events(..)`, not saved.
///
/// One method follows one event.
#[proc_macro_attribute]
pub fn policy(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("policy", "process_application", item.into()).into()
}

#[cfg(test)]
mod tests;
