//! The store that fails on purpose.

use std::sync::Arc;
use std::time::{Duration, Instant};

use es_core::IdType;
use es_store::memory::MemoryRecorder;
use es_store::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use es_store::{
    AggregateRecorder, ApplicationRecorder, Env, Recording, Role, StoreError, StoredEvent,
    Subscription, open,
};
use uuid::Uuid;

fn recording(version: u64) -> Recording {
    Recording::new(vec![StoredEvent::new(
        Uuid::from_u128(1),
        version,
        "test:Thing.Happened",
        b"{}".to_vec(),
    )])
}

fn faulty() -> Arc<FaultyRecorder> {
    Arc::new(FaultyRecorder::new(Arc::new(MemoryRecorder::new(
        Role::Leader,
        IdType::Uuid,
    ))))
}

fn last_version(recorder: &FaultyRecorder) -> Option<u64> {
    let event = recorder.head().expect("read")?.event?;
    Some(event.originator_version)
}

fn unknown() -> StoreError {
    StoreError::outcome_unknown("test", "cut")
}

#[test]
fn the_nth_call_fails_before_it_did_anything_or_after_it_did_all() {
    let recorder = faulty();
    recorder.fail(Call::Record, 2, Moment::Before, unknown());
    recorder.fail(Call::Record, 3, Moment::After, unknown());
    recorder.record(&recording(1)).expect("recorded");
    recorder.record(&recording(2)).expect_err("fails before");
    assert_eq!(last_version(&recorder), Some(1));
    recorder.record(&recording(2)).expect_err("fails after");
    assert_eq!(last_version(&recorder), Some(2));
    assert!(matches!(
        recorder.record(&recording(2)),
        Err(StoreError::Conflict(_))
    ));
    assert_eq!(
        (recorder.calls(Call::Record), recorder.calls(Call::Head)),
        (4, 2)
    );
}

#[test]
fn a_subscription_goes_on_behind_a_failure_of_the_store() {
    let recorder = faulty();
    recorder.record(&recording(1)).expect("recorded");
    recorder.fail(Call::Head, 1, Moment::Before, unknown());
    recorder.fail(Call::SelectNotifications, 1, Moment::After, unknown());
    let subscription = Subscription::new(recorder, None).expect("a subscription");
    let mut subscription = subscription.poll_interval(Duration::from_millis(1));
    assert!(subscription.next().expect("an item").is_err());
    assert!(subscription.next().expect("an item").is_err());
    assert_eq!(subscription.next().expect("an item").expect("read").id, 1);
}

#[test]
fn behind_a_failure_a_subscription_waits_before_it_tries_again_whoever_commits() {
    let (recorder, interval) = (faulty(), Duration::from_millis(200));
    let subscription = Subscription::new(recorder.clone(), None).expect("a subscription");
    let mut subscription = subscription.poll_interval(interval);
    recorder.fail(Call::Head, 1, Moment::Before, unknown());
    assert!(subscription.next().expect("an item").is_err());
    let failed = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| recorder.record(&recording(1)).expect("recorded"));
        assert_eq!(subscription.next().expect("an item").expect("read").id, 1);
    });
    assert!(failed.elapsed() >= interval);
}

#[test]
fn a_subscription_that_waits_behind_a_failure_is_stopped_at_once() {
    let recorder = faulty();
    recorder.fail(Call::Head, 1, Moment::Before, unknown());
    let subscription = Subscription::new(recorder, None).expect("a subscription");
    let mut subscription = subscription.poll_interval(Duration::MAX);
    assert!(subscription.next().expect("an item").is_err());
    let stop = subscription.stop_handle();
    std::thread::scope(|scope| {
        scope.spawn(move || assert!(subscription.next().is_none()));
        stop.stop();
    });
}

#[test]
fn a_store_that_the_program_gives_is_used_in_place_of_the_module() {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "paper")
        .with_store(stores.clone());
    let dogs = open("Dogs", Role::Leader, &env).expect("a store");
    dogs.record(&recording(1)).expect("recorded");
    let again = open("Dogs", Role::Leader, &env).expect("the same store");
    assert!(again.head().expect("read").is_some());
    assert_eq!(
        stores
            .get("Dogs")
            .expect("it was opened")
            .calls(Call::Record),
        1
    );
    assert!(stores.get("Cats").is_none());
}
