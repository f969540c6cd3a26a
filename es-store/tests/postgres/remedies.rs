//! The remedies of errors that a real server sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use es_core::error_chain;
use es_store::{NotificationQuery, Recording, Remedy, Role, StoreError, Tracking};

use super::bad::RestrictedRole;
use super::{Database, database, drop_functions, event, open, recording, refused};

/// A change of the database after which a save fails, what undoes it, the code, and the remedy.
type Case = (&'static str, &'static str, &'static str, Remedy);

const SAVES: [Case; 17] = [
    (
        "ALTER TABLE dogs_events RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO dogs_events",
        "42P01",
        Remedy::OtherConfiguration,
    ),
    (
        "ALTER TABLE dogs_events RENAME topic TO kind",
        "ALTER TABLE dogs_events RENAME kind TO topic",
        "42703",
        Remedy::OtherConfiguration,
    ),
    (
        "ALTER TABLE dogs_events ALTER topic TYPE json USING null",
        "ALTER TABLE dogs_events ALTER topic TYPE text",
        // 42804 of an assignment, or 42883 of a comparison.
        "(428",
        Remedy::OtherConfiguration,
    ),
    (
        "ALTER TABLE dogs_events ALTER topic TYPE varchar(3) USING null",
        "ALTER TABLE dogs_events ALTER topic TYPE text",
        "22001",
        Remedy::OtherContent,
    ),
    (
        "ALTER TABLE dogs_events ADD CONSTRAINT no CHECK (topic = '') NOT VALID",
        "ALTER TABLE dogs_events DROP CONSTRAINT no",
        "23514",
        Remedy::OtherContent,
    ),
    (
        "ALTER TABLE dogs_events ADD extra text NOT NULL DEFAULT ''; ALTER TABLE dogs_events ALTER extra DROP DEFAULT",
        "ALTER TABLE dogs_events DROP extra",
        "23502",
        Remedy::OtherContent,
    ),
    (
        "ALTER TABLE dogs_events ADD CONSTRAINT no CHECK (1 / length(left(topic, 0)) = 0) NOT VALID",
        "ALTER TABLE dogs_events DROP CONSTRAINT no",
        "22012",
        Remedy::OtherContent,
    ),
    (
        "ALTER SEQUENCE dogs_events_notification_id_seq MAXVALUE 1000; \
         SELECT setval('dogs_events_notification_id_seq', 1000)",
        "ALTER SEQUENCE dogs_events_notification_id_seq NO MAXVALUE",
        "2200H",
        Remedy::OtherConfiguration,
    ),
    raises("P0001"),
    raises("U0123"),
    raises("54000"),
    raises("40001"),
    raises("53100"),
    raises("57014"),
    raises("58030"),
    raises("55000"),
    raises("XX001"),
];

/// A trigger that raises this code. [`trigger`] makes the statements.
const fn raises(code: &'static str) -> Case {
    let remedy = match code.as_bytes() {
        [b'4', b'0', ..] => Remedy::RetryNow,
        [b'5', b'3' | b'7' | b'8', ..] => Remedy::RetryLater,
        [b'5', b'5', ..] => Remedy::OtherConfiguration,
        [b'X', ..] => Remedy::Nothing,
        _ => Remedy::OtherContent,
    };
    ("", "DROP TRIGGER raising ON dogs_events", code, remedy)
}

fn trigger(code: &str) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION raising() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'raised' USING ERRCODE = '{code}'; END $$; \
         CREATE TRIGGER raising BEFORE INSERT ON dogs_events FOR EACH ROW EXECUTE FUNCTION raising()"
    )
}

fn run(database: &Database, sql: &str) {
    let done = database.connect().batch_execute(sql);
    done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

fn assert_is(error: &StoreError, code: &str, remedy: Remedy) {
    let said = error_chain(error).to_string();
    assert!(said.contains(code), "{code}: {said}");
    assert_eq!(error.remedy(), remedy, "{said}");
}

#[test]
fn a_save_that_the_server_refuses_has_what_mends_it_and_succeeds_once_that_is_done() {
    for has_functions in [true, false] {
        let Some(database) = database() else { return };
        let dogs = open("Dogs", Role::Follower, &database.env());
        if !has_functions {
            drop_functions(&database, "Dogs");
        }
        for ((breaks, mends, code, remedy), from) in SAVES.into_iter().zip(0..) {
            if breaks.is_empty() {
                run(&database, &trigger(code));
            } else {
                run(&database, breaks);
            }
            let next = |count: u64| {
                let versions: Vec<_> = (from + 1..=from + count).collect();
                recording(1, versions)
            };
            let batch = next(2).tracking(Tracking::new("Up", 0, 1));
            for recording in [next(1), next(2), batch] {
                let error = dogs.record(&recording).expect_err(code);
                assert_is(&error, code, remedy);
            }
            run(&database, mends);
            dogs.record(&next(1))
                .unwrap_or_else(|error| panic!("{code}: {error:?}"));
        }
    }
}

#[test]
fn a_database_that_cannot_be_opened_has_what_mends_it() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Leader, &database.env());
    let role = RestrictedRole::new(&database, "unwelcome");
    let name = role.env();
    let user = name.get("POSTGRES_USER").expect("a role").to_owned();
    for (env, code) in [
        (database.env().with("POSTGRES_PASSWORD", "wrong"), "28P01"),
        (database.env().with("POSTGRES_DBNAME", "nowhere"), "3D000"),
        (database.env().with("POSTGRES_USER", "nobody"), "28P01"),
        (role.env(), "42501"),
    ] {
        assert_is(
            &refused("Dogs", Role::Leader, &env),
            code,
            Remedy::OtherConfiguration,
        );
    }
    run(&database, &format!("ALTER ROLE {user} NOLOGIN"));
    assert_is(
        &refused("Dogs", Role::Leader, &role.env()),
        "28000",
        Remedy::OtherConfiguration,
    );
}

