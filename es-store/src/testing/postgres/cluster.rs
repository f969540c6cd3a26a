//! A server in a temporary folder.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Database;
use super::programs::Programs;

const USER: &str = "es_tests";
const PASSWORD: &str = "for tests only";

/// What the watchdog does: when its input ends, be it that the server is dropped or that the process is killed, it stops the
/// server at once and removes the folder.
const WATCHDOG: &str = "trap '' HUP INT TERM; read -r _; \
    pid=$(head -n 1 \"$0/data/postmaster.pid\" 2>/dev/null) && kill -QUIT \"$pid\" && \
    while kill -0 \"$pid\" 2>/dev/null; do sleep 0.05; done; rm -rf \"$0\"";

/// A PostgreSQL server that is stopped and removed when this is dropped, and also when this process is killed.
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    fsync: bool,
    watchdog: Child,
}

impl Cluster {
    pub(super) fn start(programs: Programs, fsync: bool) -> Self {
        let folder = new_folder(&programs).expect("a folder for a server");
        let watchdog = watch(&folder).expect("a watchdog for a server");
        let cluster = Self {
            programs,
            folder,
            fsync,
            watchdog,
        };
        cluster.create().expect("a password file");
        cluster.resume();
        cluster
    }

    /// A new, empty database on this server.
    pub fn database(&self) -> Database {
        let mut config = ::postgres::Config::new();
        config
            .host_path(&self.folder)
            .port(5432)
            .user(USER)
            .password(PASSWORD)
            .dbname("postgres");
        Database::create(config, false)
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
        let fsync = if self.fsync { "on" } else { "off" };
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync={fsync} -c max_connections=300",
            self.folder.display()
        );
        let log = self.folder.join("log");
        self.control(&[
            "start",
            "-w",
            "-t",
            "60",
            "-o",
            &options,
            "-l",
            log.to_str().expect("a path"),
        ]);
    }

    fn create(&self) -> io::Result<()> {
        let password = self.folder.join("password");
        std::fs::write(&password, PASSWORD)?;
        own(&password, &self.programs)?;
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
        // Its input ends, and with it the server; what cannot be removed is in the folder for temporary files.
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

/// A new folder that the server's owner alone can enter. Its path is short, as that of a socket must be.
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

fn own(path: &Path, programs: &Programs) -> io::Result<()> {
    match programs.owner {
        Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}
