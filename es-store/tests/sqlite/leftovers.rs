//! A user's transaction leaves nothing on the connection by which the library writes.

use es_store::{Access, End, NotificationQuery, ProcessRecorder, Role};

use super::{Folder, env, open, recording};

/// Statements that make something temporary. It stands in front of the library's own tables, or
/// prevents the library from writing to them.
const TEMPORARY: [&[&str]; 5] = [
    &["CREATE TEMP TABLE stored_events (number INTEGER PRIMARY KEY AUTOINCREMENT)"],
    &["CREATE TEMP VIEW stored_events AS SELECT 1 AS number"],
    &["CREATE TABLE temp.\"a \"\"table\"\"\" AS SELECT 1 AS number"],
    &[
        "CREATE TEMP TRIGGER spy BEFORE INSERT ON main.stored_events \
       BEGIN SELECT RAISE(ABORT, 'spied'); END",
    ],
    &[
        "CREATE TEMP TABLE spied (number INTEGER)",
        "CREATE INDEX temp.by_number ON spied (number)",
        "CREATE TEMP VIEW seen AS SELECT number FROM spied",
        "CREATE TEMP TRIGGER spy INSTEAD OF INSERT ON seen BEGIN SELECT 1; END",
    ],
];

/// Returns the number of temporary things.
fn count(dogs: &dyn ProcessRecorder, access: Access) -> i64 {
    let mut found = None;
    let looked = dogs.transact(access, &mut |tx| {
        let sql = "SELECT count(*) FROM temp.sqlite_master WHERE name NOT LIKE 'sqlite%'";
        let row = tx.query_first(sql, &[]).expect("a query").expect("a row");
        found = Some(row.get(0).expect("a number"));
        Ok(End::Rollback)
    });
    looked.expect("a transaction");
    found.expect("it ran")
}

#[test]
fn what_is_temporary_ends_with_its_transaction() {
    let folder = Folder::new();
    for place in [folder.path("dogs"), ":memory:".into()] {
        let dogs = open("Dogs", Role::Follower, &env(&place));
        for (statements, version) in TEMPORARY.into_iter().zip(1..) {
            for end in [(|| End::Commit) as fn() -> End, || End::Rollback] {
                let done = dogs.transact(Access::Write, &mut |tx| {
                    for sql in statements {
                        tx.execute(sql, &[]).expect("it is made");
                    }
                    Ok(end())
                });
                done.expect("it ends");
                for access in [Access::Write, Access::Read] {
                    assert_eq!(count(&*dogs, access), 0, "{:?}: {statements:?}", end());
                }
            }
            dogs.record(&recording(1, [version])).expect("recorded");
        }
        let all = dogs.select_notifications(&NotificationQuery::all());
        assert_eq!(all.expect("a list").len(), TEMPORARY.len());
    }
}
