//! Settings by methods that the compiler checks; they make the same [`Env`] as keys do.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use es_core::IdType;

use crate::env::Env;

/// The settings of a program as methods instead of keys. They become an [`Env`], and may be mixed
/// with keys.
///
/// ```
/// use std::time::Duration;
/// use es_store::{Env, Settings};
///
/// let sqlite = Settings::sqlite("all.sqlite").lock_timeout(Duration::from_secs(1)).cache(1000);
/// let postgres = Settings::postgres("counters", "db.example", "rex", "hush").pool_size(2);
/// let env = Env::from(sqlite).with_application("Counters", postgres);
/// assert_eq!(env.for_application("DogSchool").get("SQLITE_DBNAME"), Some("all.sqlite"));
/// assert_eq!(env.for_application("Counters").get("PERSISTENCE_MODULE"), Some("postgres"));
/// ```
#[must_use = "settings do nothing before they are made an `Env`"]
pub struct Settings<S = InMemory> {
    env: Env,
    of: PhantomData<fn() -> S>,
}

/// Settings of a store in memory.
#[derive(Debug)]
pub enum InMemory {}

/// Settings of a SQLite database.
#[derive(Debug)]
pub enum Sqlite {}

/// Settings of a PostgreSQL database.
#[derive(Debug)]
pub enum Postgres {}

/// The encryption of connections to PostgreSQL, in libpq's terms. All but the first two need the
/// cargo feature `tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// Connections are not encrypted.
    Disable,
    /// Connections are encrypted if the server can do it.
    Prefer,
    /// Connections are encrypted. The server is not verified.
    Require,
    /// Connections are encrypted, and a known authority must have signed the server's certificate.
    VerifyCa,
    /// As `VerifyCa`, and the certificate must be that of the host.
    VerifyFull,
}

impl Settings {
    /// Creates settings of stores in memory.
    pub fn memory() -> Self {
        Self::of("memory")
    }
}

impl Settings<Sqlite> {
    /// Creates settings of a SQLite file, which has one application. Give each application its own
    /// by [`Env::with_application`].
    pub fn sqlite(file: impl AsRef<Path>) -> Self {
        Self::of("sqlite").with("SQLITE_DBNAME", file.as_ref().to_string_lossy())
    }

    /// Creates settings of SQLite in memory.
    pub fn sqlite_in_memory() -> Self {
        Self::sqlite(":memory:")
    }

    /// Sets the time to wait for a lock.
    pub fn lock_timeout(self, limit: Duration) -> Self {
        self.with("SQLITE_LOCK_TIMEOUT", seconds(limit))
    }

    /// Sets the time that a busy writer rests once a second, so that a slow program gets the lock.
    pub fn rest(self, rest: Duration) -> Self {
        self.with("SQLITE_YIELD", rest.as_millis().to_string())
    }
}

impl Settings<Postgres> {
    /// Creates settings of a PostgreSQL database, which may have many applications. The host may be
    /// several hosts, separated by commas, or the folder of a Unix socket.
    pub fn postgres(database: &str, host: &str, user: &str, password: &str) -> Self {
        Self::of("postgres")
            .with("POSTGRES_DBNAME", database)
            .with("POSTGRES_HOST", host)
            .with("POSTGRES_USER", user)
            .with("POSTGRES_PASSWORD", password)
    }

    /// Sets the port of the server.
    pub fn port(self, port: u16) -> Self {
        self.with("POSTGRES_PORT", port.to_string())
    }

    /// Sets the schema of the tables. It must exist.
    pub fn schema(self, schema: &str) -> Self {
        self.with("POSTGRES_SCHEMA", schema)
    }

    /// Sets the time to try to connect, and to wait for a connection while all are busy.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.with("POSTGRES_CONNECT_TIMEOUT", seconds(limit))
    }

    /// Sets the time to wait for a lock. Zero waits for ever.
    pub fn lock_timeout(self, limit: Duration) -> Self {
        self.with("POSTGRES_LOCK_TIMEOUT", seconds(limit))
    }

    /// Sets the time to wait for the answer to a request, to which the time for a lock is added.
    /// Zero waits for ever.
    pub fn request_timeout(self, limit: Duration) -> Self {
        self.with("POSTGRES_REQUEST_TIMEOUT", seconds(limit))
    }

    /// Sets the time after which the server ends a transaction that does nothing.
    pub fn idle_in_transaction_timeout(self, limit: Duration) -> Self {
        self.with(
            "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT",
            seconds(limit),
        )
    }

    /// Sets the point that a commit has reached when it returns, in PostgreSQL's terms: `on`,
    /// `off`, `local`, `remote_write`, `remote_apply`.
    pub fn synchronous_commit(self, level: &str) -> Self {
        self.with("POSTGRES_SYNCHRONOUS_COMMIT", level)
    }

    /// Sets the number of connections for reading that are kept.
    pub fn pool_size(self, connections: usize) -> Self {
        self.with("POSTGRES_POOL_SIZE", connections.to_string())
    }

    /// Sets the number of further connections that are made when those are busy.
    pub fn max_overflow(self, connections: usize) -> Self {
        self.with("POSTGRES_MAX_OVERFLOW", connections.to_string())
    }

    /// Sets the encryption of connections.
    pub fn ssl_mode(self, mode: SslMode) -> Self {
        self.with(
            "POSTGRES_SSLMODE",
            match mode {
                SslMode::Disable => "disable",
                SslMode::Prefer => "prefer",
                SslMode::Require => "require",
                SslMode::VerifyCa => "verify-ca",
                SslMode::VerifyFull => "verify-full",
            },
        )
    }

    /// Sets the PEM file with the authorities that may sign the server's certificate.
    pub fn ssl_root_cert(self, file: impl AsRef<Path>) -> Self {
        self.with("POSTGRES_SSLROOTCERT", file.as_ref().to_string_lossy())
    }

    /// Sets the PEM files with the client's certificate, for a server that asks for one, and its
    /// key.
    pub fn ssl_cert(self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.with("POSTGRES_SSLCERT", certificate.as_ref().to_string_lossy())
            .with("POSTGRES_SSLKEY", key.as_ref().to_string_lossy())
    }
}

