//! Environments with wrong values cause an error that names the key and the value.

use std::path::Path;

use es_system::prelude::*;
use tests::domain::{Counters, DogSchool};
use tests::files;

fn error_of_opening(env: Env) -> Error {
    DogSchool::new(env).expect_err("it cannot be opened")
}

#[test]
fn a_wrong_environment_names_the_key_and_the_value() {
    let sqlite = || Env::new().with("PERSISTENCE_MODULE", "sqlite");
    let file = || sqlite().with("SQLITE_DBNAME", ":memory:");
    let cases = [
        (
            Env::new().with("PERSISTENCE_MODULE", "papyrus"),
            ["PERSISTENCE_MODULE", "papyrus"],
        ),
        (sqlite(), ["DOGSCHOOL_SQLITE_DBNAME", "SQLITE_DBNAME"]),
        (
            sqlite().with("SQLITE_DBNAME", ""),
            ["SQLITE_DBNAME", "the name of a database"],
        ),
        (
            file().with("SQLITE_LOCK_TIMEOUT", "soon"),
            ["SQLITE_LOCK_TIMEOUT", "soon"],
        ),
        (
            file().with("CREATE_TABLE", "perhaps"),
            ["CREATE_TABLE", "perhaps"],
        ),
        (
            file().with("ORIGINATOR_ID_TYPE", "number"),
            ["ORIGINATOR_ID_TYPE", "number"],
        ),
        (
            file().with("DOGSCHOOL_ORIGINATOR_ID_TYPE", "number"),
            ["ORIGINATOR_ID_TYPE", "number"],
        ),
        (
            Env::new().with("COMPRESSOR_TOPIC", "gzip"),
            ["COMPRESSOR_TOPIC", "gzip"],
        ),
        (
            Env::new().with("DOGSCHOOL_CIPHER_TOPIC", "rot13"),
            ["DOGSCHOOL_CIPHER_TOPIC", "rot13"],
        ),
        (
            Env::new().with("CIPHER_TOPIC", "aes"),
            ["CIPHER_TOPIC", "DOGSCHOOL_CIPHER_KEY or CIPHER_KEY"],
        ),
    ];
    for (env, named) in cases {
        let error = error_of_opening(env);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("DogSchool: "), "{text}");
        assert!(
            named.iter().all(|name| text.contains(name)),
            "{text} does not name {named:?}"
        );
    }
}

#[test]
fn a_wrong_poll_interval_is_an_error_when_a_runner_starts() -> Result<()> {
    let env = Env::new().with("COUNTERS_POLL_INTERVAL", "often");
    let mut runner = MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
    let error = runner.start().expect_err("no interval");
    assert!(
        error.to_string().contains("POLL_INTERVAL") && error.to_string().contains("often"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let env = files(Path::new("/no/such/folder"));
    let error = error_of_opening(env).to_string();
    assert!(
        error.starts_with("DogSchool: ") && error.contains("/no/such/folder"),
        "{error}"
    );
}
