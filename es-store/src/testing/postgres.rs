//! PostgreSQL for tests: new databases, on a given server or on a temporary one.
//!
//! `ES_POSTGRES_URL` names the server, by a connection string whose user may create databases. If
//! it is not set, the programs `initdb` and `pg_ctl` are searched for (by `pg_config --bindir`, in
//! `/usr/lib/postgresql/*/bin`, in `PATH`), and a server is started in a temporary folder, where it
//! listens only on a Unix socket. All tests of a process share it. If there is neither,
//! [`database`] prints a warning and returns `None`, so that a test can be skipped. It panics
//! instead if `CI` or `ES_REQUIRE_POSTGRES` is set.

mod cluster;
mod programs;

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};

pub use self::cluster::{Cluster, ServerCertificate};
use self::programs::Programs;
use crate::env::Env;
use crate::postgres_client::{self as client, Client, ConnectError, Target};

/// Creates an empty database on the server that all tests of this process share. Returns `None` if
/// there is no PostgreSQL.
///
/// The server runs with `fsync=on`, unless `ES_POSTGRES_FSYNC=off` trades durability for speed.
///
/// # Panics
/// When there is no PostgreSQL though `CI` or `ES_REQUIRE_POSTGRES` is set, or it does not start.
pub fn database() -> Option<Database> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let server = SHARED.get_or_init(|| match std::env::var("ES_POSTGRES_URL") {
        Ok(url) => Some(Server::Given(url)),
        Err(_) => cluster().map(Server::Started),
    });
    match server.as_ref()? {
        Server::Given(url) => Some(Database::create(
            url.parse().expect("ES_POSTGRES_URL is a connection string"),
            true,
        )),
        Server::Started(cluster) => Some(cluster.database()),
    }
}

/// Starts a server for one test, which may stop and start it. Returns `None` if the programs to
/// start one are missing.
///
/// # Panics
/// The panics of [`database`].
pub fn cluster() -> Option<Cluster> {
    Some(Cluster::start(programs()?, fsync()))
}

/// Does the same as [`cluster`], for a server that also listens on a port of 127.0.0.1. It uses TLS
/// there if it gets a certificate. The environment of a [`Database`] names the server's Unix socket
/// and that port.
///
/// # Panics
/// The panics of [`database`].
pub fn cluster_on_tcp(certificate: Option<&ServerCertificate>) -> Option<Cluster> {
    Some(Cluster::start_on_tcp(programs()?, fsync(), certificate))
}

fn programs() -> Option<Programs> {
    let found = programs::find();
    if found.is_none() {
        let missing = "PostgreSQL is not here: ES_POSTGRES_URL is not set, and no initdb was found";
        let required = ["CI", "ES_REQUIRE_POSTGRES"]
            .into_iter()
            .find(|key| std::env::var_os(key).is_some());
        if let Some(key) = required {
            panic!("{missing}, but {key} is set");
        }
        // `eprintln!` would be captured by the test harness.
        let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {missing} ***\n");
    }
    found
}

fn fsync() -> bool {
    std::env::var("ES_POSTGRES_FSYNC").map_or(true, |value| value != "off")
}

enum Server {
    Given(String),
    Started(Cluster),
}

/// A database for a test. On a given server it is dropped with this value.
pub struct Database {
    config: Config,
    name: String,
    is_dropped: bool,
}

impl Database {
    fn create(config: Config, is_dropped: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("es_test_{process}_{}_{number}", since.as_micros());
        let mut server = connect(&config).expect("the server for tests can be reached");
        server
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database for a test can be created");
        Self {
            config,
            name,
            is_dropped,
        }
    }

    /// Returns the database of the same name on a standby, or on a server that was one.
    pub fn on(&self, standby: &Cluster) -> Self {
        Self {
            config: standby.config(),
            name: self.name.clone(),
            is_dropped: false,
        }
    }

    /// Returns the settings with which an application opens this database.
    pub fn env(&self) -> Env {
        let hosts: Vec<_> = self.config.get_hosts().iter().map(host).collect();
        let ports: Vec<_> = self.config.get_ports().iter().map(u16::to_string).collect();
        let password = self.config.get_password().unwrap_or_default();
        Env::new()
            .with("PERSISTENCE_MODULE", "postgres")
            .with("POSTGRES_DBNAME", &self.name)
            .with("POSTGRES_HOST", hosts.join(","))
            .with("POSTGRES_PORT", ports.join(","))
            .with("POSTGRES_USER", self.config.get_user().unwrap_or_default())
            .with("POSTGRES_PASSWORD", String::from_utf8_lossy(password))
    }

    /// Removes everything that an application keeps in schema `public`.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub fn drop_application(&self, application: &str) {
        let mut client = self.connect();
        let prefix = application.to_lowercase();
        for part in [
            "events",
            "tracking",
            "snapshots",
            "meta",
            "upstream",
            "policies",
            "failures",
            "operations",
        ] {
            let drop = format!("DROP TABLE IF EXISTS \"{prefix}_{part}\"");
            client
                .batch_execute(&drop)
                .expect("a table for tests can be dropped");
        }
        let functions =
            "SELECT 'DROP FUNCTION ' || oid::regprocedure FROM pg_proc WHERE proname = $1";
        let found = client.query(functions, &[&format!("{prefix}_append_v3")]);
        for drop in found.expect("the catalogue can be read") {
            client
                .batch_execute(drop.get(0))
                .expect("a function for tests can be dropped");
        }
    }

    /// Opens a connection that the library does not know of.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub fn connect(&self) -> Client {
        let mut config = self.config.clone();
        config.dbname(&self.name);
        connect(&config).expect("the database of the test can be reached")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_dropped
            && let Ok(mut server) = connect(&self.config)
        {
            // A database that is not dropped is small, and its name tells where it comes from.
            let _dropped =
                server.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn connect(config: &Config) -> Result<Client, ConnectError> {
    let open = |target: &Target<'_>| target.connect(SslMode::Disable, NoTls);
    client::connect(config, None, &client::LastAnswered::default(), open, |_| {
        Ok(())
    })
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}
