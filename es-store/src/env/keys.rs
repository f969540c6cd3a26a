//! The keys of the environment, as a table. The guide's page on the environment is made from it.

/// A key of the environment.
///
/// The table of all keys is [`KEYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The name of the key, without the name of an application in front.
    pub name: &'static str,
    /// The part of the library that reads the key.
    pub scope: KeyScope,
    /// One sentence on what the key sets, in Markdown.
    pub meaning: &'static str,
    /// The values that the key takes, in Markdown.
    pub values: &'static str,
    /// The value of a key that is not set, in Markdown.
    pub default: &'static str,
}

/// The part of the library that reads a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyScope {
    /// Every store.
    Store,
    /// The store on SQLite.
    Sqlite,
    /// The store on PostgreSQL.
    Postgres,
    /// Compression and encryption of what is stored.
    Sealing,
    /// The repository of an application.
    Repository,
    /// Applications that follow others.
    Follower,
}

impl KeyScope {
    /// All scopes, in the order of [`KEYS`].
    pub const ALL: [Self; 6] = [
        Self::Store,
        Self::Sqlite,
        Self::Postgres,
        Self::Sealing,
        Self::Repository,
        Self::Follower,
    ];

    /// Returns the heading of the scope's table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Store => "Every store",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Sealing => "Compression and encryption",
            Self::Repository => "Snapshots and the cache of the repository",
            Self::Follower => "Followers",
        }
    }
}

const REQUIRED: &str = "required";
const NONE: &str = "none";
const SECONDS: &str = "seconds";
const YES_OR_NO: &str = "`y`, `n`";
const PEM: &str = "a PEM file";

