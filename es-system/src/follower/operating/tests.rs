mod beginning;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use es_store::sync::lock;
use es_store::{Env, Role, TopicFilter};

use super::*;
use crate::application::Application;
use crate::error::BoxError;
use crate::follower::step::{Next, Skips};
use crate::policy::begin::Begin;
use crate::policy::policy_set::{DeclaredPolicies, DeclaredTopic};
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::{DeclaredRules, Rules};
use crate::policy::work::{Dispatch, Work};

const DONE: &str = "shop:Order.Placed";

/// The policies of a follower, which write down the positions of the events that they get.
struct Journal {
    rules: Rules,
    begin: Begin,
    shared: Arc<Shared>,
}

/// The journals of all programs.
#[derive(Default)]
struct Shared {
    processed: Mutex<Vec<u64>>,
    /// The positions of those events that were recorded before the follower began.
    past: Mutex<Vec<u64>>,
    poison: Mutex<HashSet<u64>>,
}

impl Shared {
    fn processed(&self) -> Vec<u64> {
        lock(&self.processed).clone()
    }

    fn poison(&self) -> MutexGuard<'_, HashSet<u64>> {
        lock(&self.poison)
    }
}

impl Dispatch for Journal {
    fn topics(&self) -> Option<TopicFilter> {
        Some(TopicFilter::new([DONE]))
    }

    fn policies(&self) -> DeclaredPolicies {
        let declared = vec![DeclaredTopic::new(DONE.to_owned())];
        DeclaredPolicies {
            declared,
            ..DeclaredPolicies::default()
        }
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn begin(&self) -> Begin {
        self.begin
    }

    fn dispatch(&self, received: &Received<'_>, _: ProcessingEvent) -> Result<(), BoxError> {
        let position = received.notification.id;
        if self.shared.poison().contains(&position) {
            return Err(format!("{position} is poison").into());
        }
        lock(&self.shared.processed).push(position);
        if received.is_replay() {
            lock(&self.shared.past).push(position);
        }
        Ok(())
    }
}

/// An upstream and the store of its follower.
struct Shop {
    upstream: Application,
    follower: Application,
    shared: Arc<Shared>,
}

impl Shop {
    /// Creates a shop whose log has events of these aggregates.
    fn new(rule: &str, orders: &[&str]) -> Self {
        let env = Env::new()
            .with("ORIGINATOR_ID_TYPE", "text")
            .with("ON_ERROR", rule);
        let open = |name, role| Application::open(name, role, env.clone()).expect("in memory");
        let shop = Self {
            upstream: open("Shop", Role::Leader),
            follower: open("Bank", Role::Follower),
            shared: Arc::default(),
        };
        shop.place(orders);
        shop
    }

    fn place(&self, orders: &[&str]) {
        for order in orders {
            let query = es_store::EventQuery::all();
            let recorder = self.upstream.recorder().expect("it is open");
            let id = es_core::AggregateId::from((*order).to_owned());
            let version = recorder.select_events(&id, &query).expect("events").len() as u64 + 1;
            let event = StoredEvent::new(*order, version, DONE, b"{}".to_vec());
            recorder
                .record(&Recording::new(vec![event]))
                .expect("it is new");
        }
    }

    /// Returns a program that follows, beside others.
    fn program(&self) -> Follower {
        self.program_from(Begin::default())
    }

    fn program_from(&self, begin: Begin) -> Follower {
        let declared = DeclaredRules::default();
        let policies = DeclaredPolicies::default();
        let rules = Rules::of(&self.follower, &policies, &declared).expect("rules");
        let shared = self.shared.clone();
        let work = Work::Policies(Arc::new(Journal {
            rules,
            begin,
            shared,
        }));
        Follower::new(self.follower.clone(), vec![self.upstream.clone()], work)
    }

    fn poison(&self, positions: &[u64]) {
        *self.shared.poison() = positions.iter().copied().collect();
    }

    fn waiting(&self) -> Vec<u64> {
        let rows = self.rows(&SetAsideQuery::of("Shop").waiting());
        rows.iter().map(|row| row.position).collect()
    }

    fn rows(&self, query: &SetAsideQuery) -> Vec<SetAside> {
        let recorder = self.follower.recorder().expect("it is open");
        recorder.select_set_aside(query).expect("rows")
    }

    fn operate(&self, kind: OperationKind) {
        let operation = Operation::new(kind, "", "Ann", Timestamp::now());
        let recording = Recording::default().operation(operation);
        self.follower.record(&recording).expect("an operation");
    }

