//! The program is run as a user runs it, and killed.

mod commands;
mod kills;
mod policies;
mod worker;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use es_system::Env;

/// A time that is long enough for everything that should happen at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the program, which works in `folder` and on the store of `env`.
fn program(folder: &Path, env: &Env) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.arg("--folder").arg(folder);
    let set = |key| Some((key, env.get(key)?));
    command.envs(env.keys().filter_map(set));
    command
}
