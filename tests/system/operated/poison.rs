//! A poisoned event at each place of a batch, under each rule.

use es_system::prelude::*;
use es_system::store::{Recording, SetAsideChange};
use tests::PATIENCE;

use super::ledger::{ALWAYS, Ledger, LedgerTable, Poison, Writer, of, teach};
use super::{Store, sql_stores, stores, wait_until};

/// The tricks of three dogs, in one batch.
const TRICKS: [&str; 9] = ["A1", "B1", "C1", "A2", "B2", "C2", "A3", "B3", "C3"];

/// The rules, with the number of failures of the poisoned event.
const RULES: [(&str, u32); 6] = [
    ("stop", ALWAYS),
    ("retry(times = 3, backoff = \"1ms..3ms\")", ALWAYS),
    ("retry(times = 3, backoff = \"1ms..3ms\")", 3),
    ("set_aside", ALWAYS),
    (
        "retry(times = 3, backoff = \"1ms..3ms\", then = set_aside)",
        ALWAYS,
    ),
    (
        "retry(times = 3, backoff = \"1ms..3ms\", then = set_aside)",
        3,
    ),
];

struct Case<'a> {
    rule: &'a str,
    failures: u32,
    /// The index of the poisoned trick.
    at: usize,
    env: Env,
}

impl Case<'_> {
    fn poisoned(&self) -> &'static str {
        TRICKS[self.at]
    }

    fn is_stop(&self) -> bool {
        !self.rule.contains("set_aside")
    }

    /// Runs the case, and asserts that each trick is written down once, those of a dog in their
    /// order.
    fn run<R: Runner, W: Writer>(&self) -> Result<()> {
        let poison = Poison::default();
        poison.set(self.poisoned(), self.failures);
        let mut runner = R::new(&W::system(&poison)?, self.env.clone())?;
        runner.start()?;
        if self.failures != ALWAYS {
            let writer = runner.get::<W>()?;
            let is_done = || Ok(writer.written()?.len() == TRICKS.len());
            wait_until("all tricks are written", &runner, is_done)?;
        } else if self.is_stop() {
            self.stops::<R, W>(&runner)?;
            poison.heal();
            runner.stop()?;
            runner = R::new(&W::system(&poison)?, self.env.clone())?;
            runner.start()?;
        } else {
            self.is_set_aside::<R, W>(&runner)?;
            poison.heal();
            let writer = runner.get::<W>()?;
            self.let_retry(&*writer)?;
            let is_done = || Ok(writer.written()?.len() == TRICKS.len());
            wait_until("all tricks are written", &runner, is_done)?;
        }
        runner.wait_until_idle(PATIENCE)?;
        let writer = runner.get::<W>()?;
        let written = writer.written()?;
        assert_eq!(written.len(), TRICKS.len(), "each once: {written:?}");
        for dog in ["A", "B", "C"] {
            let expected = [1, 2, 3].map(|nth| format!("{dog}{nth}"));
            assert_eq!(of(dog, &written), expected);
        }
        assert_eq!(writer.waiting()?, []);
        runner.stop()
    }

    fn stops<R: Runner, W: Writer>(&self, runner: &R) -> Result<()> {
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("it has stopped");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        let written = runner.get::<W>()?.written()?;
        assert_eq!(written, TRICKS[..self.at]);
        assert_eq!(runner.get::<W>()?.waiting()?, []);
        Ok(())
    }

    /// Asserts that the tricks of other dogs are written, and those of the poisoned one wait.
    fn is_set_aside<R: Runner, W: Writer>(&self, runner: &R) -> Result<()> {
        runner.wait_until_idle(PATIENCE)?;
        let writer = runner.get::<W>()?;
        let dog = &self.poisoned()[..1];
        let behind = TRICKS[self.at + 1..].iter();
        let behind = behind.filter(|trick| trick.starts_with(dog)).count();
        let attempts = if self.rule == "set_aside" { 1 } else { 4 };
        let has_failed = || {
            let waiting = writer.waiting()?;
            Ok(waiting.first().is_some_and(|(_, at)| *at == attempts))
        };
        wait_until("the last attempt has failed", runner, has_failed)?;
        let waiting = writer.waiting()?;
        let expected: Vec<_> = std::iter::once(attempts).chain(vec![0; behind]).collect();
        let found: Vec<_> = waiting.iter().map(|(_, attempts)| *attempts).collect();
        assert_eq!(found, expected);
        let written = writer.written()?;
        assert_eq!(written.len(), TRICKS.len() - 1 - behind, "{written:?}");
        Ok(())
    }

    /// Has the first event become due, as an operator does.
    fn let_retry(&self, writer: &impl Writer) -> Result<()> {
        let (position, _) = writer.waiting()?[0];
        let due = SetAsideChange::Due {
            upstream: "DogSchool".to_owned(),
            position,
            due: Timestamp::now(),
        };
        let recording = Recording::default().set_aside(due);
        writer.recorder()?.record(&recording).expect("it waits");
        Ok(())
    }
}

fn each_case<R: Runner, W: Writer>(stores: fn() -> Vec<Store>) -> Result<()> {
    for (rule, failures) in RULES {
        for at in [0, 4, 8] {
            for store in stores() {
                let name = store.name;
                let env = store.env.clone().with("LEDGER_ON_ERROR", rule);
                teach(&env, &TRICKS)?;
                let case = Case {
                    rule,
                    failures,
                    at,
                    env,
                };
                let ran = case.run::<R, W>();
                ran.unwrap_or_else(|error| panic!("{name}, {rule}, {failures}, {at}: {error}"));
            }
        }
    }
    Ok(())
}

#[test]
fn a_poisoned_event_of_a_process_application_is_treated_by_its_rule() -> Result<()> {
    each_case::<SingleThreadedRunner, Ledger>(stores)?;
    each_case::<MultiThreadedRunner, Ledger>(stores)
}

#[test]
fn a_poisoned_event_of_a_projection_is_treated_by_its_rule() -> Result<()> {
    each_case::<SingleThreadedRunner, LedgerTable>(sql_stores)?;
    each_case::<MultiThreadedRunner, LedgerTable>(sql_stores)
}
