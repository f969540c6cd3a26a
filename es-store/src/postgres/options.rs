//! The settings of a database, under the keys of the Python library.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::label::PostgresLabel;
use super::session::Sessions;
use super::tls::Tls;
use crate::env::Env;
use crate::error::StoreError;
use crate::postgres_client::{LastAnswered, Limit};

/// The settings with which a database is opened. The password is inside `config`, whose `Debug`
/// hides it.
#[derive(Debug, Clone)]
pub(super) struct PostgresOptions {
    pub(super) config: Config,
    /// The address of the connection that was opened last.
    pub(super) answered: Arc<LastAnswered>,
    pub(super) tls: Tls,
    pub(super) label: PostgresLabel,
    pub(super) schema: String,
    /// The maximum number of idle connections for reading.
    pub(super) pool_size: usize,
    /// The number of connections allowed beyond `pool_size`.
    pub(super) max_overflow: usize,
    /// The time for which opening a connection for writing is retried.
    pub(super) connect_timeout: Duration,
    /// The limit of one attempt to connect, all hosts together.
    pub(super) connect_limit: Option<Limit>,
    /// The limit of the server's answer to a request.
    pub(super) request_limit: Option<Limit>,
    /// The time after which a connection that listens is checked; `None` is never.
    pub(super) check_listener: Option<Duration>,
    /// The limit of the server's answer to that check, which waits for no lock.
    pub(super) check_limit: Option<Limit>,
    /// The limit of the server's answer to a request from a projection's handler.
    pub(super) tables_limit: Option<Limit>,
    /// The time for which the outcome of a commit is sought after its connection was lost.
    pub(super) resolve: Duration,
    /// The startup options of sessions that execute users' statements.
    pub(super) users_session: String,
    /// True if missing tables are created.
    pub(super) create: bool,
}

const SECOND: Duration = Duration::from_secs(1);

impl PostgresOptions {
    pub(super) fn of(application: &str, env: &Env) -> Result<Self, StoreError> {
        let required = |key| match env.require(key) {
            Ok("") => Err(env.invalid(key, "a name")),
            value => value,
        };
        let (dbname, host, user) = (
            required("POSTGRES_DBNAME")?,
            required("POSTGRES_HOST")?,
            required("POSTGRES_USER")?,
        );
        let password = env.require("POSTGRES_PASSWORD")?;
        refuse_pooler(env)?;
        let lock_timeout = env.seconds("POSTGRES_LOCK_TIMEOUT", 30 * SECOND)?;
        let connect_timeout = env.seconds("POSTGRES_CONNECT_TIMEOUT", 30 * SECOND)?;
        // The setting has no effect here, but a value that is not a boolean is a mistake.
        env.boolean("POSTGRES_PRE_PING", false)?;
        let policy_timeout = env.seconds("POLICY_TIMEOUT", 60 * SECOND)?;
        let sessions = Sessions::of(env, lock_timeout, policy_timeout)?;
        let mut config = Config::new();
        config
            .dbname(dbname)
            .user(user)
            .application_name(application)
            .tcp_user_timeout(30 * SECOND)
            .keepalives_idle(10 * SECOND)
            .keepalives_interval(5 * SECOND)
            .options(&sessions.own);
        if !password.is_empty() {
            config.password(password);
        }
        let request = env.seconds("POSTGRES_REQUEST_TIMEOUT", 60 * SECOND)?;
        let hosts = add_hosts(&mut config, host);
        add_ports(&mut config, hosts, env)?;
        Ok(Self {
            label: PostgresLabel::new(dbname, host, user, lock_timeout),
            tls: Tls::of(&config, env)?,
            config,
            answered: Arc::default(),
            schema: match env.get("POSTGRES_SCHEMA") {
                None | Some("") => "public".to_owned(),
                Some(schema) => schema.to_owned(),
            },
            pool_size: env.number("POSTGRES_POOL_SIZE", 5)?,
            max_overflow: env.number("POSTGRES_MAX_OVERFLOW", 10)?,
            connect_timeout,
            connect_limit: limit("POSTGRES_CONNECT_TIMEOUT", connect_timeout, Duration::ZERO),
            // A lock may be waited for without end, and so may an answer.
            request_limit: limit("POSTGRES_REQUEST_TIMEOUT", request, lock_timeout)
                .filter(|_| !lock_timeout.is_zero()),
            check_listener: (!request.is_zero()).then_some(request.min(10 * SECOND)),
            check_limit: check_limit(connect_timeout),
            // The server itself cancels a handler's statement.
            tables_limit: limit("POSTGRES_REQUEST_TIMEOUT", request, policy_timeout),
            resolve: connect_timeout + lock_timeout.max(30 * SECOND),
            users_session: sessions.of_users,
            create: env.boolean("CREATE_TABLE", true)?,
        })
    }

    /// Returns the maximum number of connections that read at once, which is at least one.
    pub(super) fn readers(&self) -> usize {
        self.pool_size.saturating_add(self.max_overflow).max(1)
    }
}

