//! Groups on a real server, written by one connection.

use es_core::{AggregateId, IdType};
use uuid::Uuid;

use super::*;
use crate::postgres::schema::{self, SchemaNeeds};
use crate::recording::Recorded;
use crate::role::Role;
use crate::stored_event::StoredEvent;
use crate::testing::postgres::{Database, database};
use crate::tracking::Tracking;

fn writer(database: &Database, has_append: bool) -> Writer {
    writer_of(database, has_append, IdType::Uuid)
}

fn writer_of(database: &Database, has_append: bool, ids: IdType) -> Writer {
    let env = database.env();
    let settings = Arc::new(PostgresOptions::of("Dogs", &env).expect("settings"));
    let names = Names::new("Dogs", "public", ids).expect("names");
    let names = Arc::new(names);
    let mut connection = Connection::open_writer(&settings, &names).expect("a connection");
    let wanted = SchemaNeeds {
        application: "Dogs",
        role: Role::Follower,
        settings: &settings,
        names: &names,
    };
    let layout = schema::prepare(&mut connection.client, &wanted).expect("tables");
    assert!(layout.has_append);
    let layout = ServerLayout {
        has_append,
        ..layout
    };
    Writer::new(settings, names, ids, layout, connection)
}

fn recording(number: u128, versions: impl IntoIterator<Item = u64>) -> Recording {
    let event = |version| {
        StoredEvent::new(
            Uuid::from_u128(number),
            version,
            "test:Thing.Happened",
            Vec::new(),
        )
    };
    Recording::new(versions.into_iter().map(event).collect())
}

fn commit(writer: &mut Writer, group: &[Recording]) -> Outcomes {
    let group: Vec<_> = group.iter().collect();
    writer.commit(&group).expect("committed")
}

#[test]
fn a_group_is_judged_in_its_order_with_and_without_the_function() {
    for has_append in [true, false] {
        let Some(database) = database() else { return };
        let mut writer = writer(&database, has_append);
        let moved = |from, to| Tracking::new("Up", from, to);
        let outcomes = commit(
            &mut writer,
            &[
                recording(1, 1..=2).tracking(moved(0, 5)),
                recording(1, [2]),
                recording(1, [3]).tracking(moved(5, 9)),
                recording(2, [2]),
                recording(2, [1]).tracking(moved(5, 7)),
                recording(2, [1]),
            ],
        );
        let positions: Vec<_> = outcomes
            .iter()
            .flatten()
            .flat_map(|recorded| recorded.positions.clone())
            .collect();
        assert!(positions.len() == 4 && positions.is_sorted_by(|a, b| a < b));
        assert!(matches!(outcomes[1], Err(StoreError::Conflict(_))));
        assert!(matches!(outcomes[3], Err(StoreError::Gap { .. })));
        assert!(matches!(
            outcomes[4],
            Err(StoreError::PositionMoved { found: 9, .. })
        ));
        let tracked = "SELECT notification_id FROM dogs_tracking WHERE application_name = 'Up'";
        let row = database.connect().query_one(tracked, &[]);
        assert_eq!(row.expect("a row").get::<_, i64>(0), 9);
    }
}

#[test]
fn a_group_against_which_nothing_stands_has_its_positions_in_its_order() {
    let Some(database) = database() else { return };
    let mut writer = writer(&database, true);
    let group = [
        recording(1, 1..=3),
        Recording::default().tracking(Tracking::new("Up", 0, 1)),
        recording(2, 1..=2),
        recording(1, 4..=5),
    ];
    let outcomes = commit(&mut writer, &group);
    let positions: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.expect("recorded"))
        .collect();
    let expected = [vec![1, 2, 3], vec![], vec![4, 5], vec![6, 7]].map(Recorded::new);
    assert_eq!(positions, expected);
}

#[test]
fn what_the_server_refuses_takes_nothing_with_it_that_came_from_others() {
    let Some(database) = database() else { return };
    let id = |text: String| AggregateId::Text(text.into());
    let noise = (0..200).map(|_| Uuid::new_v4().simple().to_string());
    let too_long: String = noise.collect();
    for has_append in [true, false] {
        let mut writer = writer_of(&database, has_append, IdType::Text);
        let named = |text: String| {
            let mut named = recording(1, [1]);
            named.events[0].originator_id = id(text);
            named
        };
        let (before, behind) = (
            format!("before {has_append}"),
            format!("behind {has_append}"),
        );
        let group = [named(before), named(too_long.clone()), named(behind)];
        let outcomes = commit(&mut writer, &group);
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        let refused = outcomes[1].as_ref().expect_err("too long");
        let refused = es_core::error_chain(refused).to_string();
        assert!(refused.contains("index row size"), "{refused}");
    }
}
