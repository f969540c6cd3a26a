//! The program as its own tool: commands by which an operator looks at a system and mends it.
//!
//! A program that knows the types of a system becomes a tool with one call of [`main`]. A program
//! with commands of its own flattens [`Command`] into them. The page [`cli`](crate::guide::cli) of
//! the guide describes each command, its output and its exit code.
//!
//! ```no_run
//! use es_system::prelude::*;
//! # #[aggregate]
//! # pub struct Dog {}
//! # #[aggregate]
//! # impl Dog {
//! #     #[event(Registered)]
//! #     pub fn register() -> Self { Self {} }
//! # }
//! # #[application]
//! # pub struct DogSchool;
//!
//! fn main() -> Result<std::process::ExitCode> {
//!     let system = System::new(pipes![[DogSchool]])?;
//!     Ok(es_system::cli::main(&system, Env::from_process()))
//! }
//! ```

mod ask;
mod ddl;
mod doctor;
mod edge;
mod failure;
mod failures;
mod json;
mod log;
mod names;
mod opened;
mod output;
mod progress;
mod rebuild;
mod seconds;
mod show;
mod status;
mod steer;
mod table;
mod verify;
mod who;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use es_store::Env;

use self::failure::{Failure, Outcome};
use self::opened::Target;
use crate::system::System;

const EXIT_CODES: &str = "Exit codes: 0 is success, 1 that something is behind or wrong, or that the command failed, \
                          and 2 that it was called in a wrong way.";

/// A command on a system. It derives clap's `Subcommand`, so a program with commands of its own
/// flattens it into them:
///
/// ```
/// #[derive(clap::Subcommand)]
/// enum Own {
///     /// Serves requests.
///     Serve,
///     #[command(flatten)]
///     System(es_system::cli::Command),
/// }
/// # let parsed = <Own as clap::Subcommand>::augment_subcommands(clap::Command::new("own"));
/// # assert!(parsed.get_subcommands().any(|one| one.get_name() == "status"));
/// ```
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Shows how far each follower is; the exit code is 1 if one is behind or stands
    Status(status::Status),
    /// Shows the events of an application, in the order of their positions
    Log(log::Log),
    /// Shows the state of an aggregate, by the program's own code
    Show(show::Show),
    /// Verifies logs and positions; the exit code is 1 if something is wrong
    Verify(verify::Verify),
    /// Examines settings, stores and followers; the exit code is 1 if there is a problem
    Doctor(doctor::Doctor),
    /// Lists, retries and discards the events that followers have set aside
    #[command(subcommand)]
    Failures(failures::Failures),
    /// Passes over the event in front of which a follower stands, for ever
    Skip(steer::Skip),
    /// Has a follower pass over all events in front of a position, for ever
    StartAt(steer::StartAt),
    /// Has a follower process no events until it is resumed
    Pause(steer::Standing),
    /// Has a follower go on that was paused or has stopped
    Resume(steer::Standing),
    /// Rebuilds the tables of a projection from all events
    Rebuild(rebuild::Rebuild),
    /// Prints the statements that create the tables
    Ddl(ddl::Ddl),
}

impl Command {
    /// Runs the command on `system` in `env`, and returns the exit code of the program: 0 is
    /// success, 1 that something is behind or wrong or that the command failed, and 2 that it was
    /// called in a wrong way. The result is printed on the standard output, and all else on the
    /// standard error output.
    pub fn run(&self, system: &System, env: &Env) -> ExitCode {
        let target = Target { system, env };
        let ended = match self {
            Self::Status(command) => command.run(&target),
            Self::Log(command) => command.run(&target),
            Self::Show(command) => command.run(&target),
            Self::Verify(command) => command.run(&target),
            Self::Doctor(command) => command.run(&target),
            Self::Failures(command) => command.run(&target),
            Self::Skip(command) => command.run(&target),
            Self::StartAt(command) => command.run(&target),
            Self::Pause(command) => command.pause(&target),
            Self::Resume(command) => command.resume(&target),
            Self::Rebuild(command) => command.run(&target),
            Self::Ddl(command) => command.run(&target),
        };
        exit_code(ended)
    }
}

fn exit_code(ended: Result<Outcome, Failure>) -> ExitCode {
    match ended {
        Ok(Outcome::Good) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::from(1),
        Err(Failure::Failed(problem)) => {
            output::complain(&problem);
            ExitCode::from(1)
        }
        Err(Failure::Usage(problem)) => {
            output::complain(&problem);
            ExitCode::from(2)
        }
    }
}

/// The arguments of a program that has no commands but these.
#[derive(Debug, Parser)]
struct Program {
    #[command(subcommand)]
    command: Own,
}

#[derive(Debug, Subcommand)]
enum Own {
    #[command(flatten)]
    System(Command),
    /// Prints the script by which a shell completes the commands
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs the command that the arguments of this process name, and returns its exit code.
pub fn main(system: &System, env: Env) -> ExitCode {
    run(system, &env, std::env::args_os().collect())
}

fn run(system: &System, env: &Env, arguments: Vec<OsString>) -> ExitCode {
    let name = program(&arguments);
    let mut command = Program::command()
        .bin_name(name.clone())
        .about("Looks at the system of this program, and mends it")
        .after_help(EXIT_CODES);
    let parsed = command
        .try_get_matches_from_mut(arguments)
        .and_then(|matches| Program::from_arg_matches(&matches));
    match parsed {
        Ok(Program {
            command: Own::System(command),
        }) => command.run(system, env),
        Ok(Program {
            command: Own::Completions { shell },
        }) => {
            clap_complete::generate(shell, &mut command, name, &mut std::io::stdout());
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Help goes to the standard output, and a mistake to the other one. If neither can be
            // written, the exit code still tells.
            let _printed = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

/// Returns the name by which the program was called.
fn program(arguments: &[OsString]) -> String {
    let path = arguments.first().map(std::path::Path::new);
    let name = path.and_then(|path| path.file_stem());
    name.map_or_else(
        || "tool".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
