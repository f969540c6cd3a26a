//! Settings without the names of keys.

use std::collections::BTreeSet;

use es_system::prelude::*;
use es_system::store::{IdType, SslMode};
use tests::PATIENCE;
use tests::domain::{Counters, DogSchool};

#[test]
fn a_system_runs_on_settings_of_each_kind_of_store() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| Settings::sqlite(dir.path().join(name)).cache(10).zlib();
    let files = Env::new()
        .with_application("DogSchool", file("dogs.sqlite"))
        .with_application("Counters", file("counters.sqlite"));
    let mut envs = vec![
        Env::from(Settings::memory()),
        Env::from(Settings::sqlite_in_memory()),
        files,
    ];
    if let Some(database) = tests::postgres() {
        let given = database.env.clone();
        let get = |key| given.get(key).unwrap_or_default();
        let port = get("POSTGRES_PORT").parse().expect("a port");
        let settings = Settings::postgres(
            get("POSTGRES_DBNAME"),
            get("POSTGRES_HOST"),
            get("POSTGRES_USER"),
            get("POSTGRES_PASSWORD"),
        );
        envs.push(settings.port(port).lock_timeout(PATIENCE).into());
    }
    for env in envs {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = MultiThreadedRunner::new(&system, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 1);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn what_a_setting_says_is_heard() -> Result<()> {
    let texts = Settings::memory().ids(IdType::Text);
    let refused = DogSchool::new(texts.into())?.register_dog("Billy");
    assert_eq!(
        refused.expect_err("a UUID").kind(),
        ErrorKind::Configuration
    );
    let wrong = DogSchool::new(Settings::memory().aes("no key").into());
    let said = wrong.expect_err("refused").to_string();
    assert!(
        said.contains("CIPHER_KEY") && !said.contains("no key"),
        "{said}"
    );
    let shown = format!("{:?}", Settings::memory().aes("hush"));
    assert!(!shown.contains("hush"), "{shown}");
    Ok(())
}

#[test]
fn a_wrong_rule_for_failing_policies_is_an_error_before_anything_is_followed() -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters]])?;
    for (key, value, expected) in [
        ("COUNTERS_ON_ERROR", "skip", "`stop`, `set_aside`, `retry`"),
        ("ON_ERROR", "retry(times = 0)", "`times` is a whole number"),
        ("COUNTERS_FAILURES_MAX", "many", "a number in range"),
    ] {
        let env = Env::new().with(key, value);
        let single = SingleThreadedRunner::new(&system, env.clone()).err();
        let multi = MultiThreadedRunner::new(&system, env).err();
        for error in [single, multi] {
            let error = error.expect("the rule cannot be read");
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            let said = error.to_string();
            let named = format!("Counters: {key} is `{value}`");
            assert!(
                said.starts_with(&named) && said.contains(expected),
                "{said}"
            );
        }
    }
    // An application that does not follow has no policies.
    let leads = Env::new().with("DOGSCHOOL_ON_ERROR", "skip");
    SingleThreadedRunner::new(&system, leads)?;
    Ok(())
}

/// Two keys that change nothing have no method.
#[test]
fn there_is_a_method_for_every_key() {
    let second = Duration::from_secs(1);
    let postgres = Settings::postgres("database", "host", "user", "password")
        .port(5432)
        .schema("public")
        .connect_timeout(second)
        .lock_timeout(second)
        .request_timeout(second)
        .idle_in_transaction_timeout(second)
        .synchronous_commit("on")
        .pool_size(1)
        .max_overflow(1)
        .ssl_mode(SslMode::VerifyFull)
        .ssl_root_cert("root.pem")
        .ssl_cert("own.pem", "own.key")
        .ids(IdType::Uuid)
        .create_tables(true)
        .zlib()
        .aes("key")
        .old_keys(&["older", "oldest"])
        .snapshots(true)
        .cache(1)
        .cache_fast_forward(true)
        .poll_interval(second)
        .cycle_events(1)
        .policy_timeout(second)
        .on_error("stop")
        .failures_max(1);
    let sqlite = Settings::sqlite("file").lock_timeout(second).rest(second);
    let postgres = Env::from(postgres);
    let sqlite = Env::from(sqlite);
    let set: BTreeSet<&str> = postgres.keys().chain(sqlite.keys()).collect();
    let without = ["POSTGRES_PRE_PING", "POSTGRES_POOLER"];
    let listed = es_store::KEYS.iter().map(|key| key.name);
    let listed: BTreeSet<_> = listed.filter(|key| !without.contains(key)).collect();
    assert_eq!(set, listed);
}
