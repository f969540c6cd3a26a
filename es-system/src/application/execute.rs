//! Commands on one aggregate: load, decide, save, and all of it again when somebody else was first.

use es_core::{Aggregate, AggregateId};

use crate::application::core::Application;
use crate::application::tries::Tries;
use crate::error::{Error, ErrorKind, Result};

/// Why [`Application::try_execute`] did nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The command refused, and this is what it said.
    #[error("{0}")]
    Refused(E),
    /// The aggregate could not be loaded or saved.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl<E> ExecuteError<E> {
    /// The caller's own error, if it can be made of both: `.map_err(ExecuteError::flatten)`.
    pub fn flatten<F: From<E> + From<Error>>(self) -> F {
        match self {
            Self::Refused(error) => error.into(),
            Self::Failed(error) => error.into(),
        }
    }
}

impl Application {
    /// Loads an aggregate, has `command` change it, and saves it. On a conflict all of it is done again, with the aggregate
    /// as it is then. For several aggregates at once there is [`retry`](Self::retry).
    ///
    /// **The closure may run more than once**, so it does nothing but decide and change the aggregate. What it returned the
    /// last time is returned. If it returns an error, nothing is saved, and it does not run again.
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
    /// When nobody can say whether the save took place, the same events are sent again, and count as saved if they are found
    /// to be recorded.
    ///
    /// # Errors
    /// What the closure returned; as [`Repository::get`](crate::Repository::get) and [`save`](Self::save);
    /// [`Error::Conflict`] when somebody else was first in each of 20 tries, with short pauses between them;
    /// [`Error::OutcomeUnknown`] when nobody could say in as many whether it was saved: then look before you run it again.
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

    /// [`execute`](Self::execute) with a command that refuses in words of its own.
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
    /// [`ExecuteError::Refused`] with what the closure returned, and [`ExecuteError::Failed`] with every other error of
    /// [`execute`](Self::execute).
    pub fn try_execute<A: Aggregate, T, E>(
        &self,
        id: impl Into<AggregateId>,
        mut command: impl FnMut(&mut A) -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        self.refuse_inside_policy(
            "execute",
            "get the aggregate from the repository, change it, and hand it to `processing_event.collect_events(..)`",
        )?;
        let (id, mut tries) = (id.into(), Tries::new());
        loop {
            let mut aggregate: A = self.repository().get(&id)?;
            let done = command(&mut aggregate).map_err(ExecuteError::Refused)?;
            match self.save_again_if_in_doubt(&mut aggregate, &mut tries) {
                Ok(()) => return Ok(done),
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs a command that loads and saves by itself, and runs it again after a conflict: for commands that change several
    /// aggregates at once. [`execute`](Self::execute) is for one.
    ///
    /// **The closure may run more than once**, so it loads what it changes, and does nothing else but decide, change and save.
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
    /// # let (mut a, mut b) = (Account::open(10), Account::open(0));
    /// # bank.save((&mut a, &mut b))?;
    /// # let (from, to) = (a.id(), b.id());
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
    /// What the closure returned; a conflict, when there was one in each of 20 tries. [`Error::OutcomeUnknown`] is not tried again,
    /// as the command may have taken place: save the same aggregates again, or look before you run it again.
    pub fn retry<T>(&self, mut command: impl FnMut() -> Result<T>) -> Result<T> {
        self.refuse_inside_policy(
            "retry",
            "get the aggregates from the repository, change them, and hand them to `processing_event.collect_events(..)`",
        )?;
        let mut tries = Tries::new();
        loop {
            match command() {
                Err(error) if error.kind() == ErrorKind::Conflict && tries.pause() => {}
                done => return done,
            }
        }
    }

    /// Saves, and sends the same events again while nobody can say whether they are saved: the command is not to be run
    /// again, or it would be done twice.
    pub(crate) fn save_again_if_in_doubt<A: Aggregate>(
        &self,
        aggregate: &mut A,
        tries: &mut Tries,
    ) -> Result<()> {
        loop {
            match self.save(&mut *aggregate) {
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown && tries.pause() => {}
                saved => return saved.map(drop),
            }
        }
    }
}
