//! Snapshots that are damaged or lost: the events replace them, and a warning reports it.

use std::sync::Arc;

use es_system::prelude::*;
use es_system::testing::{Call, FaultyStores};
use tests::domain::DogSchool;
use tests::files;

use super::{Tally, execute, fail, snapshots, tally, versions};

#[test]
fn a_snapshot_that_cannot_be_read_is_passed_over() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let tally = tally(&school, 4)?;
    let good = snapshots(&school, tally.id()).remove(0);
    let with_state = |state: Vec<u8>| {
        let mut snapshot = good.clone();
        snapshot.state = state;
        snapshot
    };
    let with = |from: &str, to: &str| {
        let state = String::from_utf8_lossy(&good.state);
        assert!(state.contains(from), "{state}");
        with_state(state.replace(from, to).into_bytes())
    };
    let mut of_other_topic = good.clone();
    of_other_topic.topic = "dogschool:Dog.Snapshot".into();
    let damaged = [
        with("{", ""),
        with(r#""topic":"Tally""#, r#""topic":"Dog""#),
        with(r#""count":2"#, r#""count":"many""#),
        with(r#","count":2"#, ""),
        with(r#""count":2"#, r#""count":2,"class_version":2"#),
        with(r#""count":2"#, r#""count":90,"unknown":{}"#),
        with("_created_on", "_made_on"),
        with(r#""state":{"#, r#""state":[{"#),
        of_other_topic,
        with_state(vec![0xff, 0, 7]),
    ];
    for snapshot in damaged {
        school
            .recorder()?
            .record_snapshot(&snapshot)
            .expect("recorded");
        let found: Tally = school.repository().get(tally.id())?;
        assert_eq!(found, tally, "{}", String::from_utf8_lossy(&snapshot.state));
    }
    // A snapshot that can be read is trusted.
    let wrong = with(r#""count":2"#, r#""count":90,"class_version":1"#);
    school
        .recorder()?
        .record_snapshot(&wrong)
        .expect("recorded");
    assert_eq!(school.repository().get::<Tally>(tally.id())?.count, 91);
    Ok(())
}

#[test]
fn a_damaged_row_of_a_snapshot_is_passed_over() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    let tally = tally(&school, 4)?;
    for column in ["topic", "state"] {
        let damage = format!("UPDATE stored_snapshots SET {column} = 5");
        execute(&dir.path().join("DogSchool.sqlite"), &damage);
        assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    }
    Ok(())
}

#[test]
fn a_snapshot_that_is_lost_loses_nothing() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
    let mut tally = tally(&school, 2)?;
    let store = fail(&stores, "DogSchool", Call::RecordSnapshot);
    for _ in 0..4 {
        tally.count_one();
        school.save(&mut tally)?;
        assert!(tally.pending_events().is_empty());
        assert_eq!(school.repository().get::<Tally>(tally.id())?, tally);
    }
    assert_eq!(store.calls(Call::RecordSnapshot), 2);
    assert_eq!(versions(&school, tally.id()), [6]);

    fail(&stores, "DogSchool", Call::RecordSnapshot);
    let error = school.take_snapshot::<Tally>(tally.id(), None);
    assert_eq!(error.expect_err("asked for").kind(), ErrorKind::Store);
    fail(&stores, "DogSchool", Call::SelectSnapshots);
    let error = school.repository().get::<Tally>(tally.id());
    assert_eq!(error.expect_err("out of reach").kind(), ErrorKind::Store);
    Ok(())
}

/// Keeps the warnings of this thread.
#[derive(Clone, Default)]
pub(super) struct Warnings {
    said: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Warnings {
    pub(super) fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let warnings = Self::default();
        let done = crate::logged::with_subscriber(warnings.clone(), work);
        let said = std::mem::take(&mut *warnings.said.lock().expect("not poisoned"));
        (done, said)
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{field}: {value:?}; ");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.said.lock().expect("not poisoned").push(text.0);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_snapshot_that_is_lost_or_passed_over_is_a_warning_that_names_it() -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let school = DogSchool::new(Env::new().with_store(stores.clone()))?;
    let mut tally = tally(&school, 5)?;
    let (found, said) = Warnings::during(|| school.repository().get::<Tally>(tally.id()));
    assert_eq!((found?, said), (tally.clone(), vec![]));

    fail(&stores, "DogSchool", Call::RecordSnapshot);
    tally.count_one();
    let (saved, said) = Warnings::during(|| school.save(&mut tally));
    saved?;
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(said.contains("a snapshot is not taken"), "{said}");
    assert!(
        said.contains(&tally.id().to_string()) && said.contains("version: 6"),
        "{said}"
    );

    let mut newer = snapshots(&school, tally.id()).remove(0);
    let state = String::from_utf8_lossy(&newer.state);
    newer.state = state.replace("}}", r#","class_version":7}}"#).into_bytes();
    let recorder = school.recorder()?;
    recorder.record_snapshot(&newer).expect("recorded");
    let (found, said) = Warnings::during(|| school.repository().get::<Tally>(tally.id()));
    assert_eq!(found?, tally);
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(said.contains("a snapshot is passed over"), "{said}");
    assert!(
        said.contains("it has class_version 7, and this program knows 1"),
        "{said}"
    );
    Ok(())
}