impl<S> Settings<S> {
    fn of(module: &str) -> Self {
        Self {
            env: Env::new().with("PERSISTENCE_MODULE", module),
            of: PhantomData,
        }
    }

    fn with(self, key: &str, value: impl Into<String>) -> Self {
        Self {
            env: self.env.with(key, value),
            ..self
        }
    }

    /// Sets the form of the ids of aggregates.
    pub fn ids(self, form: IdType) -> Self {
        self.with(
            "ORIGINATOR_ID_TYPE",
            match form {
                IdType::Uuid => "uuid",
                IdType::Text => "text",
            },
        )
    }

    /// Creates missing tables, or leaves them missing.
    pub fn create_tables(self, create: bool) -> Self {
        self.with("CREATE_TABLE", yes_or_no(create))
    }

    /// Compresses what is stored with zlib, which Python reads too.
    pub fn zlib(self) -> Self {
        self.with("COMPRESSOR_TOPIC", "zlib")
    }

    /// Compresses what is stored with zstd.
    #[cfg(feature = "zstd")]
    pub fn zstd(self) -> Self {
        self.with("COMPRESSOR_TOPIC", "zstd")
    }

    /// Encrypts what is stored with AES-GCM and a key in base64, such as
    /// [`create_key`](crate::create_key) makes.
    pub fn aes(self, key: &str) -> Self {
        self.with("CIPHER_TOPIC", "aes").with("CIPHER_KEY", key)
    }

    /// Sets former keys, which still decrypt.
    pub fn old_keys(self, keys: &[&str]) -> Self {
        self.with("CIPHER_KEYS_OLD", keys.join(","))
    }

    /// Takes and uses snapshots, or does not.
    pub fn snapshots(self, are_used: bool) -> Self {
        self.with("IS_SNAPSHOTTING_ENABLED", yes_or_no(are_used))
    }

    /// Sets the number of aggregates that the repository keeps in memory.
    pub fn cache(self, aggregates: usize) -> Self {
        self.with("AGGREGATE_CACHE_MAXSIZE", aggregates.to_string())
    }

    /// Has each load of an aggregate that is kept in memory look for newer events, or not.
    pub fn cache_fast_forward(self, look: bool) -> Self {
        self.with("AGGREGATE_CACHE_FASTFORWARD", yes_or_no(look))
    }

    /// Sets the time after which a follower looks for new events, if nothing prompts it.
    pub fn poll_interval(self, interval: Duration) -> Self {
        self.with("POLL_INTERVAL", seconds(interval))
    }

    /// Sets the number of events that applications which follow each other process for one call on
    /// a single-threaded runner; 0 is no limit.
    pub fn cycle_events(self, most: u64) -> Self {
        self.with("CYCLE_EVENTS_MAX", most.to_string())
    }

    /// Sets the rule for an event whose policy fails, in place of those that the program has:
    /// `stop`, `set_aside`, or `retry(times = 5, backoff = "100ms..60s", then = set_aside)`.
    pub fn on_error(self, rule: &str) -> Self {
        self.with("ON_ERROR", rule)
    }

    /// Sets the number of events that may be set aside.
    pub fn failures_max(self, most: u64) -> Self {
        self.with("FAILURES_MAX", most.to_string())
    }

    /// Sets the time that one policy may take.
    pub fn policy_timeout(self, limit: Duration) -> Self {
        self.with("POLICY_TIMEOUT", seconds(limit))
    }
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "y" } else { "n" }
}

impl<S> From<Settings<S>> for Env {
    fn from(settings: Settings<S>) -> Self {
        settings.env
    }
}

impl<S> Clone for Settings<S> {
    fn clone(&self) -> Self {
        Self {
            env: self.env.clone(),
            of: PhantomData,
        }
    }
}

/// Hides what [`Env`] hides.
impl<S> fmt::Debug for Settings<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.env.fmt(f)
    }
}
