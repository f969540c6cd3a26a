//! Refused settings and damaged rows.

use es_store::{Env, NotificationQuery, Role, StoreError, Tracking};

use super::{Database, database, drop_functions, open, recording, refused};

#[test]
fn a_wrong_password_and_a_missing_database_name_their_keys() {
    let Some(database) = database() else { return };
    for (key, value) in [
        ("POSTGRES_PASSWORD", "wrong secret"),
        ("POSTGRES_DBNAME", "nowhere"),
    ] {
        let refused = refused("Dogs", Role::Leader, &database.env().with(key, value));
        let said = format!("{refused} {refused:?}");
        assert!(
            matches!(refused, StoreError::Configuration(_)) && said.contains(key),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "eventsourcing.postgres")
        .with("POSTGRES_DBNAME", "dogs")
        .with("POSTGRES_HOST", "/nowhere")
        .with("POSTGRES_USER", "rex")
        .with("POSTGRES_PASSWORD", "secret");
    let refused = refused("Dogs", Role::Leader, &env).to_string();
    assert!(
        refused.contains("`dogs` on /nowhere: connecting failed"),
        "{refused}"
    );
}

#[test]
fn a_name_of_64_bytes_is_refused_before_anything_is_sent() {
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "postgres")
        .with("POSTGRES_DBNAME", "dogs")
        .with("POSTGRES_HOST", "/nowhere")
        .with("POSTGRES_USER", "rex")
        .with("POSTGRES_PASSWORD", "secret");
    let refused = refused(&"a".repeat(54), Role::Leader, &env).to_string();
    assert!(refused.contains("has 64 bytes"), "{refused}");
}

#[test]
fn nothing_is_created_when_that_is_off_and_what_is_missing_is_named() {
    let Some(database) = database() else { return };
    let env = database.env().with("CREATE_TABLE", "n");
    let refused = refused("Dogs", Role::Follower, &env).to_string();
    for name in [
        "stored_event_uuid",
        "dogs_events",
        "dogs_events_notification_id_idx",
        "dogs_tracking",
        "dogs_meta",
    ] {
        assert!(refused.contains(&format!("`{name}`")), "{refused}");
    }
    open("Dogs", Role::Follower, &database.env());
    open("Dogs", Role::Follower, &env);
}

#[test]
fn a_second_application_on_the_same_tables_is_refused() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Leader, &database.env());
    let said = refused("DOGS", Role::Leader, &database.env()).to_string();
    assert!(said.contains("belongs to the application `Dogs`"), "{said}");
    let text = database.env().with("ORIGINATOR_ID_TYPE", "text");
    let said = refused("Dogs", Role::Leader, &text).to_string();
    assert!(
        said.contains("are of type uuid, but ORIGINATOR_ID_TYPE is text"),
        "{said}"
    );
    let schema = database.env().with("POSTGRES_SCHEMA", "elsewhere");
    assert!(
        refused("Dogs", Role::Leader, &schema)
            .to_string()
            .contains("no schema `elsewhere`")
    );
}

#[test]
fn a_role_without_privileges_is_told_so() {
    let Some(database) = database() else { return };
    let nobody = RestrictedRole::new(&database, "nobody");
    let (role, env) = (&nobody.name, nobody.env());
    let said = refused("Dogs", Role::Leader, &env).to_string();
    open("Dogs", Role::Leader, &database.env());
    let said_later = refused("Dogs", Role::Leader, &env).to_string();
    assert!(
        said.contains(&format!("`{role}` lacks a privilege for creating tables")),
        "{said}"
    );
    assert!(
        said_later.contains(&format!(
            "`{role}` lacks a privilege for reading the tables"
        )),
        "{said_later}"
    );
}

/// A role that may log in and nothing else, until it is dropped.
pub(super) struct RestrictedRole<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> RestrictedRole<'a> {
    pub(super) fn new(database: &'a Database, name: &str) -> Self {
        let name = format!("{name}{}", std::process::id());
        let role = Self { database, name };
        role.run(
            "CREATE ROLE {} LOGIN PASSWORD 'none'; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        );
        role
    }

    /// Runs statements as the owner of the database, with the role's name in place of `{}`.
    pub(super) fn run(&self, sql: &str) {
        let mut raw = self.database.connect();
        let done = raw.batch_execute(&sql.replace("{}", &self.name));
        done.expect("the statements are right");
    }

    pub(super) fn env(&self) -> Env {
        self.database
            .env()
            .with("POSTGRES_USER", &self.name)
            .with("POSTGRES_PASSWORD", "none")
    }
}

impl Drop for RestrictedRole<'_> {
    fn drop(&mut self) {
        self.run("DROP OWNED BY {}; DROP ROLE {}");
    }
}

