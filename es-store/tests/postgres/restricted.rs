//! Databases with few privileges, or that other programs created or changed.

use es_store::{Env, EventQuery, NotificationQuery, Role, StoreError, Tracking};

use super::bad::RestrictedRole;
use super::{Database, database, drop_functions, id, open, recording, refused, versions};

fn run(database: &Database, sql: &str) {
    let done = database.connect().batch_execute(sql);
    done.expect("the statements are right");
}

/// Records a single event, several, and several with a position.
fn saves(env: &Env) {
    let dogs = open("Dogs", Role::Follower, env);
    for (number, moved) in [(1, None), (2, Some(Tracking::new("Up", 0, 1)))] {
        let several = recording(number, [1, 2]);
        dogs.record(&match moved {
            None => several,
            Some(moved) => several.tracking(moved),
        })
        .expect("recorded");
        dogs.record(&recording(number, [3])).expect("recorded");
    }
    assert_eq!(versions(&*dogs), [1, 2, 3, 1, 2, 3]);
}

#[test]
fn a_role_that_may_not_call_the_functions_saves_by_plain_statements() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Follower, &database.env());
    let nobody = RestrictedRole::new(&database, "uncalled");
    nobody.run(
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}; \
         REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
    );
    saves(&nobody.env());
}

#[test]
fn without_the_language_of_the_functions_plain_statements_save() {
    let Some(database) = database() else { return };
    run(&database, "DROP EXTENSION plpgsql");
    saves(&database.env());
}

#[test]
fn a_database_that_can_only_be_read_is_read_though_functions_and_snapshots_are_missing() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Follower, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    drop_functions(&database, "Dogs");
    run(&database, "DROP TABLE dogs_snapshots");
    let nobody = RestrictedRole::new(&database, "reader");
    nobody.run(
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}; \
         ALTER ROLE {} SET default_transaction_read_only = on",
    );
    let dogs = open("Dogs", Role::Follower, &nobody.env());
    assert_eq!(versions(&*dogs), [1]);
    let history = dogs
        .select_history(&id(1), &EventQuery::all())
        .expect("read");
    assert_eq!(history.events.len(), 1);
    let refused = dogs.record(&recording(1, [2]));
    assert!(
        matches!(refused, Err(StoreError::ReadOnly { .. })),
        "{refused:?}"
    );
}

#[test]
fn after_the_type_of_a_column_was_changed_reading_goes_on() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    assert_eq!(versions(&*dogs), [1]);
    run(
        &database,
        "ALTER TABLE dogs_events ALTER topic TYPE varchar(400)",
    );
    for version in 2..4 {
        dogs.record(&recording(1, [version])).expect("recorded");
        let events = dogs.select_events(&id(1), &EventQuery::all());
        assert_eq!(events.expect("read").len() as u64, version);
        let log = dogs.select_notifications(&NotificationQuery::all());
        assert_eq!(log.expect("read").len() as u64, version);
    }
}

#[test]
fn numbers_that_are_too_narrow_are_refused_with_what_widens_them() {
    let Some(database) = database() else { return };
    run(
        &database,
        "CREATE TABLE dogs_events (originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text, \
         state bytea, notification_id serial, PRIMARY KEY (originator_id, originator_version))",
    );
    let said = refused("Dogs", Role::Leader, &database.env()).to_string();
    let (_, alter) = said.split_once("is of type integer: ").expect(&said);
    run(&database, alter);
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1, 2])).expect("recorded");
    assert_eq!(versions(&*dogs), [1, 2]);
}

#[test]
fn a_trigger_that_keeps_events_back_is_an_error_and_moves_no_position() {
    let Some(database) = database() else { return };
    for (application, has_functions) in [("Dogs", true), ("Cats", false)] {
        let recorder = open(application, Role::Follower, &database.env());
        if !has_functions {
            drop_functions(&database, application);
        }
        let table = format!("{}_events", application.to_lowercase());
        run(
            &database,
            &format!(
                "CREATE OR REPLACE FUNCTION keep_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
                 CREATE TRIGGER back BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION keep_back()"
            ),
        );
        let batch = recording(1, [1, 2]).tracking(Tracking::new("Up", 0, 1));
        for kept_back in [recording(1, [1]), recording(1, [1, 2]), batch.clone()] {
            recorder.record(&kept_back).expect_err("kept back");
        }
        assert_eq!(recorder.tracked("Up").expect("read"), None);
        run(&database, &format!("DROP TRIGGER back ON {table}"));
        recorder.record(&batch).expect("recorded");
        assert_eq!(recorder.tracked("Up").expect("read"), Some(1));
    }
}
