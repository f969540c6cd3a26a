//! Tests of retries beside the event in front of which an edge stands, and of refused records.

use std::collections::HashMap;
use std::time::Duration;

use es_core::AggregateId;
use es_store::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use es_store::{
    Env, EventQuery, PoliciesMove, Recording, Role, SetAside, SetAsideQuery, StoreError,
    StoredEvent, TopicFilter,
};

use super::*;
use crate::error::{BoxError, RetryLater};
use crate::follower::Follower;
use crate::follower::refusals::Refusals;
use crate::follower::retrying::{Retried, Retrying};
use crate::policy::begin::Begin;
use crate::policy::policy_set::{DeclaredPolicies, DeclaredTopic};
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::{DeclaredRules, Rules};
use crate::policy::work::{Dispatch, Work};

const PLACED: &str = "shop:Order.Placed";
const SOON: &str = "retry(times = 3, backoff = \"1ms..1ms\", then = set_aside)";
/// The maximum number of steps that a test takes. None of them needs as many.
const STEPS: usize = 60;

type Answer = fn(u64, u32) -> Result<(), BoxError>;

/// A policy whose result depends on the position of the event and the number of the attempt.
struct Script {
    rules: Rules,
    answer: Answer,
    attempts: Arc<Mutex<HashMap<u64, u32>>>,
}

impl Dispatch for Script {
    fn topics(&self) -> Option<TopicFilter> {
        Some(TopicFilter::new([PLACED]))
    }

    fn policies(&self) -> DeclaredPolicies {
        DeclaredPolicies {
            declared: vec![DeclaredTopic::new(PLACED.to_owned())],
            ..DeclaredPolicies::default()
        }
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn begin(&self) -> Begin {
        Begin::default()
    }

    fn dispatch(&self, received: &Received<'_>, _: ProcessingEvent) -> Result<(), BoxError> {
        let position = received.notification.id;
        let attempt = {
            let mut attempts = lock(&self.attempts);
            let attempt = attempts.entry(position).or_default();
            *attempt += 1;
            *attempt
        };
        (self.answer)(position, attempt)
    }
}

/// A follower of a log with an event for each name of an aggregate.
struct Bank {
    follower: Follower,
    store: Arc<FaultyRecorder>,
    attempts: Arc<Mutex<HashMap<u64, u32>>>,
}

impl Bank {
    fn new(rule: &str, orders: &[&str], answer: Answer) -> Self {
        let stores = Arc::new(FaultyStores::in_memory());
        let env = Env::new()
            .with("ORIGINATOR_ID_TYPE", "text")
            .with("ON_ERROR", rule)
            .with("FAILURES_MAX", "3")
            .with_store(stores.clone());
        let open = |name, role| Application::open(name, role, env.clone()).expect("in memory");
        let (shop, bank) = (open("Shop", Role::Leader), open("Bank", Role::Follower));
        for order in orders {
            let id = AggregateId::from((*order).to_owned());
            let recorder = shop.recorder().expect("it is open");
            let events = recorder.select_events(&id, &EventQuery::all());
            let version = events.expect("events").len() as u64 + 1;
            let event = StoredEvent::new(*order, version, PLACED, b"{}".to_vec());
            shop.record(&Recording::new(vec![event])).expect("recorded");
        }
        let (policies, declared) = (DeclaredPolicies::default(), DeclaredRules::default());
        let attempts = Arc::default();
        let script = Script {
            rules: Rules::of(&bank, &policies, &declared).expect("rules"),
            answer,
            attempts: Arc::clone(&attempts),
        };
        let work = Work::Policies(Arc::new(script));
        Self {
            follower: Follower::new(bank, vec![shop], work),
            store: stores.get("Bank").expect("it is open"),
            attempts,
        }
    }

    fn edge(&self) -> &Edge {
        &self.follower.edges()[0]
    }

    fn step(&self, now: Instant) -> Next {
        self.edge().step(now, Skips::Now, Timestamp::now()).next
    }

    /// Takes steps from `now` on, over the pauses after failures, until nothing is to do.
    fn run(&self, mut now: Instant) {
        for _ in 0..STEPS {
            match self.step(now) {
                Next::AtOnce => {}
                Next::NotBefore(at) => now = now.max(at),
                _ => return,
            }
        }
        panic!("there is no end of steps");
    }

    fn attempts(&self, position: u64) -> u32 {
        lock(&self.attempts).get(&position).copied().unwrap_or(0)
    }

    fn rows(&self) -> Vec<SetAside> {
        let recorder = self.edge().follower().recorder().expect("it is open");
        let waiting = SetAsideQuery::of("Shop").waiting();
        recorder.select_set_aside(&waiting).expect("rows")
    }

    fn refuse_records(&self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let error = StoreError::Invalid("a text is too long".to_owned());
            self.store.fail(Call::Record, number, Moment::Before, error);
        }
    }

