//! A process application and a projection that write down the tricks of dogs, and fail on some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use es_system::ApplicationType;
use es_system::prelude::*;
use es_system::store::SetAsideQuery;

use crate::domain::{Dog, DogSchool, DogTrickAdded};

/// A test of a trick that may fail.
type Taste = dyn Fn(&str) -> Result<()> + Send + Sync;

/// The number of failures that are left for each trick.
#[derive(Clone, Default)]
pub struct Poison {
    tricks: Arc<Mutex<HashMap<String, u32>>>,
    taste: Option<Arc<Taste>>,
}

/// The rule of a ledger whose policies fail now and then.
pub const OFTEN: &str = "retry(times = 1000, backoff = \"1ms..5ms\", then = set_aside)";

/// A number of failures that never ends.
pub const ALWAYS: u32 = u32::MAX;

impl Poison {
    /// Creates the poison of a policy that calls `taste` at its end, with the trick.
    pub fn tasted_by(taste: impl Fn(&str) -> Result<()> + Send + Sync + 'static) -> Self {
        Self {
            taste: Some(Arc::new(taste)),
            ..Self::default()
        }
    }

    /// Has the policy for `trick` fail this number of times.
    ///
    /// # Panics
    /// Panics if another thread has panicked meanwhile.
    pub fn set(&self, trick: &str, failures: u32) {
        let mut tricks = self.tricks.lock().expect("no panic");
        tricks.insert(trick.to_owned(), failures);
    }

    /// Has no policy fail any more.
    ///
    /// # Panics
    /// Panics if another thread has panicked meanwhile.
    pub fn heal(&self) {
        self.tricks.lock().expect("no panic").clear();
    }

    /// Fails if the trick is poison.
    ///
    /// # Errors
    /// Fails as often as it was told to.
    ///
    /// # Panics
    /// Panics if another thread has panicked meanwhile.
    pub fn taste(&self, trick: &str) -> Result<()> {
        if let Some(taste) = &self.taste {
            taste(trick)?;
        }
        let mut tricks = self.tricks.lock().expect("no panic");
        match tricks.get_mut(trick) {
            None | Some(0) => Ok(()),
            Some(left) => {
                *left -= u32::from(*left != ALWAYS);
                Err(Error::Usage(format!("{trick} is poison")))
            }
        }
    }
}

/// An entry of the ledger.
#[aggregate]
pub struct Entry {
    /// The trick.
    pub text: String,
}

#[aggregate]
impl Entry {
    /// Writes down a trick.
    #[event(Written)]
    pub fn write(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}

/// Writes down each trick as an aggregate.
#[process_application(name = "Ledger")]
pub struct Ledger {
    poison: Poison,
}

#[process_application]
impl Ledger {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event.collect_events(&mut Entry::write(&event.trick));
        self.poison.taste(&event.trick)
    }
}

/// Writes down each trick in a row of a table.
#[projection(name = "Ledger")]
pub struct LedgerTable {
    poison: Poison,
}

#[projection]
impl LedgerTable {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let ledger = tx.table("ledger");
        let columns = "number BIGINT PRIMARY KEY, trick TEXT NOT NULL";
        tx.execute(&format!("CREATE TABLE {ledger} ({columns})"), &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn write(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let ledger = tx.table("ledger");
        let sql = format!(
            "INSERT INTO {ledger} (number, trick) \
             SELECT coalesce(max(number), 0) + 1, $1 FROM {ledger}"
        );
        tx.execute(&sql, &[&event.trick])?;
        self.poison.taste(&event.trick)
    }
}

/// A follower that writes down tricks.
pub trait Writer: ApplicationType + Sized {
    /// Returns the system of the school and this follower.
    ///
    /// # Errors
    /// Fails if the pipes are wrong.
    fn system(poison: &Poison) -> Result<System>;

    /// Returns the tricks in the order in which they were written down.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    fn written(&self) -> Result<Vec<String>>;

    /// Returns the positions of the events that wait, with the number of attempts.
    ///
    /// # Errors
    /// Fails if the application is closed.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    fn waiting(&self) -> Result<Vec<(u64, u32)>> {
        let query = SetAsideQuery::of("DogSchool").waiting();
        let rows = self.recorder()?.select_set_aside(&query);
        let rows = rows.expect("the store can be read").into_iter();
        Ok(rows.map(|row| (row.position, row.attempts)).collect())
    }
}

impl Writer for Ledger {
    fn system(poison: &Poison) -> Result<System> {
        let poison = poison.clone();
        let open = move |env| Ledger::new(env, poison.clone());
        System::new(pipes![[DogSchool, Ledger = open]])
    }

    fn written(&self) -> Result<Vec<String>> {
        let log = self.notification_log().select(1, 10_000)?;
        let trick = |state: &[u8]| {
            let text = String::from_utf8_lossy(state);
            let trick = text.split("\"text\":\"").nth(1).unwrap_or_default();
            trick.split('"').next().unwrap_or_default().to_owned()
        };
        Ok(log.iter().map(|entry| trick(&entry.state)).collect())
    }
}

impl Writer for LedgerTable {
    fn system(poison: &Poison) -> Result<System> {
        let poison = poison.clone();
        let open = move |env| LedgerTable::new(env, poison.clone());
        System::new(pipes![[DogSchool, LedgerTable = open]])
    }

    fn written(&self) -> Result<Vec<String>> {
        self.read(|tx| {
            let ledger = tx.table("ledger");
            let sql = format!("SELECT trick FROM {ledger} ORDER BY number");
            let rows = tx.query(&sql, &[])?;
            rows.iter().map(|row| Ok(row.get("trick")?)).collect()
        })
    }
}

/// Records these tricks in this order. The first letter of a trick is the name of its dog.
///
/// # Errors
/// Fails if the store fails.
pub fn teach(env: &Env, tricks: &[&str]) -> Result<()> {
    let school = DogSchool::new(env.clone())?;
    for trick in tricks {
        let name = &trick[..1];
        let known = school.repository().find::<Dog>(Dog::create_id(name))?;
        let mut dog = known.unwrap_or_else(|| Dog::register(name));
        dog.add_trick(trick);
        school.save(&mut dog)?;
    }
    Ok(())
}

/// Returns the tricks of one dog, in their order.
pub fn of<'a>(dog: &str, tricks: &'a [String]) -> Vec<&'a str> {
    let tricks = tricks.iter().map(String::as_str);
    tricks.filter(|trick| trick.starts_with(dog)).collect()
}
