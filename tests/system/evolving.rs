//! Events and states that were stored in older versions.

mod declared;
mod python;
mod shapes;
mod steps;
mod times;
mod underscore;
mod wrong;

use std::borrow::Cow;

use es_system::Application;
use es_system::EventQuery;
use es_system::prelude::*;
use es_system::store::{Recording, StoredEvent};
use tests::evolving::{DogSchool, teach};

/// The rows that one of the programs writes for a dog with two tricks, whose id is the program's
/// version.
struct Rows {
    id: AggregateId,
    events: Vec<StoredEvent>,
    snapshot: StoredEvent,
}

impl Rows {
    fn of(version: u64, env: Env) -> Result<Self> {
        let school = DogSchool::new(env)?;
        let saved = teach(&school, "Billy", version)?;
        let recorder = school.recorder()?;
        let id = AggregateId::from(Uuid::from_u128(version.into()));
        let moved = |mut row: StoredEvent| {
            row.originator_id = id.clone();
            row
        };
        let all = EventQuery::all();
        let events = recorder.select_events(&saved, &all).expect("events");
        let snapshots = recorder.select_snapshots(&saved, &all).expect("one");
        Ok(Self {
            events: events.into_iter().map(moved).collect(),
            snapshot: snapshots.into_iter().map(moved).next().expect("one"),
            id,
        })
    }
}

/// Records rows that were stored elsewhere.
fn record(application: &Application, events: Vec<StoredEvent>) {
    let recorder = application.recorder().expect("it is open");
    recorder.record(&Recording::new(events)).expect("recorded");
}

/// Returns the row with another text in its state.
fn with(row: &StoredEvent, from: &str, to: &str) -> StoredEvent {
    let state = text(row);
    assert!(state.contains(from), "{from} is not in {state}");
    let mut changed = row.clone();
    changed.state = state.replace(from, to).into_bytes();
    changed
}

fn text(row: &StoredEvent) -> Cow<'_, str> {
    String::from_utf8_lossy(&row.state)
}
