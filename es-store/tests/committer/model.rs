//! Many writers against a model that runs their saves one by one, in the order of positions.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use es_core::AggregateId;
use es_store::testing::postgres::Database;
use es_store::{
    Conflict, Env, EventQuery, Notification, NotificationQuery, ProcessRecorder, Recorded,
    Recording, Role, StoreError, StoredEvent,
};
use uuid::Uuid;

const WRITERS: u64 = 8;
const AGGREGATES: u64 = 3;

/// A save with its outcome, and the positions of the log between which it was made.
struct Save {
    recording: Recording,
    outcome: Result<Recorded, StoreError>,
    before: u64,
    after: u64,
}

/// Reads again where a connection was cut off twice.
fn read<T>(mut read: impl FnMut() -> Result<T, StoreError>) -> T {
    (0..20)
        .find_map(|_| read().ok())
        .expect("the store can be read")
}

/// The versions of the aggregates.
type Versions = HashMap<AggregateId, u64>;

/// The outcome that the rules give a recording.
#[derive(Debug, PartialEq)]
enum Expected {
    Accepted,
    Conflict(AggregateId, u64),
    Gap(AggregateId, u64),
}

fn expect_outcome(versions: &Versions, recording: &Recording) -> Expected {
    let mut versions = versions.clone();
    for event in &recording.events {
        let (id, version) = (event.originator_id.clone(), event.originator_version);
        let last = versions.entry(id.clone()).or_default();
        match version.checked_sub(*last) {
            Some(1) => *last = version,
            None | Some(0) => return Expected::Conflict(id, version),
            Some(_) => return Expected::Gap(id, version),
        }
    }
    Expected::Accepted
}

fn expected(outcome: &Result<Recorded, StoreError>) -> Expected {
    match outcome {
        Ok(_) => Expected::Accepted,
        Err(StoreError::Conflict(Conflict { id, version, .. })) => {
            Expected::Conflict(id.clone(), *version)
        }
        Err(StoreError::Gap { id, version, .. }) => Expected::Gap(id.clone(), *version),
        Err(error) => panic!("{error}"),
    }
}

/// The same numbers in each run.
struct RandomNumbers(u64);

impl RandomNumbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

fn head(recorder: &dyn ProcessRecorder) -> u64 {
    read(|| recorder.head()).map_or(0, |head| head.position)
}

fn last_version(recorder: &dyn ProcessRecorder, id: &AggregateId) -> u64 {
    let last = EventQuery::all().desc().limit(1);
    let events = read(|| recorder.select_events(id, &last));
    events.first().map_or(0, |event| event.originator_version)
}

/// Returns the next versions of one aggregate or, for a third of the calls, of several; now and
/// then with a gap.
fn next_recording(recorder: &dyn ProcessRecorder, numbers: &mut RandomNumbers) -> Recording {
    let (first, several) = (numbers.below(AGGREGATES), numbers.below(3) == 0);
    let count = if several {
        2 + numbers.below(AGGREGATES - 1)
    } else {
        1
    };
    let ids = (first..first + count).map(|number| Uuid::from_u128((number % AGGREGATES).into()));
    let events = ids.flat_map(|id| {
        let id = AggregateId::from(id);
        let last = last_version(recorder, &id) + u64::from(numbers.below(20) == 0);
        let new = 1 + numbers.below(3);
        // No two saves are equal, because a save that is sent again is recognized by its bytes.
        let state = format!("{{\"by\":{}}}", numbers.0).into_bytes();
        (last + 1..=last + new).map(move |version| {
            StoredEvent::new(id.clone(), version, "test:Thing.Happened", state.clone())
        })
    });
    Recording::new(events.collect())
}

fn save(recorder: &dyn ProcessRecorder, numbers: &mut RandomNumbers) -> Save {
    let recording = next_recording(recorder, numbers);
    let before = head(recorder);
    let outcome = recorder.record(&recording);
    let after = head(recorder);
    Save {
        recording,
        outcome,
        before,
        after,
    }
}

fn save_all(recorder: &dyn ProcessRecorder, saves: u64) -> Vec<Save> {
    thread::scope(|scope| {
        let writer = |seed| {
            let save_some = move || {
                let mut numbers = RandomNumbers(seed);
                (0..saves / WRITERS)
                    .map(|_| save(recorder, &mut numbers))
                    .collect::<Vec<_>>()
            };
            scope.spawn(save_some)
        };
        let writers: Vec<_> = (1..=WRITERS).map(writer).collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("no panic"))
            .collect()
    })
}

/// Returns a fault of the saves, or `None` if some order of them, in which each has seen the log
/// before it, explains the log.
fn find_fault(log: &[Notification], saves: &[Save]) -> Option<String> {
    // The number of events up to a position.
    let up_to = |position: u64| log.partition_point(|event| event.id <= position);
    // After each event of the log, and before the first.
    let mut versions = vec![Versions::new()];
    for event in log.iter().map(|notification| &notification.event) {
        let mut next = versions.last().cloned().unwrap_or_default();
        next.insert(event.originator_id.clone(), event.originator_version);
        versions.push(next);
    }
    let mut recorded = 0;
    for Save {
        recording,
        outcome,
        before,
        after,
    } in saves
    {
        let (from, to) = match outcome {
            Ok(outcome) => {
                let first = up_to(outcome.positions[0]) - 1;
                let end = first + recording.events.len();
                let there = log.get(first..end).unwrap_or_default();
                let is_there = there
                    .iter()
                    .map(|event| event.id)
                    .eq(outcome.positions.iter().copied())
                    && there.iter().map(|event| &event.event).eq(&recording.events);
                if !is_there || first < up_to(*before) || end > up_to(*after) {
                    return Some(format!("{outcome:?} is not where the log has it"));
                }
                recorded += recording.events.len();
                (first, first)
            }
            Err(_) => (up_to(*before), up_to(*after)),
        };
        let told = expected(outcome);
        if !(from..=to).any(|at| expect_outcome(&versions[at], recording) == told) {
            return Some(format!("{told:?} between {from} and {to} of {recording:?}"));
        }
    }
    (recorded != log.len()).then(|| format!("{recorded} were recorded, {} are there", log.len()))
}

