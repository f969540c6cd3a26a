//! Tables of earlier releases, which lack columns and a table of followers.

use es_store::{Followed, PoliciesMove, ProcessRecorder, Recording, Role, Tracking, UpstreamEvent};

use super::{Folder, env, event_id, id, open, raw, recording, refused};

/// The statements of an earlier release, and a position that it has recorded.
const EARLIER: &str = "DROP TABLE es_upstream; DROP TABLE es_policies; \
     CREATE TABLE es_upstream (application_name TEXT, notification_id INTEGER, originator_id TEXT, \
     originator_version INTEGER, PRIMARY KEY (application_name)) WITHOUT ROWID; \
     INSERT INTO tracking VALUES ('Up', 5); \
     INSERT INTO es_upstream VALUES ('Up', 5, '00000000000000000000000000000007', 1)";

fn followed(dogs: &dyn ProcessRecorder) -> Followed {
    dogs.followed("Up").expect("read")
}

fn moved() -> Recording {
    let policies = PoliciesMove::new(None, "a");
    let tracking = Tracking::new("Up", 5, 9).policies(policies);
    Recording::default().tracking(tracking.at(event_id(7, 2)))
}

#[test]
fn tables_of_an_earlier_release_get_what_they_lack_and_keep_what_they_have() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    let dogs = open("Dogs", Role::Follower, &env(&path));
    dogs.record(&recording(1, [1, 2])).expect("recorded");
    drop(dogs);
    raw(&path).execute_batch(EARLIER).expect("tables");
    let dogs = open("Dogs", Role::Follower, &env(&path));
    let found = followed(&*dogs);
    assert_eq!(found.position, Some(5));
    assert_eq!(found.event, Some(UpstreamEvent::new(id(7), 1)));
    dogs.record(&moved()).expect("recorded");
    let found = followed(&*dogs);
    assert_eq!(found.event, Some(event_id(7, 2)));
    assert_eq!(found.policies.as_deref(), Some("a"));
    // The earlier release names the columns that it knows, and goes on.
    let earlier = "UPDATE tracking SET notification_id = 12 WHERE application_name = 'Up'; \
         INSERT INTO es_upstream (application_name, notification_id, originator_id, originator_version) \
         VALUES ('Up', 12, '00000000000000000000000000000007', 3) ON CONFLICT (application_name) DO UPDATE SET \
         notification_id = excluded.notification_id, originator_id = excluded.originator_id, \
         originator_version = excluded.originator_version";
    raw(&path).execute_batch(earlier).expect("moved");
    let found = followed(&*dogs);
    assert_eq!(found.event, Some(UpstreamEvent::new(id(7), 3)));
    assert_eq!(found.policies, None);
}

#[test]
fn without_create_table_the_error_has_the_statements_that_bring_tables_up_to_date() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Follower, &env(&path));
    raw(&path).execute_batch(EARLIER).expect("tables");
    let off = env(&path).with("CREATE_TABLE", "n");
    open("Dogs", Role::Leader, &off);
    let refused = refused("Dogs", Role::Follower, &off).to_string();
    let (problem, statements) = refused.split_once(" Execute: ").expect(&refused);
    assert!(
        problem.ends_with("CREATE_TABLE is off, and its tables are those of an earlier release."),
        "{refused}"
    );
    raw(&path)
        .execute_batch(statements)
        .expect("they are right");
    let dogs = open("Dogs", Role::Follower, &off);
    dogs.record(&moved()).expect("recorded");
    assert_eq!(followed(&*dogs).policies.as_deref(), Some("a"));
}

#[test]
fn a_file_of_an_earlier_release_that_can_only_be_read_is_read() {
    let folder = Folder::new();
    let path = folder.path("dogs.sqlite");
    open("Dogs", Role::Follower, &env(&path));
    raw(&path).execute_batch(EARLIER).expect("tables");
    let read_only = env(format!("file:{}?mode=ro", path.display()));
    let dogs = open("Dogs", Role::Follower, &read_only);
    assert_eq!(followed(&*dogs), Followed::new(Some(5)));
}
