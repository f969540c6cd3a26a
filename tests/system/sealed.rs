//! Compressed and encrypted states: the contents of the files, the keys that read them, and the
//! parts that are shown.

use std::path::Path;

use es_system::prelude::*;
use es_system::store::create_key;
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, files};

pub(crate) const HUSH: &str = "hush-hush";

/// Returns the same environment, compressed and encrypted with a fresh key.
pub(crate) fn zlib_and_aes(env: Env) -> Env {
    env.with("COMPRESSOR_TOPIC", "zlib")
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", key())
}

fn key() -> String {
    create_key(32).expect("random numbers")
}

/// Returns the number of times that [`HUSH`] is in some bytes.
pub(crate) fn hush_of(bytes: &[u8]) -> usize {
    let windows = bytes.windows(HUSH.len());
    windows.filter(|window| *window == HUSH.as_bytes()).count()
}

/// Returns the number of times that [`HUSH`] is in the files of a folder: databases and their logs.
fn hush_in(dir: &Path) -> usize {
    let files = std::fs::read_dir(dir).expect("the folder is there");
    let bytes = files.map(|file| std::fs::read(file.expect("a file").path()).expect("readable"));
    bytes.map(|bytes| hush_of(&bytes)).sum()
}

#[test]
fn with_a_cipher_no_value_is_in_any_file_and_without_one_all_are() -> Result<()> {
    fn flow<R: Runner>(is_sealed: bool) -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path());
        let env = if is_sealed { zlib_and_aes(env) } else { env };
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog(HUSH)?;
        school.add_trick(HUSH, HUSH)?;
        school.take_snapshot::<Dog>(Dog::create_id(HUSH), None)?;
        runner.wait_until_idle(PATIENCE)?;
        let names = std::fs::read_dir(dir.path()).expect("the folder is there");
        let names = names.map(|file| file.expect("a file").file_name());
        let logs = names.filter(|name| name.to_string_lossy().ends_with("-wal"));
        assert_eq!(logs.count(), 2, "the logs are looked at too");
        assert_eq!(hush_in(dir.path()) == 0, is_sealed);
        runner.stop()?;
        drop((school, runner));
        assert_eq!(hush_in(dir.path()) == 0, is_sealed);
        Ok(())
    }
    for is_sealed in [true, false] {
        flow::<SingleThreadedRunner>(is_sealed)?;
        flow::<MultiThreadedRunner>(is_sealed)?;
    }
    Ok(())
}

#[test]
fn each_application_may_have_its_own_key_and_a_follower_reads_with_the_upstreams() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let env = files(dir.path())
            .with("CIPHER_TOPIC", "aes")
            .with("DOGSCHOOL_CIPHER_KEY", key())
            .with("COUNTERS_CIPHER_KEY", key())
            .with("COUNTERS_COMPRESSOR_TOPIC", "zlib");
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let counters = runner.get::<Counters>()?;
        school.register_dog("Billy")?;
        for _ in 0..3 {
            school.add_trick("Billy", "sit")?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(counters.get_count("sit")?, 3);
        runner.stop()?;
        let keys = ["DOGSCHOOL_CIPHER_KEY", "COUNTERS_CIPHER_KEY"].map(|key| env.require(key));
        let [Ok(dogs), Ok(counts)] = keys else {
            panic!("both are set")
        };
        let swapped = env
            .clone()
            .with("DOGSCHOOL_CIPHER_KEY", counts)
            .with("COUNTERS_CIPHER_KEY", dogs);
        let error = DogSchool::new(swapped.clone())?
            .get_dog("Billy")
            .expect_err("another key");
        assert_eq!(error.kind(), ErrorKind::BadData);
        assert!(
            error.to_string().contains("`dogschool:Dog.Registered`"),
            "{error}"
        );
        assert!(Counters::new(swapped)?.get_count("sit").is_err());
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_follower_that_cannot_decrypt_says_at_which_event_and_goes_on_once_it_can() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = zlib_and_aes(files(dir.path()));
    let school = DogSchool::new(env.clone())?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", HUSH)?;
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let wrong = env.clone().with("DOGSCHOOL_CIPHER_KEY", key());
    let mut runner = SingleThreadedRunner::new(&system, wrong)?;
    let error = runner.start().err();
    let error = error.or_else(|| runner.watch_for_errors(Duration::ZERO).err());
    let error = error.expect("it cannot be decrypted");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("`dogschool:Dog.TrickAdded`") && shown.contains("cannot be decrypted"),
        "{shown}"
    );
    assert!(!shown.contains(HUSH), "{shown}");
    drop(runner);
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(runner.get::<Counters>()?.get_count(HUSH)?, 1);
    Ok(())
}

#[test]
fn after_a_rotation_old_and_new_events_are_read_and_the_old_key_reads_no_new_one() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let before = zlib_and_aes(files(dir.path()));
    let school = DogSchool::new(before.clone())?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    let old = before.require("CIPHER_KEY").expect("it is set");
    let rotated = before
        .clone()
        .with("CIPHER_KEYS_OLD", old)
        .with("CIPHER_KEY", key());
    let school = DogSchool::new(rotated)?;
    school.add_trick("Billy", "roll over")?;
    assert_eq!(school.get_dog("Billy")?.tricks, ["sit", "roll over"]);
    let error = DogSchool::new(before)?
        .get_dog("Billy")
        .expect_err("a new event");
    assert!(
        error
            .to_string()
            .contains("at version 3: the state cannot be decrypted"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_application_with_half_a_cipher_does_not_open() {
    for (key, value) in [
        ("CIPHER_TOPIC", "aes"),
        ("CIPHER_KEY", HUSH),
        ("COMPRESSOR_TOPIC", "gzip"),
    ] {
        let error = DogSchool::new(Env::new().with(key, value)).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(key) && !shown.contains(HUSH), "{shown}");
    }
}

#[test]
fn whatever_is_shown_shows_no_key_password_or_value() -> Result<()> {
    let key = key();
    let stores = std::sync::Arc::new(es_system::testing::FaultyStores::in_memory());
    let env = zlib_and_aes(Env::new())
        .with("CIPHER_KEY", &key)
        .with("CIPHER_KEYS_OLD", &key)
        .with("POSTGRES_PASSWORD", HUSH)
        .with_store(stores);
    let mapper = es_system::store::Mapper::new(&env).expect("a mapper");
    let system = System::new(pipes![[DogSchool, Counters]])?;
    let mut runner = SingleThreadedRunner::new(&system, env.clone())?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.save(&mut Dog::register(HUSH))?;
    let log = school.notification_log().select(1, 10)?;
    let statuses = runner.status();
    let shown = format!(
        "{env:?} {mapper:?} {school:?} {:?} {:?} {:?} {system:?} {log:?} {statuses:?}",
        **school,
        school.repository(),
        school.notification_log(),
    );
    assert!(!shown.contains(&key) && !shown.contains(HUSH), "{shown}");
    // A state is shown as numbers, which reveal nothing if it is encrypted.
    let plain = format!("{:?}", HUSH.as_bytes());
    assert!(!shown.contains(plain.trim_matches(['[', ']'])), "{shown}");
    Ok(())
}