    fn record(&self) -> Followed {
        self.follower.followed("Shop").expect("a record")
    }

    fn past(&self) -> Vec<u64> {
        lock(&self.shared.past).clone()
    }

    fn operations(&self) -> Vec<(OperationKind, Option<u64>, String)> {
        let recorder = self.follower.recorder().expect("it is open");
        let operations = recorder.select_operations(100).expect("operations");
        let operations = operations.into_iter().rev();
        operations
            .map(|one| (one.kind, one.position, one.who))
            .collect()
    }
}

/// Takes steps until nothing is to do now.
fn run(program: &Follower) {
    loop {
        match program.edges()[0]
            .step(Instant::now(), Skips::Now, Timestamp::now())
            .next
        {
            Next::AtOnce => {}
            Next::NotBefore(at) if at <= Instant::now() => {}
            _ => break,
        }
    }
}

fn begun() -> (OperationKind, Option<u64>, String) {
    (OperationKind::Began, Some(4), "the follower".to_owned())
}

#[test]
fn only_the_event_in_front_of_which_a_follower_stands_is_skipped() {
    let shop = Shop::new("stop", &["A", "B", "A", "B"]);
    shop.poison(&[2]);
    let program = shop.program();
    run(&program);
    assert!(program.stopped().is_some());
    let error = program.skip("Shop", 3, "Ann").expect_err("another event");
    let expected = "`Bank` stands in front of position 2 of `Shop`";
    assert!(error.to_string().starts_with(expected), "{error}");
    let elsewhere = program.skip("Stock", 2, "Ann");
    assert!(elsewhere.is_err(), "no such upstream");
    program.skip("Shop", 2, "Ann").expect("it stands there");
    run(&program);
    assert_eq!(shop.shared.processed(), [1, 3, 4], "it goes on by itself");
    assert!(program.stopped().is_none());
    let decided = shop.rows(&SetAsideQuery::of("Shop").decided());
    assert_eq!(decided.len(), 1);
    let decision = decided[0].decision.as_ref().expect("it is decided");
    assert_eq!(
        (decision.kind, &*decision.who),
        (DecisionKind::Skipped, "Ann")
    );
    let expected = [
        begun(),
        (OperationKind::Stopped, Some(2), "the follower".to_owned()),
        (OperationKind::Skipped, Some(2), "Ann".to_owned()),
    ];
    assert_eq!(shop.operations(), expected);
    let error = program.skip("Shop", 4, "Ann").expect_err("it is processed");
    assert!(
        error.to_string().contains("behind the last event"),
        "{error}"
    );
}

#[test]
fn the_next_event_of_a_sequence_is_tried_when_its_first_one_is_given_up() {
    let shop = Shop::new("set_aside", &["A", "A", "B", "A"]);
    shop.poison(&[1]);
    let program = shop.program();
    run(&program);
    assert_eq!(shop.shared.processed(), [3]);
    assert_eq!(shop.waiting(), [1, 2, 4]);
    program
        .discard("Shop", 3, "Ann")
        .expect_err("it is processed");
    program.discard("Shop", 1, "Ann").expect("it waits");
    program
        .discard("Shop", 1, "Ann")
        .expect_err("it is decided");
    run(&program);
    assert_eq!(shop.shared.processed(), [3, 2, 4]);
    assert!(shop.waiting().is_empty());
    let discarded = (OperationKind::Discarded, Some(1), "Ann".to_owned());
    assert_eq!(shop.operations(), [begun(), discarded]);
}

#[test]
fn an_operator_retries_one_sequence_or_all() {
    let shop = Shop::new("set_aside", &["A", "B", "A", "C"]);
    shop.poison(&[1, 2, 4]);
    let program = shop.program();
    run(&program);
    assert_eq!(shop.waiting(), [1, 2, 3, 4]);
    shop.poison(&[4]);
    let other = shop.program();
    let one = other.retry("Shop", Some(3), "Ann").expect("it waits");
    assert_eq!((one.done, one.failed.len()), (2, 0));
    assert_eq!(shop.shared.processed(), [1, 3]);
    let all = other.retry("Shop", None, "Ann").expect("some wait");
    assert_eq!(all.done, 1);
    let (position, error) = &all.failed[0];
    assert_eq!(*position, 4);
    assert!(error.to_string().contains("4 is poison"), "{error}");
    assert_eq!(shop.shared.processed(), [1, 3, 2]);
    let row = &shop.rows(&SetAsideQuery::of("Shop").waiting())[0];
    assert_eq!((row.position, row.attempts, row.due), (4, 2, None));
    assert_eq!(row.error, "4 is poison");
    other.retry("Shop", Some(1), "Ann").expect_err("it is gone");
    let retried = |at| (OperationKind::Retried, Some(at), "Ann".to_owned());
    assert_eq!(
        shop.operations(),
        [begun(), retried(1), retried(3), retried(2)]
    );
}

#[test]
fn three_programs_retry_one_list_at_once_and_each_event_is_processed_once_in_order() {
    let orders: Vec<_> = (0..200)
        .map(|nth| ["A", "B", "C", "D", "E"][nth % 5])
        .collect();
    let shop = Shop::new("set_aside", &orders);
    shop.poison(&[1, 2, 3, 4, 5]);
    run(&shop.program());
    assert_eq!(shop.waiting().len(), 200);
    shop.poison(&[]);
    let done: u64 = thread::scope(|scope| {
        let retry = |_| {
            let program = shop.program();
            scope.spawn(move || program.retry("Shop", None, "Ann").expect("it retries").done)
        };
        let threads: Vec<_> = (0..3).map(retry).collect();
        threads
            .into_iter()
            .map(|one| one.join().expect("no panic"))
            .sum()
    });
    assert_eq!(done, 200, "each row is removed once");
    assert!(shop.waiting().is_empty());
    let retried = shop.operations();
    let retried: Vec<_> = retried.iter().filter_map(|one| one.1).skip(1).collect();
    for order in 1..=5 {
        let of = retried.iter().filter(|at| *at % 5 == order % 5);
        assert!(of.is_sorted(), "order {order}: {retried:?}");
    }
}

#[test]
fn a_follower_stops_at_the_limit_of_events_that_are_set_aside() {
    let shop = Shop::new("set_aside", &["A", "B", "A", "A", "B"]);
    shop.poison(&[1]);
    let env = Env::new()
        .with("ORIGINATOR_ID_TYPE", "text")
        .with("ON_ERROR", "set_aside")
        .with("FAILURES_MAX", "2");
    let recorder = shop.follower.recorder().expect("it is open");
    let follower = Application::with_recorder("Bank", env, recorder).expect("an application");
    let shop = Shop { follower, ..shop };
    let program = shop.program();
    run(&program);
    let error = program.stopped().expect("it has stopped").to_string();
    assert!(error.contains("FAILURES_MAX"), "{error}");
    assert_eq!(shop.waiting(), [1, 3]);
    assert_eq!(
        shop.shared.processed(),
        [2],
        "and what is behind them waits"
    );
    program.discard("Shop", 1, "Ann").expect("it waits");
    run(&shop.program());
    assert_eq!(shop.shared.processed(), [2, 3, 4, 5]);
}

#[test]
fn a_paused_follower_does_nothing_and_a_stopped_one_goes_on_when_it_is_resumed() {
    let shop = Shop::new("stop", &["A", "B", "A", "B"]);
    shop.poison(&[2]);
    let program = shop.program();
    let operate = |kind| shop.operate(kind);
    operate(OperationKind::Paused);
    run(&program);
    assert!(shop.shared.processed().is_empty());
    operate(OperationKind::Resumed);
    run(&program);
    assert_eq!(shop.shared.processed(), [1]);
    shop.poison(&[]);
    run(&program);
    assert!(program.stopped().is_some(), "nobody has resumed it");
    operate(OperationKind::Resumed);
    run(&program);
    assert_eq!(shop.shared.processed(), [1, 2, 3, 4]);
    assert!(program.stopped().is_none());
}

#[test]
fn rules_that_set_aside_are_refused_beside_a_program_that_does_not_know_them() {
    let shop = Shop::new("set_aside", &["A", "B"]);
    let program = shop.program();
    run(&program);
    shop.place(&["A"]);
    let foreign = Recording::default().tracking(Tracking::new("Shop", 2, 3));
    shop.follower.record(&foreign).expect("a move");
    shop.place(&["A"]);
    run(&program);
    let error = program.stopped().expect("it has stopped").to_string();
    assert!(error.contains("does not know what is set aside"), "{error}");
    assert!(error.contains("BANK_ON_ERROR=stop"), "{error}");
    assert_eq!(shop.shared.processed(), [1, 2]);
}