/// All keys that the library reads, grouped by their scope.
pub const KEYS: &[Key] = &[
    Key {
        name: "PERSISTENCE_MODULE",
        scope: KeyScope::Store,
        meaning: "The kind of store.",
        values: "`memory`, `sqlite`, `postgres`; also `eventsourcing.popo`, \
                 `eventsourcing.sqlite`, `eventsourcing.postgres`",
        default: "`memory`",
    },
    Key {
        name: "CREATE_TABLE",
        scope: KeyScope::Store,
        meaning: "Missing tables are created when an application is opened.",
        values: YES_OR_NO,
        default: "`y`",
    },
    Key {
        name: "ORIGINATOR_ID_TYPE",
        scope: KeyScope::Store,
        meaning: "The form of the ids of aggregates.",
        values: "`uuid`, `text`",
        default: "`uuid`",
    },
    Key {
        name: "SQLITE_DBNAME",
        scope: KeyScope::Sqlite,
        meaning: "The database of one application.",
        values: "a path, a `file:` URI, `:memory:`, `file:NAME?mode=memory&cache=shared`",
        default: REQUIRED,
    },
    Key {
        name: "SQLITE_LOCK_TIMEOUT",
        scope: KeyScope::Sqlite,
        meaning: "The time to wait for a lock.",
        values: SECONDS,
        default: "5",
    },
    Key {
        name: "SQLITE_YIELD",
        scope: KeyScope::Sqlite,
        meaning: "The time that a busy writer rests once a second, \
                  so that a slow program gets the lock. With 0 it rests 2 ms after each 50 ms.",
        values: "milliseconds",
        default: "0",
    },
    Key {
        name: "POSTGRES_DBNAME",
        scope: KeyScope::Postgres,
        meaning: "The name of the database.",
        values: "a name",
        default: REQUIRED,
    },
    Key {
        name: "POSTGRES_HOST",
        scope: KeyScope::Postgres,
        meaning: "The server. Of several hosts, the first that accepts writes is used, \
                  beginning with the one that answered last.",
        values: "a host, several separated by commas, or the folder of a Unix socket",
        default: REQUIRED,
    },
    Key {
        name: "POSTGRES_PORT",
        scope: KeyScope::Postgres,
        meaning: "The port of the server.",
        values: "one port, or as many as there are hosts",
        default: "5432",
    },
    Key {
        name: "POSTGRES_USER",
        scope: KeyScope::Postgres,
        meaning: "The role that connects.",
        values: "a name",
        default: REQUIRED,
    },
    Key {
        name: "POSTGRES_PASSWORD",
        scope: KeyScope::Postgres,
        meaning: "The password of the role.",
        values: "any text; it may be empty",
        default: REQUIRED,
    },
    Key {
        name: "POSTGRES_SCHEMA",
        scope: KeyScope::Postgres,
        meaning: "The schema of the tables. It must exist.",
        values: "a name",
        default: "`public`",
    },
    Key {
        name: "POSTGRES_CONNECT_TIMEOUT",
        scope: KeyScope::Postgres,
        meaning: "The time to try to connect, and to wait for a connection while all are busy.",
        values: SECONDS,
        default: "30",
    },
    Key {
        name: "POSTGRES_LOCK_TIMEOUT",
        scope: KeyScope::Postgres,
        meaning: "The time to wait for a lock.",
        values: "seconds; 0 waits for ever",
        default: "30",
    },
    Key {
        name: "POSTGRES_REQUEST_TIMEOUT",
        scope: KeyScope::Postgres,
        meaning: "The time to wait for the answer to a request, to which the time for a lock is added. \
                  The connection is closed then, and counts as lost.",
        values: "seconds; 0 waits for ever",
        default: "60",
    },
    Key {
        name: "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT",
        scope: KeyScope::Postgres,
        meaning: "The time after which the server ends a transaction that does nothing.",
        values: "seconds; 0 is never",
        default: "5",
    },
    Key {
        name: "POSTGRES_SYNCHRONOUS_COMMIT",
        scope: KeyScope::Postgres,
        meaning: "The point that a commit has reached when it returns, as PostgreSQL defines it.",
        values: "`on`, `off`, `local`, `remote_write`, `remote_apply`",
        default: "`on`",
    },
    Key {
        name: "POSTGRES_POOL_SIZE",
        scope: KeyScope::Postgres,
        meaning: "The number of connections for reading that are kept, and, of a projection, for its tables.",
        values: "a number",
        default: "5",
    },
    Key {
        name: "POSTGRES_MAX_OVERFLOW",
        scope: KeyScope::Postgres,
        meaning: "The number of further connections that are made when those are busy.",
        values: "a number",
        default: "10",
    },
    Key {
        name: "POSTGRES_PRE_PING",
        scope: KeyScope::Postgres,
        meaning: "Accepted because the Python library has it. It changes nothing.",
        values: YES_OR_NO,
        default: "`n`",
    },
    Key {
        name: "POSTGRES_POOLER",
        scope: KeyScope::Postgres,
        meaning: "Must not be set: connection poolers are not supported.",
        values: NONE,
        default: NONE,
    },
    Key {
        name: "POSTGRES_SSLMODE",
        scope: KeyScope::Postgres,
        meaning: "The encryption of connections by TCP, with the meanings of libpq. \
                  A Unix socket is never encrypted.",
        values: "`disable`, `prefer`; with the cargo feature `tls` also `require`, `verify-ca`, \
                 `verify-full`",
        default: "`prefer`, which is `disable` without the feature",
    },
    Key {
        name: "POSTGRES_SSLROOTCERT",
        scope: KeyScope::Postgres,
        meaning: "The certificates of the authorities that may sign the server's certificate, \
                  or that certificate itself. With it, `require` means `verify-ca`.",
        values: PEM,
        default: "the machine's authorities",
    },
    Key {
        name: "POSTGRES_SSLCERT",
        scope: KeyScope::Postgres,
        meaning: "The client's certificate, for a server that asks for one.",
        values: PEM,
        default: NONE,
    },
    Key {
        name: "POSTGRES_SSLKEY",
        scope: KeyScope::Postgres,
        meaning: "The private key of the client's certificate, not encrypted.",
        values: PEM,
        default: NONE,
    },
    Key {
        name: "COMPRESSOR_TOPIC",
        scope: KeyScope::Sealing,
        meaning: "The compression of what is stored.",
        values: "`zlib`, also `eventsourcing.compressor:ZlibCompressor`; \
                 `zstd` with the cargo feature `zstd`",
        default: NONE,
    },
    Key {
        name: "CIPHER_TOPIC",
        scope: KeyScope::Sealing,
        meaning: "The encryption of what is stored, AES-GCM. It needs `CIPHER_KEY`.",
        values: "`aes`, also `eventsourcing.cipher:AESCipher`, \
                 `eventsourcing.cryptography:AESCipher`",
        default: NONE,
    },
    Key {
        name: "CIPHER_KEY",
        scope: KeyScope::Sealing,
        meaning: "The key of the cipher. It needs `CIPHER_TOPIC`.",
        values: "16, 24 or 32 bytes in base64",
        default: NONE,
    },
    Key {
        name: "CIPHER_KEYS_OLD",
        scope: KeyScope::Sealing,
        meaning: "Former keys, which still decrypt.",
        values: "keys, separated by commas",
        default: NONE,
    },
    Key {
        name: "IS_SNAPSHOTTING_ENABLED",
        scope: KeyScope::Repository,
        meaning: "Snapshots are taken and used.",
        values: YES_OR_NO,
        default: "`y`",
    },
    Key {
        name: "AGGREGATE_CACHE_MAXSIZE",
        scope: KeyScope::Repository,
        meaning: "The number of aggregates kept in memory, of those whose state is `Clone`.",
        values: "a number; 0 keeps none",
        default: "0",
    },
    Key {
        name: "AGGREGATE_CACHE_FASTFORWARD",
        scope: KeyScope::Repository,
        meaning: "Each load of a kept aggregate looks for newer events in the store.",
        values: YES_OR_NO,
        default: "`y`",
    },
    Key {
        name: "ON_ERROR",
        scope: KeyScope::Follower,
        meaning: "The rule for an event whose policy fails, in place of those that the program has.",
        values: "`stop`, `set_aside`, `retry`, \
                 `retry(times = 5, backoff = \"100ms..60s\", then = stop)`, also with `then = set_aside`",
        default: "the program's rules",
    },
    Key {
        name: "FAILURES_MAX",
        scope: KeyScope::Follower,
        meaning: "The number of events that may be set aside. A follower stops in front of the next one.",
        values: "a number",
        default: "10000",
    },
    Key {
        name: "POLICY_TIMEOUT",
        scope: KeyScope::Follower,
        meaning: "The time that one policy may take.",
        values: SECONDS,
        default: "60 for a projection, and no limit otherwise",
    },
    Key {
        name: "POLL_INTERVAL",
        scope: KeyScope::Follower,
        meaning: "The time after which a follower looks for new events, if nothing prompts it.",
        values: SECONDS,
        default: "1",
    },
    Key {
        name: "CYCLE_EVENTS_MAX",
        scope: KeyScope::Follower,
        meaning: "The number of events that applications which follow each other process for one call on a \
                  single-threaded runner, in addition to ten for each event that was there before.",
        values: "a number; 0 is no limit",
        default: "10000",
    },
];
