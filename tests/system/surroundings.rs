//! Settings of a database, a role or a connection that others have made: an application works under
//! any of them, and a handler's own end with its transaction.

mod handlers;

use es_system::ApplicationType as _;
use es_system::prelude::*;
use es_system::testing::postgres::{Database, database};
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};
use tests::table::TrickTable;

/// Settings that change how statements are parsed, planned, ended or shown, with odd values. Those
/// of a group hold at once.
const SETTINGS: [&[(&str, &str)]; 6] = [
    &[
        ("search_path", "''"),
        ("quote_all_identifiers", "on"),
        ("xmloption", "document"),
        ("lc_messages", "'C'"),
        ("exit_on_error", "on"),
        ("temp_buffers", "100"),
        ("enable_indexonlyscan", "off"),
        ("plpgsql.variable_conflict", "error"),
    ],
    &[
        ("search_path", "decoy, pg_catalog"),
        ("standard_conforming_strings", "off"),
        ("bytea_output", "'escape'"),
        ("client_encoding", "'LATIN1'"),
        ("row_security", "off"),
        ("work_mem", "64"),
        ("enable_sort", "off"),
        ("plpgsql.extra_errors", "'all'"),
    ],
    &[
        ("search_path", "nowhere"),
        ("statement_timeout", "1"),
        ("backslash_quote", "off"),
        ("DateStyle", "'SQL, DMY'"),
        ("client_min_messages", "error"),
        ("check_function_bodies", "off"),
        ("plan_cache_mode", "force_custom_plan"),
        ("enable_nestloop", "off"),
        ("plpgsql.extra_warnings", "'all'"),
    ],
    &[
        ("lock_timeout", "1"),
        ("escape_string_warning", "off"),
        ("IntervalStyle", "'sql_standard'"),
        ("default_transaction_isolation", "serializable"),
        ("session_replication_role", "replica"),
        ("force_parallel_mode", "on"),
        ("enable_hashjoin", "off"),
        ("plpgsql.print_strict_params", "on"),
    ],
    &[
        ("idle_in_transaction_session_timeout", "1"),
        ("transform_null_equals", "on"),
        ("TimeZone", "'Australia/Eucla'"),
        ("default_transaction_deferrable", "on"),
        ("default_tablespace", "'nowhere'"),
        ("join_collapse_limit", "1"),
        ("jit", "on"),
    ],
    &[
        ("idle_session_timeout", "1"),
        ("array_nulls", "off"),
        ("extra_float_digits", "-15"),
        ("synchronous_commit", "off"),
        ("default_table_access_method", "'heap'"),
        ("enable_indexscan", "off"),
        ("jit_above_cost", "0"),
    ],
];

/// Opens, saves, follows, projects, reads and rebuilds.
fn use_all(env: &Env, dog: &str) -> Result<u64> {
    let system = System::new(pipes![[DogSchool, Counters], [DogSchool, TrickTable]])?;
    let mut runner = MultiThreadedRunner::new(&system, env.clone())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog(dog)?;
    school.add_trick(dog, "sit")?;
    assert_eq!(school.get_dog(dog)?.tricks, ["sit"]);
    runner.wait_until_idle(PATIENCE)?;
    runner.rebuild::<TrickTable>(|_| ())?;
    runner.watch_for_errors(Duration::ZERO)?;
    let count = runner.get::<Counters>()?.get_count("sit")?;
    runner.stop()?;
    Ok(count)
}

/// Returns statements that drop what the next start creates again. They fail if it is not there.
fn drop_created(application: &str) -> String {
    format!(
        "DROP TABLE {application}_snapshots; DO $$ DECLARE made regprocedure; BEGIN \
         FOR made IN SELECT oid FROM pg_proc WHERE starts_with(proname, '{application}_append_v') \
         LOOP EXECUTE 'DROP FUNCTION ' || made; END LOOP; \
         IF NOT FOUND THEN RAISE EXCEPTION 'no function'; END IF; END $$"
    )
}

/// Opens twice under each setting, so that what the first start creates is compared by the second.
fn works_under_each(alter: impl Fn(&Database) -> String) -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    // This session is older than the settings, so they do not hold in it.
    let mut raw = database.connect();
    let mut run = |sql: &str| raw.batch_execute(sql);
    let decoys = "CREATE SCHEMA decoy; CREATE TABLE decoy.dogschool_events (nothing int); \
                  CREATE TABLE decoy.counters_tracking (nothing int)";
    run(decoys).expect("decoys");
    let alter = alter(&database);
    let mut expected = 0;
    for (group, settings) in SETTINGS.into_iter().enumerate() {
        for (setting, value) in settings {
            // Another version of the server may not have the setting.
            let _is_known = run(&format!("{alter} SET {setting} = {value}"));
        }
        for time in ["first", "second"] {
            expected += 1;
            let counted = use_all(&database.env(), &format!("{group} {time}"));
            let counted = counted.unwrap_or_else(|error| panic!("{settings:?}: {error}"));
            assert_eq!(counted, expected, "{settings:?}");
        }
        run(&format!("{alter} RESET ALL")).expect("they were set");
        for application in [DogSchool::NAME, Counters::NAME, TrickTable::NAME] {
            run(&drop_created(&application.to_lowercase())).expect("each start creates them");
        }
    }
    Ok(())
}

#[test]
fn an_application_works_under_any_settings_of_its_database() -> Result<()> {
    works_under_each(|database| {
        let name = database.env();
        let name = name.get("POSTGRES_DBNAME").expect("a database");
        format!("ALTER DATABASE {name}")
    })
}

#[test]
fn an_application_works_under_any_settings_of_its_role() -> Result<()> {
    works_under_each(|database| {
        let env = database.env();
        let get = |key| env.get(key).expect("a setting").to_owned();
        let (role, name) = (get("POSTGRES_USER"), get("POSTGRES_DBNAME"));
        format!("ALTER ROLE {role} IN DATABASE {name}")
    })
}
