//! Which store an application gets.

use std::sync::Arc;

use crate::role::is_reserved;
use crate::{Env, ProcessRecorder, Role, StoreError, memory, postgres, sqlite};

/// Opens stores that this crate does not know: a backend of one's own, or one made for a test.
///
/// It is put in place with [`Env::with_store`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` opens no stores",
    label = "needs `impl StoreFactory for {Self}`"
)]
pub trait StoreFactory: Send + Sync {
    /// Opens the store of an application. `env` is as the application sees it.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(
        &self,
        application: &str,
        role: Role,
        env: &Env,
    ) -> Result<Arc<dyn ProcessRecorder>, StoreError>;
}

/// Opens the store of an application: the one that the program gave, or what `PERSISTENCE_MODULE` names. Unset, it is
/// memory; `memory`, `sqlite` and `postgres` may also be spelled `eventsourcing.popo`, `eventsourcing.sqlite` and
/// `eventsourcing.postgres`.
///
/// # Errors
/// When the settings are wrong, the name begins with `__`, which is reserved, or the store cannot be opened.
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
            "{found} is no key of the environment: is it {meant}?"
        );
    }
    if let Some(store) = env.store() {
        return store.open(application, role, env);
    }
    match env.get("PERSISTENCE_MODULE").unwrap_or("memory") {
        "memory" | "eventsourcing.popo" => {
            warn_of_forgotten_module(application, env);
            memory::open(application, role, env)
        }
        "sqlite" | "eventsourcing.sqlite" => sqlite::open(application, role, env),
        "postgres" | "eventsourcing.postgres" => postgres::open(application, role, env),
        _ => Err(env
            .invalid(
                "PERSISTENCE_MODULE",
                "memory, sqlite, postgres, eventsourcing.popo, eventsourcing.sqlite or eventsourcing.postgres",
            )
            .into()),
    }
}

/// Whoever names a database means to use it.
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

/// The statements that create what an application needs in the store that `PERSISTENCE_MODULE` names, to run them by hand
/// before it is opened with `CREATE_TABLE=n`. Memory needs none.
///
/// # Errors
/// When the settings are wrong.
///
/// ```
/// use es_store::{Env, Role, ddl};
///
/// let statements = ddl("Counters", Role::Follower, &Env::new().with("PERSISTENCE_MODULE", "postgres"))?;
/// assert!(statements.contains(r#"CREATE TABLE "public"."counters_events""#));
/// # Ok::<(), es_store::StoreError>(())
/// ```
pub fn ddl(application: &str, role: Role, env: &Env) -> Result<String, StoreError> {
    let env = &env.for_application(application);
    match env.get("PERSISTENCE_MODULE") {
        Some("sqlite" | "eventsourcing.sqlite") => Ok(sqlite::ddl(application, role)),
        Some("postgres" | "eventsourcing.postgres") => postgres::ddl(application, role, env),
        _ => Ok(String::new()),
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

    #[test]
    fn a_name_that_is_reserved_is_refused() {
        assert!(refused("__migration__", &Env::new()).contains("`__migration__`"));
    }
}
