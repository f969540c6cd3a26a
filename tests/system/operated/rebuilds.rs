//! Rebuilds of projections with events that were skipped or set aside.

use es_system::prelude::*;
use es_system::store::{Decision, DecisionKind, Recording, SetAsideChange};
use tests::PATIENCE;

use super::ledger::{ALWAYS, LedgerTable, Poison, Writer, teach};
use super::{sql_stores, wait_until};

/// Has an operator decide about the first event that waits.
fn discard_first(ledger: &LedgerTable) -> Result<()> {
    let (position, _) = ledger.waiting()?[0];
    let change = SetAsideChange::Decide {
        upstream: "DogSchool".to_owned(),
        position,
        decision: Decision::new(DecisionKind::Discarded, "Ann", Timestamp::now()),
    };
    let recording = Recording::default().set_aside(change);
    ledger.recorder()?.record(&recording).expect("it waits");
    Ok(())
}

#[test]
fn a_rebuild_passes_over_decided_events_and_retries_apply_nothing_twice() -> Result<()> {
    for store in sql_stores() {
        let env = store.env.clone().with("LEDGER_ON_ERROR", "set_aside");
        let poison = Poison::default();
        poison.set("A1", ALWAYS);
        poison.set("B1", ALWAYS);
        teach(&env, &["A1", "B1", "C1", "A2", "B2"])?;
        let mut runner = MultiThreadedRunner::new(&LedgerTable::system(&poison)?, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let ledger = runner.get::<LedgerTable>()?;
        assert_eq!(ledger.written()?, ["C1"], "{}", store.name);
        discard_first(&ledger)?;
        let is_tried = || Ok(ledger.written()? == ["C1", "A2"]);
        wait_until("the next one is tried", &runner, is_tried)?;
        assert_eq!(ledger.waiting()?.len(), 2, "B1 and B2 wait");

        // The decision is honoured although the event could be processed now.
        poison.set("A1", 0);
        runner.rebuild::<LedgerTable>(|_| ())?;
        assert_eq!(ledger.written()?, ["C1", "A2"], "{}", store.name);
        let waiting = ledger.waiting()?;
        assert_eq!(waiting.len(), 2, "the rebuild has set aside the same");

        // A rebuild with the repaired policy applies what was set aside, and nothing waits then.
        poison.heal();
        runner.rebuild::<LedgerTable>(|_| ())?;
        assert_eq!(
            ledger.written()?,
            ["B1", "C1", "A2", "B2"],
            "{}",
            store.name
        );
        assert!(ledger.waiting()?.is_empty(), "{}", store.name);
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ledger.written()?.len(), 4);
        runner.stop()?;
    }
    Ok(())
}
