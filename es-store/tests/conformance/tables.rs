//! The tables of projections, on both SQL stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use es_core::IdType;
use es_store::{
    PoliciesMove, PoliciesSwitch, PolicySet, PolicyTopic, ProcessRecorder, Recording, Role,
    StoreError, Tables, TopicChange, Tracking, Transaction,
};

/// Returns a follower on each SQL store, with its tables.
fn projections() -> impl Iterator<Item = Projection> {
    let path = super::new_path();
    let path = path.to_str().expect("a path");
    let sqlite = super::sqlite(path, Role::Follower, IdType::Uuid);
    let postgres = super::postgres_database(Role::Follower, IdType::Uuid);
    let projection = |recorder: Arc<dyn ProcessRecorder>| {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let projection = Projection {
            tables: Tables::new(recorder.clone()),
            recorder,
            // The tests share a database.
            table: format!("numbers{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        };
        let made = projection
            .tables
            .prepare(true, &mut |tx| projection.create(tx));
        made.expect("made");
        projection
    };
    [Some(sqlite), postgres]
        .into_iter()
        .flatten()
        .map(projection)
}

struct Projection {
    recorder: Arc<dyn ProcessRecorder>,
    tables: Tables,
    table: String,
}

impl Projection {
    fn create(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        let sql = format!("CREATE TABLE {} (number BIGINT)", tx.table(&self.table));
        tx.execute(&sql, &[]).map_err(|error| error.problem)?;
        Ok(())
    }

    fn switch(
        &self,
        number: u64,
        replaced: &[PolicyTopic],
        rebuilt: Option<&str>,
    ) -> Result<bool, StoreError> {
        let rebuilt = rebuilt.map(str::to_owned);
        let new = PolicySet::new("a", ["A"]);
        let policies = PoliciesSwitch::new("Up", replaced.to_vec(), rebuilt, new);
        let catch_up = &mut |_: &mut Transaction<'_>, _, _, _| panic!("nothing is to be caught up");
        self.tables.switch(number, &[policies], catch_up)
    }
}

/// A move with policies for these topics, which are live from then on.
fn to(from: u64, to: u64, (expected, new): (Option<&str>, &str), topics: &[&str]) -> Tracking {
    let policies = PoliciesMove::new(expected.map(str::to_owned), new);
    let put = |topic: &&str| TopicChange::Put(PolicyTopic::live(*topic));
    let policies = topics.iter().map(put).fold(policies, PoliciesMove::topic);
    Tracking::new("Up", from, to).policies(policies)
}

fn assert_moved<T: std::fmt::Debug>(refused: &Result<T, StoreError>, at: u64) {
    let is_moved = matches!(refused, Err(StoreError::PositionMoved { found, .. }) if *found == at);
    assert!(is_moved, "{refused:?}");
}

#[test]
fn work_begins_only_at_the_expected_position_with_the_expected_policies() {
    for Projection { tables, .. } in projections() {
        let first = to(0, 5, (None, "a"), &["A"]);
        let done = tables.process(&first, &mut |_| Some(first.clone()));
        done.expect("it is at 0");
        for (from, expected) in [(0, None), (5, None), (5, Some("b")), (6, Some("a"))] {
            let start = to(from, from, (expected, "b"), &[]);
            let mut has_run = false;
            let refused = tables.process(&start, &mut |_| {
                has_run = true;
                None::<Tracking>
            });
            assert_moved(&refused, 5);
            assert!(!has_run, "it ran at {from} with {expected:?}");
        }
        let next = to(5, 7, (Some("a"), "a"), &[]);
        let done = tables.process(&next, &mut |_| Some(next.clone()));
        done.expect("it is at 5");
    }
}

#[test]
fn tables_are_replaced_only_while_the_expected_policies_are_recorded() {
    for projection in projections() {
        let Projection {
            recorder, tables, ..
        } = &projection;
        let first = to(0, 5, (None, "a"), &["A"]);
        let done = tables.process(&first, &mut |_| Some(first.clone()));
        done.expect("it is at 0");
        let number = tables.begin_rebuild(&mut |tx| projection.create(tx));
        let number = number.expect("begun");
        let rebuilt = to(0, 5, (None, "a"), &[]);
        let done = tables.process_rebuild(&rebuilt, &mut |_| Some(rebuilt.clone()));
        done.expect("it is at 0");
        // Another program makes a topic live between the look and the switch.
        let wider = Recording::default().tracking(to(5, 5, (Some("a"), "ac"), &["C"]));
        recorder.record(&wider).expect("recorded");
        let switch =
            |replaced: &[PolicyTopic], rebuilt| projection.switch(number, replaced, rebuilt);
        let (a, c) = (PolicyTopic::live("A"), PolicyTopic::live("C"));
        let before = recorder.followed("Up").expect("read");
        assert_moved(&switch(std::slice::from_ref(&a), Some("a")), 5);
        let covered = PolicyTopic::covered("C", 5);
        assert_moved(&switch(&[a.clone(), covered], Some("a")), 5);
        for rebuilt in [None, Some("ac")] {
            let both = [a.clone(), c.clone()];
            assert_moved(&switch(&both, rebuilt), 5);
        }
        assert_eq!(recorder.followed("Up").expect("read"), before);
        assert_eq!(tables.rebuilt("Up").expect("it is kept").position, Some(5));
        let both = [c, a.clone()];
        let done = switch(&both, Some("a")).expect("these are recorded");
        assert!(done);
        let after = recorder.followed("Up").expect("read");
        assert_eq!(
            (after.topics, after.policies.as_deref()),
            (vec![a], Some("a"))
        );
    }
}
