//! A server in a temporary folder.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Database;
use super::programs::Programs;

const USER: &str = "es_tests";
const PASSWORD: &str = "for tests only";

/// The script of the watchdog: when its input ends, be it that the server is dropped or that the
/// process is killed, it stops the server at once and removes the folder.
const WATCHDOG: &str = "trap '' HUP INT TERM; read -r _; \
    pid=$(head -n 1 \"$0/data/postmaster.pid\" 2>/dev/null) && kill -QUIT \"$pid\" && \
    while kill -0 \"$pid\" 2>/dev/null; do sleep 0.05; done; rm -rf \"$0\"";

/// A PostgreSQL server that is stopped and removed when this is dropped, and also when this process
/// is killed.
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    options: String,
    watchdog: Child,
}

/// The certificate of the server of a [`Cluster`], as PEM.
pub struct ServerCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// The authority whose certificates clients may present in turn.
    pub clients: String,
}

impl Cluster {
    /// Creates a server whose only door is a Unix socket.
    pub(super) fn start(programs: Programs, fsync: bool) -> Self {
        Self::create(programs, fsync, 5432, "-c listen_addresses=''").started()
    }

    /// Creates a server that has a port of 127.0.0.1 too.
    pub(super) fn start_on_tcp(
        programs: Programs,
        fsync: bool,
        certificate: Option<&ServerCertificate>,
    ) -> Self {
        let port = free_port().expect("a free port");
        let Some(certificate) = certificate else {
            return Self::create(programs, fsync, port, "-c listen_addresses=127.0.0.1").started();
        };
        let options = "-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_ca_file=root.crt";
        let cluster = Self::create(programs, fsync, port, options);
        for (name, pem) in [
            ("server.crt", &certificate.certificate),
            ("server.key", &certificate.key),
            ("root.crt", &certificate.clients),
        ] {
            cluster
                .write(&cluster.data().join(name), pem)
                .expect("a file of the server");
        }
        cluster.started()
    }

    /// Creates a standby, which receives the log of this server and can be read. Its only door is a
    /// Unix socket of its own. While it is [stopped](Self::stop), it misses what is committed here.
    pub fn standby(&self) -> Self {
        let standby =
            Self::without_data(self.programs.clone(), false, 5432, "-c listen_addresses=''");
        let mut copy = self.programs.command("pg_basebackup");
        copy.env("PGPASSWORD", PASSWORD)
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port.to_string(), "-U", USER, "-D"])
            .arg(standby.data())
            .args(["-R", "-X", "stream", "-c", "fast", "--no-sync"]);
        run(copy);
        standby.started()
    }

    /// Makes a standby a server of its own, which can be written.
    pub fn promote(&self) {
        self.control(&["promote", "-w", "-t", "60"]);
    }

    fn create(programs: Programs, fsync: bool, port: u16, options: &str) -> Self {
        let cluster = Self::without_data(programs, fsync, port, options);
        cluster.init().expect("a password file");
        cluster
    }

    fn without_data(programs: Programs, fsync: bool, port: u16, options: &str) -> Self {
        let folder = new_folder(&programs).expect("a folder for a server");
        let watchdog = watch(&folder).expect("a watchdog for a server");
        let fsync = if fsync { "on" } else { "off" };
        let options = format!(
            "{options} -c port={port} -c unix_socket_directories='{}' -c fsync={fsync} -c max_connections=300",
            folder.display()
        );
        Self {
            programs,
            folder,
            port,
            options,
            watchdog,
        }
    }

    fn started(self) -> Self {
        self.resume();
        self
    }

    /// Returns a new, empty database on this server.
    pub fn database(&self) -> Database {
        Database::create(self.config(), false)
    }

    pub(super) fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.folder)
            .port(self.port)
            .user(USER)
            .password(PASSWORD)
            .dbname("postgres");
        config
    }

    /// Stops the server, as `pg_ctl stop -m fast` does: open connections are cut.
    pub fn stop(&self) {
        self.control(&["stop", "-w", "-m", "fast"]);
    }

    /// Stops the server at once, as a crash would.
    pub fn crash(&self) {
        self.control(&["stop", "-w", "-m", "immediate"]);
    }

    /// Starts the server again.
    pub fn resume(&self) {
        let log = self.folder.join("log");
        self.control(&[
            "start",
            "-w",
            "-t",
            "60",
            "-o",
            &self.options,
            "-l",
            log.to_str().expect("a path"),
        ]);
    }

    fn init(&self) -> io::Result<()> {
        let password = self.folder.join("password");
        self.write(&password, PASSWORD)?;
        let mut initdb = self.programs.command("initdb");
        initdb
            .arg("--pwfile")
            .arg(&password)
            .arg("-D")
            .arg(self.data());
        initdb.args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        run(initdb);
        Ok(())
    }

    /// Writes a file that the server's owner alone can read.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        std::fs::write(path, text)?;
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        own(path, &self.programs)
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = self.programs.command("pg_ctl");
        control.arg("-D").arg(self.data()).args(arguments);
        run(control);
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its input ends, and with it the server; what cannot be removed is in the folder for
        // temporary files.
        drop(self.watchdog.stdin.take());
        let _ended = self.watchdog.wait();
    }
}

fn run(mut command: Command) {
    // The output goes nowhere and not into a pipe, which the server would hold open for ever.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .current_dir("/")
        .status();
    let status = status.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(status.success(), "{command:?} failed");
}

fn watch(folder: &Path) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(WATCHDOG)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Returns a new folder that the server's owner alone can enter. Its path is short, as that of a
/// socket must be.
fn new_folder(programs: &Programs) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let parent = std::env::temp_dir();
    let parent = if parent.as_os_str().len() > 60 {
        PathBuf::from("/tmp")
    } else {
        parent
    };
    let folder = parent.join(format!(
        "es-pg-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    std::fs::create_dir(&folder)?;
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    own(&folder, programs)?;
    Ok(folder)
}

/// Returns a port that nobody has at this moment.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn own(path: &Path, programs: &Programs) -> io::Result<()> {
    match programs.owner {
        Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}
