//! A projection whose table lists the processed events, and whose handlers fail when a trick says
//! so.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};

use es_system::prelude::*;

use crate::PATIENCE;
use crate::domain::{Dog, DogTrickAdded};

/// Records each trick of the school in a table.
#[projection]
pub struct Journal;

#[projection]
impl Journal {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let journal = tx.table("journal");
        let columns = "position BIGINT NOT NULL, trick TEXT NOT NULL";
        tx.execute(&format!("CREATE TABLE {journal} ({columns})"), &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn note(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (trick, position) VALUES ($2, $1)",
            tx.table("journal")
        );
        tx.execute(&sql, &[&event.notification_id, &event.trick])?;
        on_handler(event.notification_id);
        match mishap(&event.trick) {
            "fail" => return Err(Error::Usage("the handler fails".to_owned())),
            "panic" => panic!("the handler panics"),
            "wrong" => {
                tx.execute("INSERT INTO nowhere VALUES (1)", &[])?;
            }
            "swallow" => {
                let _swallowed = tx.execute("INSERT INTO nowhere VALUES (1)", &[]);
            }
            "wait" => wait_until_mended(&event.trick),
            "commit" => {
                tx.execute("COMMIT", &[])?;
            }
            "rawcommit" => self.end_behind_the_back(tx, "COMMIT")?,
            "rawrollback" => self.end_behind_the_back(tx, "ROLLBACK")?,
            // A handler may use a savepoint of its own.
            "raw" => {
                if let Some(postgres) = tx.postgres() {
                    postgres
                        .transaction()
                        .and_then(|inner| inner.commit())
                        .map_err(|error| Error::Usage(error.to_string()))?;
                }
                assert!(
                    tx.sqlite()
                        .is_none_or(|connection| !connection.is_autocommit())
                );
            }
            "read" => {
                self.positions()?;
            }
            "save" => {
                self.save(&mut Dog::register("Eve"))?;
            }
            "store" => {
                self.position_in("DogSchool")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The answer of PostgreSQL is ignored.
    fn end_behind_the_back(&self, tx: &mut Transaction<'_>, word: &str) -> Result<()> {
        if let Some(connection) = tx.sqlite() {
            let refused = connection.execute_batch(word);
            return refused.map_err(|error| Error::Usage(error.to_string()));
        }
        if let Some(postgres) = tx.postgres() {
            let _ended = postgres.batch_execute(word);
        }
        Ok(())
    }

    /// Returns the positions of the processed events, sorted.
    ///
    /// # Errors
    /// Fails if the table cannot be read.
    pub fn positions(&self) -> Result<Vec<u64>> {
        self.read(|tx| {
            let sql = format!(
                "SELECT position FROM {} ORDER BY position",
                tx.table("journal")
            );
            let rows = tx.query(&sql, &[])?;
            rows.iter().map(|row| Ok(row.get(0)?)).collect()
        })
    }
}

/// Returns the fault to cause, which is the first word of the trick unless it is mended.
fn mishap(trick: &str) -> &str {
    let mended = MENDED.lock().expect("no panic");
    if mended.as_ref().is_some_and(|mended| mended.contains(trick)) {
        ""
    } else {
        trick.split(' ').next().unwrap_or_default()
    }
}

static MENDED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

static IS_MENDED: Condvar = Condvar::new();

/// Mends a trick: from now on it causes no fault.
///
/// # Panics
/// Panics if another test has panicked while it held the lock.
pub fn mend(trick: &str) {
    let mut mended = MENDED.lock().expect("no panic");
    mended.get_or_insert_default().insert(trick.to_owned());
    IS_MENDED.notify_all();
}

static WAITING: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Waits until the handler of this trick waits.
///
/// # Panics
/// Panics if it never does.
pub fn wait_for_handler(trick: &str) {
    let waiting = WAITING.lock().expect("no panic");
    let is_coming = |waiting: &mut Option<HashSet<String>>| {
        !waiting
            .as_ref()
            .is_some_and(|waiting| waiting.contains(trick))
    };
    let came = IS_WAITING.wait_timeout_while(waiting, PATIENCE, is_coming);
    assert!(
        !came.expect("no panic").1.timed_out(),
        "it never comes to `{trick}`"
    );
}

static IS_WAITING: Condvar = Condvar::new();

fn wait_until_mended(trick: &str) {
    WAITING
        .lock()
        .expect("no panic")
        .get_or_insert_default()
        .insert(trick.to_owned());
    IS_WAITING.notify_all();
    let mended = MENDED.lock().expect("no panic");
    let is_waiting = |mended: &mut Option<HashSet<String>>| {
        !mended.as_ref().is_some_and(|mended| mended.contains(trick))
    };
    drop(IS_MENDED.wait_timeout_while(mended, PATIENCE, is_waiting));
}

type Hook = Box<dyn Fn(u64)>;

thread_local! {
    static HOOK: std::cell::RefCell<Option<Hook>> = const { std::cell::RefCell::new(None) };
}

/// Has each handler on this thread call `hook` with the position of its event, in the middle of its
/// work.
pub fn hook_on_this_thread(hook: impl Fn(u64) + 'static) {
    HOOK.set(Some(Box::new(hook)));
}

fn on_handler(position: u64) {
    HOOK.with_borrow(|hook| hook.iter().for_each(|hook| hook(position)));
}
