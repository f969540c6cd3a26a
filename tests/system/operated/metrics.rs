//! The numbers of a runner's work add up.

use std::thread;

use es_system::operating::{EdgeMetrics, Metrics};
use es_system::prelude::*;
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool};

use super::hanging::slow;
use super::ledger::{ALWAYS, Ledger, LedgerTable, Poison, Writer, teach};
use super::{Store, sql_stores, stores, wait_until};

/// The tricks of three dogs. With the registrations of the dogs they are 12 events.
const TRICKS: [&str; 9] = ["A1", "B1", "C1", "A2", "B2", "C2", "A3", "B3", "C3"];

fn only_edge(metrics: &Metrics) -> &EdgeMetrics {
    assert_eq!(metrics.edges.len(), 1);
    &metrics.edges[0]
}

/// Follows the tricks, three of which were recorded before the start, while one is poisoned.
/// Each makes `recorded` new events.
fn adds_up<R: Runner, W: Writer>(store: &Store, rule: &str, recorded: u64) -> Result<()> {
    let name = store.name;
    let env = store.env.clone().with("LEDGER_ON_ERROR", rule);
    let poison = Poison::default();
    poison.set("B2", 2);
    teach(&env, &TRICKS[..3])?;
    let mut runner = R::new(&W::system(&poison)?, env)?;
    let new = runner.metrics();
    assert_eq!(only_edge(&new).processed, 0);
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    for trick in &TRICKS[3..] {
        let mut dog: Dog = school.repository().get(Dog::create_id(&trick[..1]))?;
        dog.add_trick(trick);
        school.save(&mut dog)?;
    }
    let writer = runner.get::<W>()?;
    let is_done = || Ok(writer.written()?.len() == TRICKS.len());
    wait_until("all tricks are written", &runner, is_done)?;
    runner.wait_until_idle(PATIENCE)?;
    // A batch is counted behind its commit.
    runner.stop()?;
    let metrics = runner.metrics();
    let edge = only_edge(&metrics);
    assert_eq!((&*edge.follower, &*edge.upstream), ("Ledger", "DogSchool"));
    assert_eq!(
        edge.processed, 9,
        "{name}: each wanted event once: {edge:?}"
    );
    assert_eq!(edge.recorded, 9 * recorded, "{name}");
    assert_eq!(edge.fenced, 0, "{name}: nobody else was there");
    let is_aside = rule.contains("set_aside");
    assert_eq!(edge.set_aside > 0, is_aside, "{name}: {edge:?}");
    // Two attempts have failed. Set aside, the first was no retry, and those behind it are retried.
    let retried = if is_aside { 1 + edge.set_aside } else { 2 };
    // A projection that has failed behind other events runs those alone, and is not asked yet
    // what becomes of the failed one.
    let least = if recorded == 0 { retried - 1 } else { retried };
    assert!(
        (least..=retried).contains(&edge.retried),
        "{name}: {edge:?}"
    );
    let batches = edge.batches;
    assert_eq!(batches.events, 9, "{name}: {batches:?}");
    assert!((1..=9).contains(&batches.count) && (1..=9).contains(&batches.last_events));
    assert!(batches.last_time > Duration::ZERO && batches.time >= batches.last_time);
    saves_add_up(name, &metrics);
    Ok(())
}

fn saves_add_up(name: &str, metrics: &Metrics) {
    let names: Vec<_> = metrics
        .applications
        .iter()
        .map(|one| &*one.application)
        .collect();
    assert_eq!(names, ["DogSchool", "Ledger"]);
    let school = &metrics.applications[0];
    assert_eq!((school.saves, school.conflicts), (6, 0), "{name}");
    assert_eq!(metrics.applications[1].saves, 0, "a batch is no save");
    assert_eq!(school.commits.is_some(), name != "memory", "{name}");
    if let Some(commits) = school.commits {
        assert!(commits.recordings >= 6 && commits.transactions <= commits.recordings);
        assert!(
            (1..=commits.recordings).contains(&commits.largest),
            "{commits:?}"
        );
    }
}

fn each_store<R: Runner, W: Writer>(stores: fn() -> Vec<Store>, recorded: u64) -> Result<()> {
    for rule in [
        "retry(times = 3, backoff = \"1ms..3ms\")",
        "retry(times = 3, backoff = \"1ms..3ms\", then = set_aside)",
    ] {
        for store in stores() {
            adds_up::<R, W>(&store, rule, recorded)?;
        }
    }
    Ok(())
}

