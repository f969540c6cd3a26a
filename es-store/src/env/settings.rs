//! Settings by methods that the compiler checks; they make the same [`Env`] as keys do.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use es_core::IdType;

use crate::env::Env;

/// The settings of a program, without the names of keys. They become an [`Env`], and may be mixed
/// with keys.
///
/// ```
/// use std::time::Duration;
/// use es_store::{Env, Settings};
///
/// let env = Env::from(Settings::sqlite("all.sqlite").lock_timeout(Duration::from_secs(1)).cache(1000))
///     .with_application("Counters", Settings::postgres("counters", "db.example", "rex", "hush").pool_size(2));
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

/// The encryption of connections to PostgreSQL, as libpq calls it; all but the first two need the
/// cargo feature `tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// Not.
    Disable,
    /// If the server can do it.
    Prefer,
    /// Always; the server may be anybody.
    Require,
    /// Always, and an authority says that the server is whose it says it is.
    VerifyCa,
    /// The same, and it is the host that was meant.
    VerifyFull,
}

impl Settings {
    /// Stores in memory.
    pub fn memory() -> Self {
        Self::of("memory")
    }
}

impl Settings<Sqlite> {
    /// A SQLite file, of one application: give each its own by [`Env::with_application`].
    pub fn sqlite(file: impl AsRef<Path>) -> Self {
        Self::of("sqlite").with("SQLITE_DBNAME", file.as_ref().to_string_lossy())
    }

    /// SQLite in memory.
    pub fn sqlite_in_memory() -> Self {
        Self::sqlite(":memory:")
    }

    /// How long to wait for a lock.
    pub fn lock_timeout(self, limit: Duration) -> Self {
        self.with("SQLITE_LOCK_TIMEOUT", seconds(limit))
    }

    /// How long a busy writer rests once a second, where slow sleepers share the file.
    pub fn rest(self, rest: Duration) -> Self {
        self.with("SQLITE_YIELD", rest.as_millis().to_string())
    }
}

impl Settings<Postgres> {
    /// A PostgreSQL database on a host (several, separated by commas; or the folder of a Unix
    /// socket), which may keep many applications.
    pub fn postgres(database: &str, host: &str, user: &str, password: &str) -> Self {
        Self::of("postgres")
            .with("POSTGRES_DBNAME", database)
            .with("POSTGRES_HOST", host)
            .with("POSTGRES_USER", user)
            .with("POSTGRES_PASSWORD", password)
    }

    /// The server's port.
    pub fn port(self, port: u16) -> Self {
        self.with("POSTGRES_PORT", port.to_string())
    }

    /// The schema of the tables, which must exist.
    pub fn schema(self, schema: &str) -> Self {
        self.with("POSTGRES_SCHEMA", schema)
    }

    /// Sets the time that an attempt to connect may take.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.with("POSTGRES_CONNECT_TIMEOUT", seconds(limit))
    }

    /// Sets the time to wait for a lock; zero is for ever.
    pub fn lock_timeout(self, limit: Duration) -> Self {
        self.with("POSTGRES_LOCK_TIMEOUT", seconds(limit))
    }

    /// Sets the time for which a transaction may stand still.
    pub fn idle_in_transaction_timeout(self, limit: Duration) -> Self {
        self.with(
            "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT",
            seconds(limit),
        )
    }

    /// Sets what a commit waits for, as PostgreSQL calls it: `on`, `off`, `local`, `remote_write`,
    /// `remote_apply`.
    pub fn synchronous_commit(self, level: &str) -> Self {
        self.with("POSTGRES_SYNCHRONOUS_COMMIT", level)
    }

    /// The number of connections for reading that are kept.
    pub fn pool_size(self, connections: usize) -> Self {
        self.with("POSTGRES_POOL_SIZE", connections.to_string())
    }

    /// How many more are made while those are busy.
    pub fn max_overflow(self, connections: usize) -> Self {
        self.with("POSTGRES_MAX_OVERFLOW", connections.to_string())
    }

    /// Sets how connections are encrypted.
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

    /// A PEM file with the authorities that the server's certificate may be of.
    pub fn ssl_root_cert(self, file: impl AsRef<Path>) -> Self {
        self.with("POSTGRES_SSLROOTCERT", file.as_ref().to_string_lossy())
    }

    /// PEM files with a certificate that the server may ask for, and its key.
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

    /// Which form the ids of aggregates have.
    pub fn ids(self, form: IdType) -> Self {
        self.with(
            "ORIGINATOR_ID_TYPE",
            match form {
                IdType::Uuid => "uuid",
                IdType::Text => "text",
            },
        )
    }

    /// Whether to create what is missing.
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

    /// Former keys, which still decrypt.
    pub fn old_keys(self, keys: &[&str]) -> Self {
        self.with("CIPHER_KEYS_OLD", keys.join(","))
    }

    /// Returns true if snapshots are taken and used.
    pub fn snapshots(self, are_used: bool) -> Self {
        self.with("IS_SNAPSHOTTING_ENABLED", yes_or_no(are_used))
    }

    /// Sets how many aggregates the repository keeps in memory.
    pub fn cache(self, aggregates: usize) -> Self {
        self.with("AGGREGATE_CACHE_MAXSIZE", aggregates.to_string())
    }

    /// Returns true if newer events are looked for at each load of an aggregate that is kept in memory.
    pub fn cache_fast_forward(self, look: bool) -> Self {
        self.with("AGGREGATE_CACHE_FASTFORWARD", yes_or_no(look))
    }

    /// Sets the time between two looks of a follower that nobody prompts.
    pub fn poll_interval(self, interval: Duration) -> Self {
        self.with("POLL_INTERVAL", seconds(interval))
    }

    /// Sets the time that a policy of a projection may take.
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
