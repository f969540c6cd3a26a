//! The system of the tool that the tests run: the example's, and a ledger whose policy may fail.

use es_system::prelude::*;

use crate::domain::{Counters, Dog, DogSchool, DogTrickAdded};
use crate::table::TrickTable;

/// An entry of the ledger.
#[aggregate]
#[derive(Debug)]
pub struct Entry {
    /// The trick.
    pub text: String,
}

#[aggregate]
#[allow(missing_docs, reason = "the tests' code has few docs")]
impl Entry {
    #[event(Written)]
    pub fn write(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}

/// Writes down each trick, and fails on one.
#[process_application(aggregates(Entry))]
pub struct Ledger {
    poison: Option<String>,
}

#[process_application]
impl Ledger {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        if self.poison.as_deref() == Some(&*event.trick) {
            return Err(Error::Usage(format!("{} is poison", event.trick)));
        }
        processing_event.collect_events(&mut Entry::write(&event.trick));
        Ok(())
    }
}

/// Returns the system. The environment may have `LEDGER_POISON`, the trick on which the ledger
/// fails.
///
/// # Errors
/// Fails if the pipes are wrong.
pub fn system() -> Result<System> {
    let ledger = |env: Env| {
        let poison = env.get("LEDGER_POISON").map(str::to_owned);
        Ledger::new(env, poison)
    };
    System::new(pipes![
        [DogSchool, Counters],
        [DogSchool, TrickTable],
        [DogSchool, Ledger = ledger],
    ])
}