fn log(recorder: &dyn ProcessRecorder) -> Vec<Notification> {
    let log = read(|| recorder.select_notifications(&NotificationQuery::all()));
    assert!(log.is_sorted_by(|one, next| one.id < next.id));
    log
}

const SAVES: u64 = 10_000;

/// Returns a smaller number of saves for a server that flushes each save, and whose connections are
/// opened again and again.
fn fewer_saves() -> u64 {
    let factor = std::env::var("ES_TORTURE").map_or(1, |factor| factor.parse().unwrap_or(5));
    (2_000 * factor).min(SAVES)
}

fn open(name: &str) -> Arc<dyn ProcessRecorder> {
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", name)
        .with("SQLITE_LOCK_TIMEOUT", "60");
    es_store::open("Tested", Role::Leader, &env).expect("a database")
}

fn agree_with_the_model(recorder: &dyn ProcessRecorder, saves: u64) {
    let saves = save_all(recorder, saves);
    assert_eq!(find_fault(&log(recorder), &saves), None);
    let accepted = saves.iter().filter(|save| save.outcome.is_ok()).count();
    assert!(
        accepted > 0 && accepted < saves.len(),
        "{accepted} accepted"
    );
    let of_several = saves.iter().filter(|save| is_of_several(save)).count();
    let third = saves.len() / 3;
    assert!(
        of_several.abs_diff(third) < third / 5,
        "{of_several} of several aggregates"
    );
    eprintln!(
        "{} saves, {accepted} accepted, {of_several} of several aggregates",
        saves.len()
    );
}

fn is_of_several(save: &Save) -> bool {
    let events = &save.recording.events;
    let first = events.first().map(|event| &event.originator_id);
    events
        .iter()
        .any(|event| Some(&event.originator_id) != first)
}

#[test]
fn saves_of_many_writers_to_a_file_are_as_if_made_one_by_one() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("dogs.sqlite");
    agree_with_the_model(&*open(path.to_str().expect("a path")), SAVES);
}

#[test]
fn saves_of_many_writers_to_memory_are_as_if_made_one_by_one() {
    agree_with_the_model(&*open(":memory:"), SAVES);
}

#[test]
fn saves_of_many_writers_to_postgresql_are_as_if_made_one_by_one_while_connections_are_cut_off() {
    let Some(database) = es_store::testing::postgres::database() else {
        return;
    };
    let recorder = es_store::open("Tested", Role::Leader, &database.env()).expect("a database");
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let cutting = scope.spawn(|| cut_off_now_and_then(&*recorder, &database, &is_done));
        let done = SetWhenDropped(&is_done);
        agree_with_the_model(&*recorder, fewer_saves());
        drop(done);
        let cut = cutting.join().expect("no panic");
        assert!(cut > 0, "no connection was cut off");
        eprintln!("{cut} connections cut off");
    });
}

/// A guard that ends the other thread, also when the test fails.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Cuts off all connections of the recorder after every hundred positions. Returns the number of
/// cut connections.
fn cut_off_now_and_then(
    recorder: &dyn ProcessRecorder,
    database: &Database,
    is_done: &AtomicBool,
) -> i64 {
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = 'Tested' AND datname = current_database()";
    let (mut client, mut next, mut all) = (database.connect(), 100, 0);
    while !is_done.load(Ordering::SeqCst) {
        if head(recorder) >= next {
            let row = client.query_one(cut, &[]).expect("a superuser");
            all += row.get::<_, i64>(0);
            next += 100;
        }
        thread::yield_now();
    }
    all
}

/// The control: the model detects outcomes that went to the wrong caller, and a part of a recording
/// that stayed.
#[test]
fn the_model_notices_outcomes_that_were_mixed_up_and_recordings_in_part() {
    let recorder = open(":memory:");
    let mut saves = save_all(&*recorder, 200);
    let log = log(&*recorder);
    assert_eq!(find_fault(&log, &saves), None);
    let mut in_part = log.clone();
    in_part.extend(log.last().cloned().map(|mut last| {
        last.id += 1;
        last.event.originator_version += 1;
        last
    }));
    assert!(find_fault(&in_part, &saves).is_some());
    let is_ok = |save: &Save| save.outcome.is_ok();
    let (accepted, refused) = (
        saves.iter().position(is_ok),
        saves.iter().position(|save| !is_ok(save)),
    );
    let (accepted, refused) = (accepted.expect("some"), refused.expect("some"));
    let outcome = saves[accepted].outcome.clone();
    saves[accepted].outcome = std::mem::replace(&mut saves[refused].outcome, outcome);
    assert!(find_fault(&log, &saves).is_some());
}
