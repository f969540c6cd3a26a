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
mod versions;

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
/// - `version = 2, upcast(1 => rename_tricks)`: the version in which snapshots hold the state, by default 1, and what makes
///   the stored fields of an older one those of the next, as for `#[event]`. The state needs `Serialize` and `Deserialize`.
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
///
/// # Mistakes
/// An aggregate has no type parameters and no lifetimes: its stored name stands for one type. A method that is no event
/// cannot change the state. An aggregate without a creating event, a half without the other, an unknown option: each is a
/// compile error that says what to write instead, and all of them come at once.
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
///
/// # Options
/// - `version = 3, upcast(1 => add_level, 2 => Self::rename)`: the version of the fields, by default 1, and for each older
///   version the path of a function that makes its stored fields those of the next: `fn(&mut impl StoredState)`, which returns nothing or
///   `Result<(), FieldError>`. They run before anything is made of the event, each once and in order, wherever it is read.
///   The version is stored with the event when it is above 1, and an event of a newer one is refused. The library's guide has
///   a page on it, `evolving_events`.
/// - `payload = Moved`: the parameters are the fields of `Moved`, a struct of your own with serde's derives, which is built from
///   them by their names. Several events may share it. `TruckMoved`, the event, is a tuple struct around it and derefs to it.
///
/// # What it makes
/// For `#[event(TrickAdded)]` on a method of `Dog`: the struct `DogTrickAdded` with the parameters as public fields, which is `Clone`,
/// `Debug` and `PartialEq` when they are; the variant `DogEvent::TrickAdded`; the constant `Dog::TrickAdded`, by which policies name the event.
///
/// # Mistakes
/// A method is refused that is generic, `async`, takes `impl Trait`, patterns, lifetimes or references inside of types, returns a
/// `Result`, or whose body calls another event or the aggregate's methods; so are a name that is taken, a version without a step
/// from each older one, and a step that leads nowhere. Each message says what to write instead.
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

/// Makes an application of a struct: `#[application] pub struct DogSchool;`.
///
/// It gets `DogSchool::new(env)`, and by `Deref` what every application has: `save`, `repository`, `notification_log`. Its
/// commands and queries are ordinary methods.
///
/// What the commands need besides a store are fields: `#[application] struct School { mailer: Mailer }` gets
/// `School::new(env, mailer)`, with the fields in order. A system is told how to make such an application:
/// `pipes![[School = move |env| School::new(env, mailer.clone()), Counters]]`.
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
/// policies; the methods stay as they are. An event without a policy is skipped unread, unless there is a `#[policy(_)]`.
#[proc_macro_attribute]
pub fn process_application(args: TokenStream, item: TokenStream) -> TokenStream {
    policy::expand(args.into(), item.into()).into()
}

/// Its documentation, whose examples need the library, stands where that re-exports it.
#[proc_macro_attribute]
pub fn projection(args: TokenStream, item: TokenStream) -> TokenStream {
    policy::expand_projection(args.into(), item.into()).into()
}

/// Makes a method handle an event of another application: `#[policy(Dog::TrickAdded)]`, inside of a
/// `#[process_application]` impl block. What it collects on the processing event is recorded exactly once. Effects outside
/// of the record (a mail, a call of another service) are at-least-once: a policy may run again for the same event.
///
/// The method takes `&self`, `event: &DomainEvent<DogTrickAdded>` and `processing_event: &mut ProcessingEvent`, and returns
/// `Result<()>`, with any error that can be boxed. Aggregates that it changes are given to
/// `processing_event.collect_events(..)`, not saved.
///
/// | | the method takes |
/// |---|---|
/// | `#[policy(Dog::TrickAdded)]` | `event: &DomainEvent<DogTrickAdded>` |
/// | `#[policy(Dog::Registered, Dog::TrickAdded)]`: several events of one aggregate | `event: &DomainEvent<DogEvent>`, the enum |
/// | `#[policy(Dog::*)]`: all events of one aggregate | `event: &DomainEvent<DogEvent>` |
/// | `#[policy(_)]`: everything that no other policy follows | `event: &UndecodedEvent` |
///
/// With `#[policy(_)]` every event of the upstreams is read and handed over, undecoded; without it, the store filters by topic, and
/// what no policy follows is skipped unread. One event has one policy: a second for it is an error, at compile time where both name
/// it alike, otherwise when the application is opened in a system.
#[proc_macro_attribute]
pub fn policy(_args: TokenStream, item: TokenStream) -> TokenStream {
    marker::misplaced("policy", "process_application", item.into()).into()
}

#[cfg(test)]
mod tests;