#[test]
fn the_numbers_of_a_process_application_add_up_on_every_store() -> Result<()> {
    each_store::<SingleThreadedRunner, Ledger>(stores, 1)?;
    each_store::<MultiThreadedRunner, Ledger>(stores, 1)
}

#[test]
fn the_numbers_of_a_projection_add_up_on_every_store() -> Result<()> {
    each_store::<SingleThreadedRunner, LedgerTable>(sql_stores, 0)?;
    each_store::<MultiThreadedRunner, LedgerTable>(sql_stores, 0)
}

#[test]
fn events_that_wait_for_an_operator_are_set_aside_and_not_processed() -> Result<()> {
    for store in stores() {
        let env = store.env.clone().with("LEDGER_ON_ERROR", "set_aside");
        let poison = Poison::default();
        poison.set("B2", ALWAYS);
        teach(&env, &TRICKS)?;
        let mut runner = MultiThreadedRunner::new(&Ledger::system(&poison)?, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let is_counted = || Ok(only_edge(&runner.metrics()).batches.events == 9);
        wait_until("the batches are counted", &runner, is_counted)?;
        let metrics = runner.metrics();
        let edge = only_edge(&metrics);
        let numbers = (edge.processed, edge.set_aside, edge.retried);
        assert_eq!(numbers, (7, 2, 0), "{}: {edge:?}", store.name);
        poison.heal();
        assert_eq!(runner.retry::<Ledger>("DogSchool", None)?.done, 2);
        let metrics = runner.metrics();
        let edge = only_edge(&metrics);
        let numbers = (edge.processed, edge.set_aside, edge.retried);
        assert_eq!(numbers, (9, 2, 2), "{}: {edge:?}", store.name);
        assert_eq!(
            (edge.recorded, edge.batches.events),
            (9, 9),
            "{}",
            store.name
        );
        runner.stop()?;
    }
    Ok(())
}

/// Has one runner of type `R` hang in the first event that both want, while another runner
/// processes all of them.
fn is_fenced<R: Runner + Send + 'static>(store: &Store) -> Result<()> {
    let env = store.env.clone();
    teach(&env, &["hang", "sit"])?;
    let (system, hold) = slow()?;
    let mut late = R::new(&system, env.clone())?;
    let hangs = thread::spawn(move || late.start().map(|()| late));
    hold.begun.recv_timeout(PATIENCE).expect("it hangs");
    let (system, other) = slow()?;
    drop(other);
    let mut early = MultiThreadedRunner::new(&system, env)?;
    early.start()?;
    early.wait_until_idle(PATIENCE)?;
    drop(hold);
    let late = hangs.join().expect("no panic")?;
    let is_counted = || Ok(only_edge(&late.metrics()).fenced == 1);
    wait_until("its batch is fenced", &late, is_counted)?;
    late.wait_until_idle(PATIENCE)?;
    early.stop()?;
    let (late, early) = (late.metrics(), early.metrics());
    let (late, early) = (only_edge(&late), only_edge(&early));
    assert_eq!(
        (late.processed, late.fenced),
        (0, 1),
        "{}: {late:?}",
        store.name
    );
    assert_eq!(
        (early.processed, early.fenced),
        (2, 0),
        "{}: {early:?}",
        store.name
    );
    assert_eq!((late.retried, early.retried), (0, 0));
    Ok(())
}

#[test]
fn a_batch_that_another_runner_was_before_is_counted_as_fenced() -> Result<()> {
    for store in stores() {
        is_fenced::<MultiThreadedRunner>(&store)?;
    }
    for store in stores() {
        is_fenced::<SingleThreadedRunner>(&store)?;
    }
    Ok(())
}

#[test]
fn a_save_that_another_writer_was_before_is_counted_as_a_conflict() -> Result<()> {
    for store in stores() {
        let runner = SingleThreadedRunner::new(&Ledger::system(&Poison::default())?, store.env)?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        let billy = || school.repository().get::<Dog>(Dog::create_id("Billy"));
        let (mut one, mut other) = (billy()?, billy()?);
        one.add_trick("sit");
        other.add_trick("roll");
        school.save(&mut one)?;
        let refused = school
            .save(&mut other)
            .expect_err("another writer was first");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        let metrics = runner.metrics();
        let school = &metrics.applications[0];
        assert_eq!((school.saves, school.conflicts), (2, 1), "{}", store.name);
    }
    Ok(())
}
