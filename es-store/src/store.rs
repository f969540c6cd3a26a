//! Opens the store that the environment of an application names.

use std::sync::Arc;

use crate::env::Env;
use crate::error::StoreError;
use crate::memory;
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::recorder::ProcessRecorder;
use crate::role::{Role, is_reserved};
#[cfg(feature = "sqlite")]
use crate::sqlite;

/// The modules that `PERSISTENCE_MODULE` may name.
enum Module {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Module {
    fn of(env: &Env) -> Result<Self, StoreError> {
        const KEY: &str = "PERSISTENCE_MODULE";
        match env.get(KEY).unwrap_or("memory") {
            "memory" | "eventsourcing.popo" => Ok(Self::Memory),
            #[cfg(feature = "sqlite")]
            "sqlite" | "eventsourcing.sqlite" => Ok(Self::Sqlite),
            #[cfg(feature = "postgres")]
            "postgres" | "eventsourcing.postgres" => Ok(Self::Postgres),
            #[cfg(not(feature = "sqlite"))]
            "sqlite" | "eventsourcing.sqlite" => Err(not_compiled(env, KEY, "sqlite")),
            #[cfg(not(feature = "postgres"))]
            "postgres" | "eventsourcing.postgres" => Err(not_compiled(env, KEY, "postgres")),
            _ => Err(env
                .invalid(
                    KEY,
                    "memory, sqlite, postgres, eventsourcing.popo, eventsourcing.sqlite or eventsourcing.postgres",
                )
                .into()),
        }
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn not_compiled(env: &Env, key: &str, feature: &str) -> StoreError {
    let expected = format!("there without the cargo feature `{feature}`");
    env.invalid(key, expected).into()
}

/// Opens the store of an application: the one that the program provides, or the one that
/// `PERSISTENCE_MODULE` names. Unset, the store is in memory. `memory`, `sqlite` and `postgres` may
/// also be spelled `eventsourcing.popo`, `eventsourcing.sqlite` and `eventsourcing.postgres`.
///
/// # Errors
/// Fails when the settings are wrong, the name begins with `__` (which is reserved), or the store
/// cannot be opened.
///
/// ```
/// use es_store::{Env, Role, open};
///
/// let recorder = open("DogSchool", Role::Leader, &Env::new())?;
/// assert_eq!(recorder.head()?, None);
/// # Ok::<(), es_store::StoreError>(())
/// ```
pub fn open(
    application: &str,
    role: Role,
    env: &Env,
) -> Result<Arc<dyn ProcessRecorder>, StoreError> {
    if is_reserved(application) {
        let problem =
            format!("`{application}` cannot be the name of an application: `__` is reserved");
        return Err(StoreError::Configuration(problem));
    }
    let env = &env.for_application(application);
    for (found, meant) in env.misspelled() {
        tracing::warn!(
            application,
            "{found} is not a key of the environment: is it {meant}?"
        );
    }
    if let Some(store) = env.store() {
        return store.open(application, role, env);
    }
    match Module::of(env)? {
        Module::Memory => {
            warn_of_forgotten_module(application, env);
            memory::open(application, role, env)
        }
        #[cfg(feature = "sqlite")]
        Module::Sqlite => sqlite::open(application, role, env),
        #[cfg(feature = "postgres")]
        Module::Postgres => postgres::open(application, role, env),
    }
}

/// Warns about settings that name a database when no module is set: their author meant to use it.
fn warn_of_forgotten_module(application: &str, env: &Env) {
    let named = ["SQLITE_DBNAME", "POSTGRES_DBNAME"].into_iter();
    let mut named = named.filter(|key| env.filled(key).is_some());
    if let (Some(key), None) = (named.next(), env.get("PERSISTENCE_MODULE")) {
        tracing::warn!(
            application,
            "{} names a database, but PERSISTENCE_MODULE is not set: the store is in memory, and nothing is kept",
            env.spelling(key)
        );
    }
}

/// Returns the statements that create the tables of an application in the store that
/// `PERSISTENCE_MODULE` names, to be run before it is opened with `CREATE_TABLE=n`. A store in
/// memory has none.
///
/// # Errors
/// Fails when the settings are wrong.
///
/// ```
/// # #[cfg(feature = "postgres")] {
/// use es_store::{Env, Role, ddl};
///
/// let env = Env::new().with("PERSISTENCE_MODULE", "postgres");
/// let statements = ddl("Counters", Role::Follower, &env)?;
/// assert!(statements.contains(r#"CREATE TABLE "public"."counters_events""#));
/// # }
/// # Ok::<(), es_store::StoreError>(())
/// ```
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    expect(unused_variables, reason = "memory needs no statements")
)]
pub fn ddl(application: &str, role: Role, env: &Env) -> Result<String, StoreError> {
    let env = &env.for_application(application);
    match Module::of(env)? {
        Module::Memory => Ok(String::new()),
        #[cfg(feature = "sqlite")]
        Module::Sqlite => Ok(sqlite::ddl(application, role)),
        #[cfg(feature = "postgres")]
        Module::Postgres => postgres::ddl(application, role, env),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(application: &str, env: &Env) -> String {
        open(application, Role::Leader, env)
            .err()
            .expect("refused")
            .to_string()
    }

    #[test]
    fn a_persistence_module_is_known_in_both_dialects() {
        for module in ["memory", "eventsourcing.popo"] {
            assert!(
                open(
                    "Dogs",
                    Role::Leader,
                    &Env::new().with("PERSISTENCE_MODULE", module)
                )
                .is_ok()
            );
        }
        #[cfg(feature = "sqlite")]
        for module in ["sqlite", "eventsourcing.sqlite"] {
            let env = Env::new()
                .with("PERSISTENCE_MODULE", module)
                .with("SQLITE_DBNAME", ":memory:");
            assert!(open("Dogs", Role::Leader, &env).is_ok());
        }
    }

    #[test]
    fn an_unknown_persistence_module_is_named_with_key_and_choices() {
        let env = Env::new().with("DOGS_PERSISTENCE_MODULE", "paper");
        let refused = refused("Dogs", &env);
        assert!(
            refused.starts_with("DOGS_PERSISTENCE_MODULE is `paper`, which is not memory, sqlite"),
            "{refused}"
        );
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_module_that_is_not_compiled_names_its_feature() {
        let env = Env::new().with("PERSISTENCE_MODULE", "postgres");
        assert_eq!(
            refused("Dogs", &env),
            "PERSISTENCE_MODULE is `postgres`, which is not there without the cargo feature `postgres`"
        );
    }

    #[cfg(not(feature = "sqlite"))]
    #[test]
    fn a_module_that_is_not_compiled_is_refused_in_both_spellings() {
        for module in ["sqlite", "eventsourcing.sqlite"] {
            let env = Env::new().with("PERSISTENCE_MODULE", module);
            assert!(refused("Dogs", &env).ends_with("without the cargo feature `sqlite`"));
        }
    }

    #[test]
    fn a_name_that_is_reserved_is_refused() {
        assert!(refused("__migration__", &Env::new()).contains("`__migration__`"));
    }
}
