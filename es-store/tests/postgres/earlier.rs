//! Tables of earlier releases, which lack columns and a table of followers.

use std::thread;

use es_store::testing::conformance::{self, Bench};
use es_store::{Followed, PoliciesMove, ProcessRecorder, Recording, Role, Tracking, UpstreamEvent};

use super::bad::RestrictedRole;
use super::{Database, database, drop_functions, event, id, open, recording, refused, wait_until};

/// The statements of an earlier release, and a position that it has recorded.
const EARLIER: &str = "DROP TABLE dogs_policies; \
     ALTER TABLE dogs_upstream DROP identity, DROP identity_at, DROP policies, DROP policies_at; \
     INSERT INTO dogs_tracking VALUES ('Up', 5); \
     INSERT INTO dogs_upstream VALUES ('Up', 5, '00000000000000000000000000000007', 1)";

fn earlier() -> Option<Database> {
    let database = database()?;
    let dogs = open("Dogs", Role::Follower, &database.env());
    dogs.record(&recording(1, [1, 2])).expect("recorded");
    run(&database, EARLIER);
    drop_functions(&database, "Dogs");
    Some(database)
}

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).expect("it is right");
}

fn followed(dogs: &dyn ProcessRecorder) -> Followed {
    dogs.followed("Up").expect("read")
}

fn moved() -> Recording {
    let policies = PoliciesMove::new(None, "a");
    let tracking = Tracking::new("Up", 5, 9).policies(policies);
    Recording::default().tracking(tracking.at(UpstreamEvent::from(&event(7, 2))))
}

#[test]
fn tables_of_an_earlier_release_get_what_they_lack_and_keep_what_they_have() {
    let Some(database) = earlier() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    let found = followed(&*dogs);
    assert_eq!(found.position, Some(5));
    assert_eq!(found.event, Some(UpstreamEvent::new(id(7), 1)));
    dogs.record(&moved()).expect("recorded");
    let found = followed(&*dogs);
    assert_eq!(found.event, Some(UpstreamEvent::from(&event(7, 2))));
    assert_eq!(found.policies.as_deref(), Some("a"));
    // The earlier release names the columns that it knows, and goes on.
    run(
        &database,
        "UPDATE dogs_tracking SET notification_id = 12 WHERE application_name = 'Up'; \
         UPDATE dogs_upstream SET notification_id = 12, originator_version = 3",
    );
    let found = followed(&*dogs);
    assert_eq!(found.event, Some(UpstreamEvent::new(id(7), 3)));
    assert_eq!(found.policies, None);
}

#[test]
fn columns_are_added_once_a_transaction_that_uses_the_table_has_ended() {
    let Some(database) = earlier() else { return };
    let mut raw = database.connect();
    let mut uses = raw.transaction().expect("begun");
    let lock = "SELECT FROM dogs_upstream FOR UPDATE";
    uses.query(lock, &[]).expect("in use");
    thread::scope(|scope| {
        let opened = scope.spawn(|| open("Dogs", Role::Follower, &database.env()));
        let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        wait_until("nobody waits for the table", || {
            database.connect().query_opt(waits, &[]).expect("a list")
        });
        uses.commit().expect("ended");
        let dogs = opened.join().expect("no panic");
        dogs.record(&moved()).expect("recorded");
    });
}

#[test]
fn the_error_of_those_who_may_not_change_tables_has_the_statements_for_their_owner() {
    let Some(database) = earlier() else { return };
    let nobody = RestrictedRole::new(&database, "upgrader");
    nobody.run(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
    );
    let off = database.env().with("CREATE_TABLE", "n");
    for (env, reason) in [
        (
            off,
            "CREATE_TABLE is off, and the tables in schema `public` are",
        ),
        (
            nobody.env(),
            "its role may not change the tables, and the tables",
        ),
    ] {
        let refused = refused("Dogs", Role::Follower, &env).to_string();
        assert!(refused.contains(reason), "{refused}");
        let (_, statements) = refused.split_once(" Execute: ").expect(&refused);
        let mut raw = database.connect();
        let mut attempt = raw.transaction().expect("begun");
        attempt.batch_execute(statements).expect("they are right");
        attempt.rollback().expect("rolled back");
    }
}

#[test]
fn a_server_of_an_earlier_release_that_can_only_be_read_is_read() {
    let Some(database) = earlier() else { return };
    let nobody = RestrictedRole::new(&database, "earlier_reader");
    nobody.run(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}; \
         ALTER ROLE {} SET default_transaction_read_only = on",
    );
    let dogs = open("Dogs", Role::Follower, &nobody.env());
    assert_eq!(followed(&*dogs), Followed::new(Some(5)));
}

#[test]
fn by_plain_statements_the_rules_for_positions_and_policies_are_the_same() {
    let Some(database) = database() else { return };
    let numbers = std::sync::atomic::AtomicU64::new(0);
    let ids = conformance::__IdType::Uuid;
    let bench = Bench::new(ids, move |role, _| {
        let number = numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let application = format!("Dogs{number}");
        let recorder = open(&application, role, &database.env());
        drop_functions(&database, &application);
        recorder
    });
    let rules = [
        conformance::a_position_moves_only_from_where_it_is,
        conformance::several_positions_move_in_one_recording,
        conformance::one_of_several_positions_that_was_moved_refuses_all,
        conformance::the_upstream_event_counts_only_at_its_position,
        conformance::a_resent_move_is_recorded_once,
        conformance::the_digest_counts_only_at_its_position,
        conformance::a_position_moves_only_if_it_counts_for_the_expected_policies,
        conformance::policies_count_only_at_their_position,
        conformance::topics_change_with_the_position,
        conformance::a_replay_has_a_position_of_its_own,
        conformance::a_resent_change_of_policies_is_recorded_once,
        conformance::of_many_movers_of_one_position_exactly_one_wins,
        conformance::of_a_mover_and_those_who_change_the_policies_exactly_one_wins,
    ];
    let rules: [fn(&Bench); 13] = rules;
    rules.iter().for_each(|rule| rule(&bench));
}