#[test]
fn a_save_outlives_the_types_of_columns_that_come_and_go() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    for version in 2..4 {
        for column in ["originator_version", "notification_id"] {
            let again = format!(
                "ALTER TABLE dogs_events ALTER {column} TYPE numeric; ALTER TABLE dogs_events ALTER {column} TYPE bigint"
            );
            run(&database, &again);
        }
        assert_eq!(super::versions(&*dogs).len() as u64, version - 1);
        dogs.record(&recording(1, [version])).expect("recorded");
    }
}

/// A change of the type of a column changes what a statement returns, which the server reports as
/// `0A000`.
#[test]
fn a_statement_whose_result_has_another_type_now_is_prepared_again() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    dogs.record(&recording(1, [1])).expect("recorded");
    for (version, other) in (2..).zip(["varchar(99)", "text", "varchar"]) {
        let read = dogs.select_notifications(&NotificationQuery::all());
        assert_eq!(read.expect("read").len() as u64, version - 1);
        run(
            &database,
            &format!("ALTER TABLE dogs_events ALTER topic TYPE {other}"),
        );
        let read = dogs.select_notifications(&NotificationQuery::all());
        assert_eq!(read.expect("read again").len() as u64, version - 1);
        assert_eq!(super::versions(&*dogs).len() as u64, version - 1);
        dogs.record(&recording(1, [version])).expect("recorded");
    }
}

/// A trigger of the user's own has the session lose its statements, as a pooler may. The server
/// reports `26000`.
#[test]
fn a_statement_that_is_gone_is_prepared_again() {
    for has_functions in [true, false] {
        let Some(database) = database() else { return };
        let dogs = open("Dogs", Role::Leader, &database.env());
        if !has_functions {
            drop_functions(&database, "Dogs");
        }
        run(
            &database,
            "CREATE FUNCTION forgetting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$; \
             CREATE TRIGGER forgetting AFTER INSERT ON dogs_events EXECUTE FUNCTION forgetting()",
        );
        for version in 1..=4 {
            dogs.record(&recording(1, [version])).expect("recorded");
        }
        assert_eq!(super::versions(&*dogs), [1, 2, 3, 4]);
    }
}

/// An index or a trigger of the user's own refuses one save in each attempt. The others of its
/// group are recorded.
#[test]
fn a_save_that_is_tried_in_vain_fails_no_other_of_its_group() {
    let own_index =
        "CREATE UNIQUE INDEX own ON dogs_events (topic, length(state)) WHERE topic = 'twice'";
    let own_trigger = "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$; \
         CREATE TRIGGER own BEFORE INSERT ON dogs_events FOR EACH ROW \
         WHEN (NEW.topic = 'twice' AND NEW.originator_version > 1) EXECUTE FUNCTION own()";
    for (refuses, remedy) in [
        (own_index, Remedy::OtherContent),
        (own_trigger, Remedy::RetryNow),
    ] {
        let Some(database) = database() else { return };
        let dogs = open("Dogs", Role::Leader, &database.env());
        run(&database, refuses);
        let twice = |version| {
            let mut one = event(1, version);
            one.topic = "twice".into();
            Recording::new(vec![one])
        };
        dogs.record(&twice(1)).expect("the first");
        let is_over = AtomicBool::new(false);
        let (dogs, is_over) = (&*dogs, &is_over);
        thread::scope(|scope| {
            let bad = scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let refused = dogs.record(&twice(2)).expect_err("refused");
                    assert_eq!(refused.remedy(), remedy, "{refused}");
                }
            });
            let save = |number| {
                scope.spawn(move || {
                    for version in 1..=20 {
                        dogs.record(&recording(number, [version]))
                            .expect("recorded");
                    }
                })
            };
            let good: Vec<_> = (2..8).map(save).collect();
            let done: Vec<_> = good.into_iter().map(|saver| saver.join()).collect();
            is_over.store(true, Ordering::SeqCst);
            bad.join().expect("it is refused each time");
            assert!(done.iter().all(Result::is_ok), "a save of another failed");
        });
    }
}
