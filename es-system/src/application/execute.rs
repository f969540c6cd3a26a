//! Commands on one aggregate: load, decide and save, repeated after a conflict with another writer.

use es_core::{Aggregate, AggregateId};

use crate::application::core::Application;
use crate::application::store_errors;
use crate::application::tries::Tries;
use crate::error::{Error, ErrorKind, Result};

/// The error of [`Application::try_execute`]. Nothing was saved, unless it is an
/// [`Error::OutcomeUnknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The command refused, with this error.
    #[error("{0}")]
    Refused(E),
    /// The aggregate could not be loaded or saved.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl<E> ExecuteError<E> {
    /// Converts to the caller's own error, if it can be made of both:
    /// `.map_err(ExecuteError::flatten)`.
    pub fn flatten<F: From<E> + From<Error>>(self) -> F {
        match self {
            Self::Refused(error) => error.into(),
            Self::Failed(error) => error.into(),
        }
    }
}

impl Application {
    /// Loads an aggregate, lets `command` change it, and saves it. After a conflict it loads the
    /// aggregate again and repeats the command. For several aggregates at once there is
    /// [`retry`](Self::retry).
    ///
    /// **The closure may run more than once**, so it should only decide and change the aggregate.
    /// It must not put another aggregate in its place. The result of its last run is returned. If
    /// it returns an error, nothing is saved and it does not run again.
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// # #[aggregate]
    /// # pub struct Dog { tricks: Vec<String> }
    /// # #[aggregate]
    /// # impl Dog {
    /// #     #[event(Registered)]
    /// #     pub fn register() -> Self { Self { tricks: Vec::new() } }
    /// #     #[event(TrickAdded)]
    /// #     pub fn add_trick(&mut self, trick: &str) { self.tricks.push(trick.to_owned()); }
    /// # }
    /// # #[application]
    /// # pub struct DogSchool;
    /// # let school = DogSchool::new(Env::new())?;
    /// # let mut dog = Dog::register();
    /// # school.save(&mut dog)?;
    /// # let id = dog.id();
    /// let known = school.execute::<Dog, _>(id, |dog| {
    ///     dog.add_trick("sit");
    ///     Ok(dog.tricks.len())
    /// })?;
    /// assert_eq!(known, 1);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// If it is unknown whether the save took place, the same events are sent again, at most four
    /// times within ten seconds; if they are found to be recorded, the command has succeeded.
    ///
    /// # Errors
    /// Returns the error of the closure, and fails as [`Repository::get`](crate::Repository::get)
    /// and [`save`](Self::save) do. The error says how often it was tried. Returns
    /// [`Error::Conflict`] if each of 20 attempts, with short pauses between them, met a conflict,
    /// and [`Error::Usage`] if the closure has replaced the aggregate; then nothing is saved.
    ///
    /// Returns [`Error::OutcomeUnknown`] if it stays unknown whether the events were saved. Do not
    /// run the command again then: it could take effect twice. Settle the [doubt](Error::doubt) of
    /// the error:
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// fn saved(done: Result<()>) -> Result<()> {
    ///     match done {
    ///         Err(error) => match error.doubt() {
    ///             Some(doubt) => doubt.settle().map(drop),
    ///             None => Err(error),
    ///         },
    ///         done => done,
    ///     }
    /// }
    /// # saved(Ok(()))?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn execute<A: Aggregate, T>(
        &self,
        id: impl Into<AggregateId>,
        command: impl FnMut(&mut A) -> Result<T>,
    ) -> Result<T> {
        match self.try_execute(id, command) {
            Err(ExecuteError::Refused(error) | ExecuteError::Failed(error)) => Err(error),
            Ok(done) => Ok(done),
        }
    }

    /// Works as [`execute`](Self::execute), with a command that returns an error type of its own.
    ///
    /// **The closure may run more than once.**
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// # use es_system::ExecuteError;
    /// # #[aggregate]
    /// # pub struct Dog { tricks: Vec<String> }
    /// # #[aggregate]
    /// # impl Dog {
    /// #     #[event(Registered)]
    /// #     pub fn register() -> Self { Self { tricks: Vec::new() } }
    /// #     #[event(TrickAdded)]
    /// #     pub fn add_trick(&mut self, trick: &str) { self.tricks.push(trick.to_owned()); }
    /// #     pub fn teach(&mut self, trick: &str) -> Result<(), String> {
    /// #         if self.tricks.iter().any(|known| known == trick) {
    /// #             return Err(format!("it knows {trick} already"));
    /// #         }
    /// #         self.add_trick(trick);
    /// #         Ok(())
    /// #     }
    /// # }
    /// # #[application]
    /// # pub struct DogSchool;
    /// # let school = DogSchool::new(Env::new())?;
    /// # let mut dog = Dog::register();
    /// # school.save(&mut dog)?;
    /// # let id = dog.id();
    /// school.execute::<Dog, _>(id, |dog| Ok(dog.add_trick("sit")))?;
    /// match school.try_execute::<Dog, _, _>(id, |dog| dog.teach("sit")) {
    ///     Err(ExecuteError::Refused(reason)) => assert_eq!(reason, "it knows sit already"),
    ///     Err(ExecuteError::Failed(error)) => return Err(error),
    ///     Ok(()) => unreachable!("it knows it"),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`ExecuteError::Refused`] with the error of the closure, and
    /// [`ExecuteError::Failed`] with every other error of [`execute`](Self::execute).
    pub fn try_execute<A: Aggregate, T, E>(
        &self,
        id: impl Into<AggregateId>,
        mut command: impl FnMut(&mut A) -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        self.refuse_inside_policy(
            "execute",
            "get the aggregate from the repository, change it, and hand it to `processing_event.collect_events(..)`",
        )?;
        let id = id.into();
        let mut tries = Tries::new();
        let began = store_errors::now();
        loop {
            let loaded = self.repository().get(&id);
            let mut aggregate: A = loaded.map_err(|error| tries.failed(error))?;
            let loaded = aggregate.version();
            let done = match command(&mut aggregate) {
                Ok(done) => done,
                Err(refusal) => {
                    aggregate.__root().__refused();
                    return Err(ExecuteError::Refused(refusal));
                }
            };
            self.refuse_replaced(&id, loaded, &aggregate)?;
            match self.save_again_if_in_doubt(&mut aggregate, &mut tries) {
                Ok(()) => return Ok(done),
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {
                    store_errors::mended_since(began);
                }
                Err(error) => return Err(tries.failed(error).into()),
            }
        }
    }

    /// Runs a command that loads and saves by itself, and repeats it after a conflict. It is for
    /// commands that change several aggregates at once; [`execute`](Self::execute) is for one.
    ///
    /// **The closure may run more than once**, so it should load the aggregates that it changes,
    /// and only decide, change and save.
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// # #[aggregate]
    /// # pub struct Account { balance: u64 }
    /// # #[aggregate]
    /// # impl Account {
    /// #     #[event(Opened)]
    /// #     pub fn open(balance: u64) -> Self { Self { balance } }
    /// #     #[event(Sent)]
    /// #     pub fn send(&mut self, amount: u64) { self.balance -= amount; }
    /// #     #[event(Received)]
    /// #     pub fn receive(&mut self, amount: u64) { self.balance += amount; }
    /// # }
    /// # #[application]
    /// # pub struct Bank;
    /// # let bank = Bank::new(Env::new())?;
    /// # let mut a = Account::open(10);
    /// # let mut b = Account::open(0);
    /// # bank.save((&mut a, &mut b))?;
    /// # let from = a.id();
    /// # let to = b.id();
    /// let refused: Result<(), String> = bank.retry(|| {
    ///     let mut sender: Account = bank.repository().get(from)?;
    ///     let mut receiver: Account = bank.repository().get(to)?;
    ///     if sender.balance < 7 {
    ///         return Ok(Err("too little".to_owned()));
    ///     }
    ///     sender.send(7);
    ///     receiver.receive(7);
    ///     bank.save((&mut sender, &mut receiver))?;
    ///     Ok(Ok(()))
    /// })?;
    /// assert_eq!(refused, Ok(()));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns the error of the closure, which is a conflict if each of 20 attempts met one.
    /// The error says how often it was tried. [`Error::OutcomeUnknown`] is not repeated, because
    /// the command may have taken place: settle its [doubt](Error::doubt), or save the same
    /// aggregates again.
    pub fn retry<T>(&self, mut command: impl FnMut() -> Result<T>) -> Result<T> {
        self.refuse_inside_policy(
            "retry",
            "get the aggregates from the repository, change them, and hand them to `processing_event.collect_events(..)`",
        )?;
        let mut tries = Tries::new();
        let began = store_errors::now();
        loop {
            match command() {
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {
                    store_errors::mended_since(began);
                }
                done => return done.map_err(|error| tries.failed(error)),
            }
        }
    }

    /// Refuses an aggregate that is not the one that was loaded: it has another id, or its events
    /// do not follow the version that was loaded.
    fn refuse_replaced<A: Aggregate>(
        &self,
        id: &AggregateId,
        loaded: u64,
        aggregate: &A,
    ) -> Result<()> {
        let name = self.name();
        let new = aggregate.pending_events().len() as u64;
        let repair = "change the aggregate that the closure is given by its event methods, and save another one by `save`";
        if aggregate.id() != id {
            let other = aggregate.id();
            return Err(Error::Usage(format!(
                "{name}: the closure of `execute` was given aggregate {id}, and put aggregate {other} in its place: {repair}"
            )));
        }
        if aggregate.version().saturating_sub(new) < loaded {
            let version = aggregate.version();
            return Err(Error::Usage(format!(
                "{name}: the closure of `execute` was given aggregate {id} at version {loaded}, and put another copy in \
                 its place, at version {version} with {new} new events: {repair}"
            )));
        }
        Ok(())
    }

    /// Saves, and sends the same events again while it is unknown whether they are saved. Running
    /// the command again instead could apply it twice.
    pub(crate) fn save_again_if_in_doubt<A: Aggregate>(
        &self,
        aggregate: &mut A,
        tries: &mut Tries,
    ) -> Result<()> {
        loop {
            match self.save(&mut *aggregate) {
                Err(error)
                    if error.kind() == ErrorKind::OutcomeUnknown && tries.pause_in_doubt() => {}
                saved => return saved.map(drop),
            }
        }
    }
}
