//! The moment in which the tables of a rebuild take the place of the old ones, while the follower
//! works.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use es_system::operating::Operate;
use es_system::prelude::*;
use tests::PATIENCE;
use tests::wrapped::{Around, Wrapping};

use super::ledger::{ALWAYS, LedgerTable, Poison, Writer, teach};
use super::{sql_stores, wait_until};

/// Holds up the next read of the school's log, once it is closed.
struct Gate {
    is_closed: AtomicBool,
    ends: Mutex<(Sender<()>, Receiver<()>)>,
}

impl Around for Gate {
    fn before_select_notifications(&self) {
        if self.is_closed.swap(false, Ordering::SeqCst) {
            let ends = self.ends.lock().expect("no panic");
            if ends.0.send(()).is_ok() {
                let _the_test_may_have_ended = ends.1.recv_timeout(PATIENCE);
            }
        }
    }
}

#[test]
fn a_batch_that_was_read_before_the_switch_knows_what_the_rebuild_has_set_aside() -> Result<()> {
    for store in sql_stores() {
        let env = store
            .env
            .clone()
            .with("LEDGER_ON_ERROR", "set_aside")
            .with("POLL_INTERVAL", "0.02");
        let ((holds, held), (go_on, may_go_on)) = (channel(), channel());
        let gate = Arc::new(Gate {
            is_closed: AtomicBool::new(false),
            ends: Mutex::new((holds, may_go_on)),
        });
        let wrapping = Wrapping {
            application: "DogSchool",
            around: gate.clone(),
        };
        teach(&env, &["A1", "B1"])?;
        let live = env.clone().with_store(Arc::new(wrapping));
        let mut runner = MultiThreadedRunner::new(&LedgerTable::system(&Poison::default())?, live)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let ledger = runner.get::<LedgerTable>()?;
        assert_eq!(ledger.written()?, ["A1", "B1"], "{}", store.name);

        // The new program fails on an event that the old one has processed.
        let poison = Poison::default();
        poison.set("A1", ALWAYS);
        let rebuilding = SingleThreadedRunner::new(&LedgerTable::system(&poison)?, env.clone())?;
        let mut is_taught = false;
        rebuilding.rebuild::<LedgerTable>(|progress| {
            if progress.done == progress.total && !std::mem::replace(&mut is_taught, true) {
                gate.is_closed.store(true, Ordering::SeqCst);
                teach(&env, &["A2"]).expect("the school can be written");
                held.recv_timeout(PATIENCE).expect("the follower reads it");
            }
        })?;
        assert!(is_taught);
        go_on.send(()).expect("it waits");
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ledger.written()?, ["B1"], "{}", store.name);
        let waiting = ledger.waiting()?;
        let positions: Vec<_> = waiting.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [2, 5], "{}: A2 is behind A1", store.name);
        runner.retry::<LedgerTable>("DogSchool", None)?;
        assert_eq!(ledger.written()?, ["B1", "A1", "A2"], "{}", store.name);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn a_rebuild_passes_over_an_event_that_was_skipped() -> Result<()> {
    for store in sql_stores() {
        let poison = Poison::default();
        poison.set("A1", ALWAYS);
        teach(&store.env, &["A1", "B1", "A2"])?;
        let system = LedgerTable::system(&poison)?;
        let mut runner = MultiThreadedRunner::new(&system, store.env.clone())?;
        runner.start()?;
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("it has stopped");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        runner.skip::<LedgerTable>("DogSchool", 2)?;
        let ledger = runner.get::<LedgerTable>()?;
        let is_done = || Ok(ledger.written()? == ["B1", "A2"]);
        wait_until("it goes on", &runner, is_done)?;
        // The event is passed over, whether or not its handler would fail.
        runner.rebuild::<LedgerTable>(|_| ())?;
        assert_eq!(ledger.written()?, ["B1", "A2"], "{}", store.name);
        poison.heal();
        runner.rebuild::<LedgerTable>(|_| ())?;
        assert_eq!(ledger.written()?, ["B1", "A2"], "{}", store.name);
        assert_eq!(ledger.waiting()?, []);
        runner.stop()?;
    }
    Ok(())
}