#[test]
fn a_role_that_may_not_lock_the_events_is_told_what_to_grant_with_and_without_the_function() {
    let Some(database) = database() else { return };
    for application in ["Dogs", "Cats"] {
        open(application, Role::Follower, &database.env());
    }
    drop_functions(&database, "Cats");
    let nobody = RestrictedRole::new(&database, "locksmith");
    nobody.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}");
    let role = nobody.name.clone();
    let by_function = open("Dogs", Role::Follower, &nobody.env());
    let no_tables = nobody.env().with("CREATE_TABLE", "n");
    let by_statements = open("Cats", Role::Follower, &no_tables);
    nobody.run(
        "GRANT INSERT ON ALL TABLES IN SCHEMA public TO {}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
    );
    for (name, dogs) in [("dogs", &by_function), ("cats", &by_statements)] {
        let refused = dogs.record(&recording(1, [1])).expect_err("refused");
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Configuration(_)), "{said}");
        for named in [
            &format!("the role `{role}` lacks a privilege for recording"),
            &format!("permission denied for table {name}_events"),
            "GRANT SELECT, INSERT, UPDATE on",
        ] {
            assert!(said.contains(named), "{said}");
        }
        assert_eq!(dogs.head().expect("it may read"), None);
    }
    nobody.run("GRANT UPDATE ON ALL TABLES IN SCHEMA public TO {}");
    for dogs in [by_function, by_statements] {
        let recording = recording(1, [1]).tracking(Tracking::new("Up", 0, 1));
        dogs.record(&recording).expect("what was said is enough");
    }
}

#[test]
fn a_schema_without_the_composite_type_is_named_or_given_it_again() {
    let Some(database) = database() else { return };
    open("Dogs", Role::Leader, &database.env());
    let mut raw = database.connect();
    raw.batch_execute("DROP TYPE stored_event_uuid")
        .expect("dropped");
    let env = database.env().with("CREATE_TABLE", "n");
    let said = refused("Dogs", Role::Leader, &env).to_string();
    assert!(
        said.ends_with(
            "CREATE_TABLE is off, and this is missing in schema `public`: `stored_event_uuid`"
        ),
        "{said}"
    );
    open("Dogs", Role::Leader, &database.env());
    open("Dogs", Role::Leader, &env);
    let columns: i64 = raw
        .query_one(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'stored_event_uuid'::regclass",
            &[],
        )
        .expect("the type is there")
        .get(0);
    assert_eq!(columns, 4);
}

#[test]
fn a_lock_that_is_held_for_too_long_is_an_error_that_names_its_holder() {
    let Some(database) = database() else { return };
    let env = database.env().with("POSTGRES_LOCK_TIMEOUT", "0.05");
    let dogs = open("Dogs", Role::Leader, &env);
    let mut other = database.connect();
    let mut held = other.transaction().expect("a transaction");
    held.batch_execute("LOCK TABLE dogs_events IN EXCLUSIVE MODE")
        .expect("a lock");
    let process: i32 = held
        .query_one("SELECT pg_backend_pid()", &[])
        .expect("itself")
        .get(0);
    let refused = dogs.record(&recording(1, [1])).expect_err("locked");
    assert!(
        matches!(&refused, StoreError::Locked { key: "POSTGRES_LOCK_TIMEOUT", holder, .. }
            if holder.contains(&format!("process {process} "))),
        "{refused}"
    );
    assert_eq!(dogs.head().expect("readers wait for nobody"), None);
    held.rollback().expect("no lock");
    dogs.record(&recording(1, [1])).expect("recorded");
}

#[test]
fn a_table_of_the_old_form_is_read_and_not_written() {
    let Some(database) = database() else { return };
    let old = "CREATE TABLE dogs_tracking (application_name text, notification_id bigint, \
               PRIMARY KEY (application_name, notification_id)); \
               INSERT INTO dogs_tracking VALUES ('Up', 3), ('Up', 7)";
    database.connect().batch_execute(old).expect("an old table");
    let dogs = open("Dogs", Role::Follower, &database.env());
    assert_eq!(dogs.tracked("Up").expect("read"), Some(7));
    let refused = dogs.record(&recording(1, [1]).tracking(Tracking::new("Up", 7, 8)));
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("start Python 9.5")
    );
    dogs.record(&recording(1, [1]))
        .expect("events are recorded");
}

#[test]
fn a_damaged_row_is_an_error_that_names_it() {
    let Some(database) = database() else { return };
    let dogs = open("Dogs", Role::Leader, &database.env());
    let at = dogs.record(&recording(1, [1])).expect("recorded").positions[0];
    database
        .connect()
        .batch_execute("UPDATE dogs_events SET topic = NULL")
        .expect("damaged");
    for query in [
        NotificationQuery::all(),
        NotificationQuery::all().topics(["test:Other"]),
    ] {
        let damaged = dogs
            .select_notifications(&query)
            .expect_err("damaged")
            .to_string();
        assert!(
            damaged.contains(&format!("damaged row at position {at}: its topic is null")),
            "{damaged}"
        );
    }
    assert_eq!(
        dogs.head().expect("read").map(|head| head.position),
        Some(at)
    );
}

#[test]
fn tables_of_pythons_release_10_are_refused_by_name() {
    let Some(database) = database() else { return };
    let table = "CREATE TABLE dogs_events (context_name text, originator_id text NOT NULL, originator_version bigint \
                 NOT NULL, topic text, state bytea, metadata bytea, event_id text, notification_id bigserial, \
                 PRIMARY KEY (originator_id, originator_version))";
    database.connect().batch_execute(table).expect("a table");
    let refused = refused("Dogs", Role::Leader, &database.env()).to_string();
    assert!(
        refused.ends_with(
            "`dogs_events` has the columns of the Python library's release 10, which this release does not read"
        ),
        "{refused}"
    );
}