/// Returns the limit for a lock of a table that others may use. While one waits for such a lock,
/// all who want the table later wait too, readers included. So the wait is short, and is repeated
/// after a pause. `lock_timeout` is the limit of all other locks; 0 is none.
pub(super) fn short_lock_timeout(lock_timeout: Duration) -> Duration {
    const SHORT: Duration = Duration::from_millis(100);
    if lock_timeout.is_zero() {
        SHORT
    } else {
        lock_timeout.clamp(Duration::from_millis(1), SHORT)
    }
}

/// Returns the limit of a request, extended by the server's own limit `more`; `None` if `time` is
/// 0.
fn limit(key: &'static str, time: Duration, more: Duration) -> Option<Limit> {
    let time = time.saturating_add(more);
    (time > more).then_some(Limit { time, key })
}

/// Returns the limit of the check of a connection that listens.
fn check_limit(connect_timeout: Duration) -> Option<Limit> {
    let time = connect_timeout.min(5 * SECOND);
    limit("POSTGRES_CONNECT_TIMEOUT", time, Duration::ZERO)
}

fn add_hosts(config: &mut Config, hosts: &str) -> usize {
    let hosts: Vec<_> = hosts.split(',').map(str::trim).collect();
    for host in &hosts {
        config.host(*host);
    }
    if hosts.len() > 1 {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    hosts.len()
}

fn add_ports(config: &mut Config, hosts: usize, env: &Env) -> Result<(), StoreError> {
    let key = "POSTGRES_PORT";
    let ports = match env.get(key).map(str::trim) {
        None | Some("") => "5432",
        Some(ports) => ports,
    };
    let ports: Vec<u16> = ports
        .split(',')
        .map(|port| port.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| env.invalid(key, "a port, or ports separated by commas"))?;
    if ports.len() != 1 && ports.len() != hosts {
        return Err(env
            .invalid(key, "one port, or as many as there are hosts")
            .into());
    }
    for port in ports {
        config.port(port);
    }
    Ok(())
}

/// Refuses a pooler that assigns connections by transaction. Prepared statements and LISTEN do not
/// work with it.
fn refuse_pooler(env: &Env) -> Result<(), StoreError> {
    match env.get("POSTGRES_POOLER") {
        None | Some("") => Ok(()),
        Some(_) => Err(env
            .invalid(
                "POSTGRES_POOLER",
                "supported yet: connect to the server itself",
            )
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env::new()
            .with("POSTGRES_DBNAME", "dogs")
            .with("POSTGRES_HOST", "localhost")
            .with("POSTGRES_USER", "rex")
            .with("POSTGRES_PASSWORD", "a secret")
            .for_application("Dogs")
    }

    fn settings(env: &Env) -> PostgresOptions {
        PostgresOptions::of("Dogs", env).expect("settings")
    }

    #[test]
    fn a_required_key_that_is_missing_is_named_in_both_spellings() {
        let refused =
            PostgresOptions::of("Dogs", &Env::new().for_application("Dogs")).expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "the environment has no DOGS_POSTGRES_DBNAME or POSTGRES_DBNAME"
        );
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let shown = format!("{:?}", settings(&env()));
        assert!(!shown.contains("a secret"), "{shown}");
    }

    #[test]
    fn unset_a_lock_is_waited_for_30_seconds_and_0_is_for_ever() {
        let options = |env: &Env| {
            settings(env)
                .config
                .get_options()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(options(&env()).contains("lock_timeout=30000 "));
        assert!(options(&env().with("POSTGRES_LOCK_TIMEOUT", "0")).contains("lock_timeout=0 "));
    }

    #[test]
    fn a_request_may_take_what_a_lock_may_take_in_addition() {
        let limit = |env: &Env| settings(env).request_limit.map(|limit| limit.time);
        let env = env();
        assert_eq!(limit(&env), Some(90 * SECOND));
        let short = env.clone().with("POSTGRES_REQUEST_TIMEOUT", "2");
        assert_eq!(limit(&short), Some(32 * SECOND));
        for endless in ["POSTGRES_REQUEST_TIMEOUT", "POSTGRES_LOCK_TIMEOUT"] {
            assert_eq!(limit(&env.clone().with(endless, "0")), None);
        }
    }

    #[test]
    fn several_hosts_have_one_port_or_as_many() {
        let hosts = env().with("POSTGRES_HOST", "one,two");
        let config = settings(&hosts).config;
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(
            config.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
        assert_eq!(
            settings(&hosts.clone().with("POSTGRES_PORT", "1,2"))
                .config
                .get_ports(),
            [1, 2]
        );
        assert!(PostgresOptions::of("Dogs", &hosts.with("POSTGRES_PORT", "1,2,3")).is_err());
    }

    #[test]
    fn a_setting_that_cannot_be_followed_is_refused() {
        for (key, value) in [
            ("POSTGRES_SYNCHRONOUS_COMMIT", "sometimes"),
            ("POSTGRES_POOLER", "transaction"),
            ("POSTGRES_PORT", "door"),
            ("POSTGRES_PRE_PING", "perhaps"),
        ] {
            let refused =
                PostgresOptions::of("Dogs", &env().with(key, value)).expect_err("refused");
            assert!(refused.to_string().starts_with(key), "{refused}");
        }
    }
}