    /// Retries the first row, as if it had this topic.
    fn retry(&self, topic: &str) -> Error {
        let mut row = self.rows().remove(0);
        topic.clone_into(&mut row.topic);
        let retrying = Retrying {
            processor: &self.edge().processor,
            upstream: &self.edge().upstream,
            in_hand: None,
            counters: &self.edge().counters,
            began: None,
            policies: &PoliciesMove::new(None, "tag"),
        };
        match retrying.retry(&row, &mut Refusals::default(), None) {
            Ok(Retried::Failed { error }) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn poison() -> Result<(), BoxError> {
    Err("poison".into())
}

/// Fails the first event once, and has the second one wait for a minute.
fn second_waits(position: u64, attempt: u32) -> Result<(), BoxError> {
    match (position, attempt) {
        (1, 1) => poison(),
        (2, _) => Err(RetryLater::after(Duration::from_secs(60), "busy").into()),
        _ => Ok(()),
    }
}

/// Returns a follower that waits in front of the second event. The retry of the first one is due.
fn waits_in_front() -> Bank {
    let bank = Bank::new(SOON, &["A", "B"], second_waits);
    let now = Instant::now();
    while bank.attempts(2) == 0 || bank.rows()[0].due.is_none_or(|due| due >= Timestamp::now()) {
        assert!(bank.attempts(1) < 2, "the second event came first");
        if bank.attempts(2) == 0 {
            // The retry would be the second attempt.
            let before = Timestamp::from_micros(0).expect("a time");
            bank.edge().step(now, Skips::Now, before);
        }
    }
    bank
}

#[test]
fn a_failed_retry_does_not_end_the_wait_in_front_of_an_event() {
    for contention in [false, true] {
        let bank = waits_in_front();
        let error = if contention {
            StoreError::set_aside_changed("Shop", 1)
        } else {
            StoreError::driver("bank", "recording", "nobody is there")
        };
        bank.store.fail(Call::Record, 1, Moment::Before, error);
        let now = Instant::now();
        let mut later = now;
        for _ in 0..STEPS {
            match bank.step(later) {
                Next::WhenPrompted { or_at } => {
                    let or_at = or_at.expect("it waits for a minute");
                    assert!(or_at <= now + Duration::from_secs(61));
                }
                Next::AtOnce => {}
                other => panic!("{other:?}"),
            }
            later += Duration::from_millis(100);
        }
        assert!(bank.rows().is_empty(), "the retry succeeds later");
        assert_eq!((bank.attempts(1), bank.attempts(2)), (3, 1));
        bank.run(now + Duration::from_secs(62));
        assert_eq!(bank.attempts(2), 2);
    }
}

#[test]
fn a_retry_that_another_program_has_taken_does_not_end_the_wait_in_front_of_an_event() {
    let bank = waits_in_front();
    bank.follower.discard("Shop", 1, "Ann").expect("it waits");
    let now = Instant::now();
    let next = bank.step(now);
    let Next::WhenPrompted { or_at: Some(at) } = next else {
        panic!("{next:?}")
    };
    assert!(at > now + Duration::from_secs(50) && at < now + Duration::from_secs(61));
}

#[test]
fn a_row_that_comes_due_during_the_work_is_not_retried_by_it() {
    let bank = Bank::new(SOON, &["A", "B"], |_, attempt| match attempt {
        1 => poison(),
        _ => Err(RetryLater::after(Duration::ZERO, "busy").into()),
    });
    let began = Timestamp::now() + Duration::from_millis(50);
    let now = Instant::now();
    while Timestamp::now() < began {
        bank.edge()
            .step(now, Skips::Now, Timestamp::from_micros(0).expect("a time"));
    }
    for _ in 0..STEPS {
        bank.edge().step(now, Skips::Now, began);
    }
    assert_eq!((bank.attempts(1), bank.attempts(2)), (2, 2));
}

#[test]
fn a_record_that_refuses_to_set_an_event_aside_stops_the_follower() {
    let bank = Bank::new("set_aside", &["A"], |_, _| poison());
    // The first one records where the follower begins.
    bank.refuse_records(2..=100);
    bank.run(Instant::now());
    let stopped = bank.edge().processor.stopped().expect("it stops");
    assert!(stopped.to_string().contains("too long"), "{stopped}");
    assert_eq!(bank.attempts(1), 1);
}

#[test]
fn a_record_that_refuses_to_set_events_aside_behind_another_one_stops_the_follower() {
    let bank = Bank::new("set_aside", &["A", "A", "A"], |_, _| poison());
    bank.refuse_records(3..=100);
    bank.run(Instant::now());
    let stopped = bank.edge().processor.stopped().expect("it stops");
    assert!(stopped.to_string().contains("too long"), "{stopped}");
    assert_eq!((bank.rows().len(), bank.attempts(2)), (1, 0));
}

#[test]
fn a_row_without_a_policy_is_retried_after_a_while_and_its_error_tells_what_to_do() {
    let bank = Bank::new("set_aside", &["A"], |_, _| poison());
    bank.run(Instant::now());
    let error = bank.retry("shop:Order.Former").to_string();
    assert!(error.contains("`shop:Order.Former`"), "{error}");
    assert!(
        error.contains("discard the event, or run a program"),
        "{error}"
    );
    let row = bank.rows().remove(0);
    assert!(
        row.due > Some(row.last + Duration::from_secs(60)),
        "{row:?}"
    );
}

#[test]
fn a_follower_that_may_set_no_more_aside_tries_the_event_again_when_it_is_resumed() {
    let bank = Bank::new(
        "set_aside",
        &["A", "B", "C", "D"],
        |position, attempt| match (position, attempt) {
            (4, 2..) => Ok(()),
            _ => poison(),
        },
    );
    bank.run(Instant::now());
    let stopped = bank.edge().processor.stopped().expect("it stops");
    let expected = "or allow more, and then resume the follower";
    assert!(stopped.to_string().contains(expected), "{stopped}");
    bank.edge().processor.repaired();
    bank.run(Instant::now());
    assert_eq!(bank.attempts(4), 2);
    assert_eq!(bank.rows().len(), 3);
}
