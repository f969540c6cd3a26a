//! Finding the programs of a server, and running them as a user that they accept.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs are, and who runs them.
#[derive(Clone)]
pub(super) struct Programs {
    folder: PathBuf,
    /// The user and the group who own the server, when they are not those of this process: a server
    /// refuses to run as root.
    pub(super) owner: Option<(u32, u32)>,
}

/// Returns the programs of the newest server that is installed.
pub(super) fn find() -> Option<Programs> {
    let folder = from_pg_config()
        .into_iter()
        .chain(from_debian())
        .chain(from_path())
        .find(|folder| is_complete(folder))?;
    let owner = match id(&["-u"])? {
        0 => Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)),
        _ => None,
    };
    Some(Programs { folder, owner })
}

impl Programs {
    /// Returns a command that runs the program called `name` as the owner of the server.
    pub(super) fn command(&self, name: &str) -> Command {
        let program = self.folder.join(name);
        if self.owner.is_none() {
            return Command::new(program);
        }
        let mut command = if is_there("setpriv") {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "--",
            ]);
            command
        } else {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]);
            command
        };
        command.arg(program);
        command
    }
}

fn from_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn from_debian() -> Vec<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path()).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders
        .into_iter()
        .map(|folder| folder.join("bin"))
        .collect()
}

fn from_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn is_there(program: &str) -> bool {
    from_path()
        .iter()
        .any(|folder| folder.join(program).is_file())
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
